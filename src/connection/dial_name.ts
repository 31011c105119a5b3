/**
 * Connecting to a remote that is given by name: its addresses are looked up here,
 * and tried one after the other.
 *
 * @module
 */
import { isPromise } from "../lib/is_promise.ts";
import { formatAddress, type HostPort } from "../net/address.ts";
import { connectNamed, type Naming } from "../net/connect_named.ts";
import type { Connection } from "./connection.ts";

/** Connects to an address as if it were the remote. */
export type DialAddress = (address: HostPort) => Promise<Deno.TcpConn>;

/**
 * Connects to a name.
 *
 * @param naming Knows its addresses.
 * @param remote The name, and a port.
 * @param connectTimeout Milliseconds that one pass over all addresses may take,
 * the look-up included; `undefined` for no limit.
 * @param dialAddress Connects where there is one address, which is known.
 * @returns What the caller closes.
 * @throws {NoSuchName} If the name does not exist.
 */
export function dialName(
  connection: Connection,
  naming: Naming,
  remote: HostPort,
  connectTimeout: number | undefined,
  dialAddress: DialAddress,
): Promise<Deno.TcpConn> {
  const { hostname, port } = remote;
  const addresses = naming.names.lookup(hostname);
  if (!isPromise(addresses) && addresses.length === 1) {
    return dialAddress({ hostname: addresses[0]!, port });
  }
  return dialAny(connection, naming, remote, addresses, connectTimeout);
}

async function dialAny(
  connection: Connection,
  naming: Naming,
  remote: HostPort,
  lookup: readonly string[] | Promise<readonly string[]>,
  timeout: number | undefined,
): Promise<Deno.TcpConn> {
  const controller = connection.connecting = new AbortController();
  const { signal } = controller;
  const timer = timeout &&
    setTimeout(() => controller.abort(timedOut(remote, timeout)), timeout);
  try {
    return await connectNamed(naming, remote, signal, timeout, lookup);
  } finally {
    clearTimeout(timer);
    connection.connecting = undefined;
  }
}

/** The error of a remote that has not answered in time. */
export function timedOut(
  address: HostPort,
  milliseconds: number,
): Deno.errors.TimedOut {
  return new Deno.errors.TimedOut(
    `${formatAddress(address)} did not answer within ${
      milliseconds / 1000
    } seconds`,
  );
}
