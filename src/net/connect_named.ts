/**
 * Connecting to a host by name or address, with the names of this thread.
 *
 * @module
 */
import { isPromise } from "../lib/is_promise.ts";
import { type HostPort, isIp } from "./address.ts";
import { connectToAny, type FailedAddresses } from "./connect_to_any.ts";
import { connectUntil } from "./connect_until.ts";
import {
  type Destinations,
  destinations,
  RefusedRemote,
} from "./destinations.ts";
import type { Names } from "./names.ts";

/** What a thread knows of names. */
export interface Naming {
  readonly names: Names;
  /** Addresses that could not be connected to lately. */
  readonly failed: FailedAddresses;
}

let threadNaming: Naming | undefined;

/**
 * Says how checks of members and tables in Redis find addresses from now on:
 * before, and without it, the runtime does that.
 */
export function useNaming(naming: Naming | undefined): void {
  threadNaming = naming;
}

/**
 * Connects to a host, whose name is looked up first.
 *
 * @param address Where to.
 * @param signal Gives it up; it is changed, so it is made for this connection.
 * @returns The connection, which the caller closes.
 * @throws The reason of the signal, or why it cannot be connected to.
 */
export function connectHost(
  address: HostPort,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  if (threadNaming === undefined || isIp(address.hostname)) {
    return connectUntil(address, signal, destinations());
  }
  return connectNamed(threadNaming, address, signal, undefined);
}

/**
 * Connects to a name: to each of its addresses in turn, until one answers.
 *
 * @param naming Knows the addresses.
 * @param address The name, and a port.
 * @param signal Gives it up.
 * @param timeout Milliseconds after which the signal is aborted: each address
 * gets its turn before that.
 * @param lookup The addresses, if they were looked up.
 * @param allowed Refuses some of them.
 * @returns The connection, which the caller closes.
 * @throws {NoSuchName} If the name does not exist.
 * @throws The reason of the signal, or why the last address that was tried
 * cannot be connected to.
 */
export async function connectNamed(
  { failed, names }: Naming,
  { hostname, port }: HostPort,
  signal: AbortSignal,
  timeout: number | undefined,
  lookup: readonly string[] | Promise<readonly string[]> = names.lookup(
    hostname,
  ),
  allowed: Destinations = destinations(),
): Promise<Deno.TcpConn> {
  const addresses = isPromise(lookup) ? await until(lookup, signal) : lookup;
  return await connectToAny({
    addresses: failed.order(addresses, port),
    port,
    connect: (hostname, signal) =>
      connectUntil({ hostname, port }, signal, allowed),
    close: (conn) => conn.close(),
    isFinal: (error) =>
      error instanceof Deno.errors.NotCapable || error instanceof RefusedRemote,
    failed,
    signal,
    timeout,
  });
}

/** Waits for a promise as long as somebody wants it. */
function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", stop));
  });
}
