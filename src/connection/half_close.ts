/**
 * What happens when one side has ended: the other side is told by a half-close,
 * and goes on until its own end.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/** Milliseconds that a client may take, in all, to end after the last bytes. */
const DRAIN_TIME = 30_000;

/** Milliseconds that it may pause meanwhile. */
const DRAIN_PAUSE = 5_000;

/**
 * Notes that the remote has ended its side.
 *
 * @returns Whether the side of the client is to be ended.
 */
export function remoteEnded(connection: Connection): boolean {
  if (connection.isClosed()) return false;
  connection.serverEnded = true;
  if (connection.clientEnded) {
    // with TCP, the close that follows says the same; TLS needs a close_notify
    return connection.info.tls !== undefined && !connection.serverBroken;
  }
  if (connection.serverBroken) {
    // the write has got the error, so the read got EOF
    connection.endReason ??= "remote-reset";
    connection.enter("drain");
  }
  return true;
}

/** Ends the side of the client; the other pump waits for the client's own end. */
export async function endClient(connection: Connection): Promise<void> {
  watchEnd(connection);
  try {
    await connection.client.shutdown();
  } catch {
    connection.end("client-reset");
  }
  connection.wake();
}

/** Starts the clock of a client that has been told that nothing more comes. */
export function watchEnd(connection: Connection): void {
  if (connection.stage !== "drain") return connection.watchHalfClose();
  // what the client still sends is dropped
  connection.clocks.watch(DRAIN_PAUSE, performance.now() + DRAIN_TIME);
}

/** The client has ended its side, of which a remote is told as soon as there is one. */
export async function untilJoined(connection: Connection): Promise<void> {
  // the remote may never read the replay
  if (connection.server !== undefined) connection.watchHalfClose();
  while (connection.stage === "connect") await connection.waitForStage();
}
