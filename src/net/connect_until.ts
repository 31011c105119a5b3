/**
 * Connecting with a signal that can give it up.
 *
 * @module
 */
import type { HostPort } from "./address.ts";

/**
 * Connects by TCP, unless that is given up before.
 *
 * @param signal Gives it up; made for this one connection, or by
 * `AbortSignal.any`, as it is changed.
 * @returns The connection, which the caller closes. The signal may have been
 * aborted since it was made: look at it.
 * @throws The reason of the signal, or why it cannot be connected to.
 */
export async function connectUntil(
  address: HostPort,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  // Deno 2.9 asks it when the connection is made, and forgets the connection,
  // which stays open, if it was aborted a moment before
  Object.defineProperty(signal, "throwIfAborted", { value: () => {} });
  try {
    return await Deno.connect({ ...address, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
