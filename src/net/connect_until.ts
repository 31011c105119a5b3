/**
 * Connecting with a signal that can give it up.
 *
 * @module
 */
import type { HostPort } from "./address.ts";
import type { Destinations } from "./destinations.ts";

/**
 * Connects by TCP, unless that is given up before.
 *
 * @param signal Gives it up; made for this one connection, or by
 * `AbortSignal.any`, as it is changed.
 * @param destinations Refuses some addresses.
 * @returns The connection, which the caller closes. The signal may have been
 * aborted since it was made: look at it.
 * @throws The reason of the signal, or why it cannot be connected to.
 */
export async function connectUntil(
  address: HostPort,
  signal: AbortSignal,
  destinations?: Destinations,
): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  destinations?.check(address);
  // Deno 2.9 asks it when the connection is made, and forgets the connection,
  // which stays open, if it was aborted a moment before
  Object.defineProperty(signal, "throwIfAborted", { value: () => {} });
  let conn;
  try {
    conn = await Deno.connect({ ...address, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  destinations?.checkConnected(conn);
  return conn;
}
