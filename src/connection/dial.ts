/**
 * One try to connect to a remote.
 *
 * @module
 */
import { formatAddress, type HostPort } from "./address.ts";
import type { Connection } from "./connection.ts";
import type { Connect } from "./decision.ts";
import { proxyHeader } from "./proxy_header.ts";
import { type Socket, takeSocket } from "./socket.ts";
import type { Target } from "./target.ts";

/**
 * Connects to a remote once. If the remote is to get a PROXY header, that is
 * left in `connection.preamble`, so that it is sent together with the first
 * bytes of the client.
 *
 * @param connection Aborts the try when it ends, if the try has a time limit.
 * @param target The remote.
 * @param verdict Says how long the try may take.
 * @returns The connected socket, which the caller closes.
 * @throws {Error} If it cannot be connected to.
 */
export async function dial(
  connection: Connection,
  { address }: Target,
  { connectTimeout, proxyProtocol }: Connect,
): Promise<Socket> {
  const { remoteAddr, localAddr } = connection.info;
  connection.preamble = proxyProtocol === undefined
    ? undefined // nor that of a remote which was tried before
    : proxyHeader(proxyProtocol, remoteAddr, localAddr);
  if ("path" in address) {
    // it is there or it is not: nothing that a time limit would be for
    const { path } = address;
    return takeSocket(await Deno.connect({ transport: "unix", path }));
  }
  // a try that may take as long as it likes needs no timer, and no signal
  return takeSocket(
    connectTimeout === undefined
      ? await Deno.connect(address)
      : await connectInTime(connection, address, connectTimeout),
  );
}

async function connectInTime(
  connection: Connection,
  { hostname, port }: HostPort,
  milliseconds: number,
): Promise<Deno.TcpConn> {
  const controller = connection.connecting = new AbortController();
  const timer = setTimeout(
    () => controller.abort(timedOut({ hostname, port }, milliseconds)),
    milliseconds,
  );
  try {
    return await Deno.connect({ hostname, port, signal: controller.signal });
  } finally {
    clearTimeout(timer);
    connection.connecting = undefined;
  }
}

function timedOut(address: HostPort, milliseconds: number): Error {
  return new Deno.errors.TimedOut(
    `${formatAddress(address)} did not answer within ${
      milliseconds / 1000
    } seconds`,
  );
}
