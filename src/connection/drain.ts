/**
 * The last bytes for a client, and the lingering close behind them: a socket
 * that is closed with unread input resets the connection, which can destroy what
 * was sent on its way. So only the proxy's side is closed, and what the client
 * still sends is read and dropped until it ends its side, too.
 *
 * @module
 */
import type { Close } from "../decision/decision.ts";
import { MEDIUM } from "./buffers.ts";
import type { Connection } from "./connection.ts";
import { endClient } from "./half_close.ts";

/** Bytes that are dropped, at most. */
const MAX_DROPPED = 64 * 1024 * 1024;

/** Closes a connection as the router has said, perhaps with last bytes. */
export function close(connection: Connection, { data }: Close): void {
  if (data === undefined || data.length === 0) {
    return connection.end("router-close");
  }
  connection.enter("drain");
  connection.follow(sendAndDrain(connection, data));
}

/** The client's own coroutine drops meanwhile what it sends. */
async function sendAndDrain(
  connection: Connection,
  bytes: Uint8Array,
): Promise<void> {
  connection.endReason ??= "router-close";
  connection.extra = undefined;
  connection.watchHalfClose();
  for (let at = 0; at < bytes.length; at += MEDIUM) {
    if (!await connection.reply(bytes.subarray(at, at + MEDIUM))) return;
  }
  if (connection.clientEnded && connection.info.tls === undefined) {
    return connection.end("router-close");
  }
  await endClient(connection);
}

/** Drops a chunk of the client; too many of them end the connection. */
export function discard(connection: Connection, chunk: Uint8Array): void {
  connection.discarded += chunk.length;
  if (connection.discarded > MAX_DROPPED) connection.end("client-stalled");
}
