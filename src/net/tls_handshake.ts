/**
 * TLS handshakes with servers, which may never answer.
 *
 * @module
 */
import { formatAddress } from "./address.ts";

/** How many handshakes a server may leave unanswered before no more are begun. */
const MAX_UNANSWERED = 64;

/**
 * Handshakes that were given up, by the address of the server. The runtime keeps
 * the descriptor of one until the server answers or closes the connection, so a
 * server that hangs must not use up all descriptors.
 */
const unanswered = new Map<string, number>();

/** A server has left so many handshakes unanswered that no more are begun. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

/**
 * Performs a TLS handshake as the client, until the signal gives it up.
 *
 * @param conn A connected socket, which is closed if the handshake fails.
 * @param most How many handshakes the server may leave unanswered.
 * @returns The connection, which the caller closes.
 * @throws {UnansweredError} If the server has left so many unanswered.
 * @throws The reason of the signal, or why the handshake has failed.
 */
export async function shakeHands(
  conn: Deno.TcpConn,
  options: Deno.StartTlsOptions,
  signal: AbortSignal,
  most: number = MAX_UNANSWERED,
): Promise<Deno.TlsConn> {
  const address = formatAddress(conn.remoteAddr as Deno.NetAddr);
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  givenUp.catch(() => {}); // it may reject when nothing waits for it
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  let secured: Deno.TlsConn | undefined;
  let handshake: Promise<unknown> | undefined;
  try {
    signal.throwIfAborted();
    const waiting = unanswered.get(address) ?? 0;
    if (waiting >= most) {
      throw new UnansweredError(
        `${waiting} others with ${address} are not answered yet`,
      );
    }
    secured = await Deno.startTls(conn, options);
    handshake = secured.handshake();
    await Promise.race([handshake, givenUp]);
    return secured;
  } catch (error) {
    const open = secured ?? conn;
    if (signal.aborted && handshake !== undefined) {
      closeLater(open, address, handshake);
    } else {
      open[Symbol.dispose]();
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/**
 * Closes a connection when its handshake has an end: before that, the runtime
 * would keep the descriptor open after `close`.
 */
function closeLater(
  conn: Deno.Conn,
  address: string,
  handshake: Promise<unknown>,
): void {
  unanswered.set(address, (unanswered.get(address) ?? 0) + 1);
  const settled = () => {
    conn[Symbol.dispose]();
    const left = (unanswered.get(address) ?? 1) - 1;
    if (left === 0) unanswered.delete(address);
    else unanswered.set(address, left);
  };
  handshake.then(settled, settled);
}
