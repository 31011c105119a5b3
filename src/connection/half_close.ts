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

/** The remote takes no more bytes; what it has sent before may still be read. */
export function remoteBroke(connection: Connection): void {
  connection.serverBroken = true;
  connection.isForwarding = false;
  if (connection.endedAt !== undefined) remoteLeft(connection);
}

/** The client has ended, too: tells whether the remote has taken all of it. */
export async function bothEnded(connection: Connection): Promise<void> {
  const { endedAt, forwarded, server } = connection;
  if (endedAt === undefined) return;
  // nothing shows that it has read on
  if (endedAt === forwarded) return remoteLeft(connection);
  try {
    await server?.shutdown();
  } catch {
    remoteBroke(connection);
  }
}

/**
 * A remote that had ended its side before its first byte is gone, and not only
 * half-closed.
 */
function remoteLeft(connection: Connection): void {
  if (connection.isClosed()) return;
  const { context: { log, statistics }, remote = "" } = connection;
  const error = new Deno.errors.UnexpectedEof("closed before it sent a byte");
  if (!connection.clientEnded) connection.lease?.failed(error);
  statistics?.failed(remote, "remote-left");
  log.error(
    "Connection with {remote} was terminated prematurely: {error} (client {client})",
    { remote, error: error.message, ...connection.who },
  );
  if (connection.sent === 0 || connection.clientEnded) {
    return connection.end("remote-left");
  }
  // closing now could destroy the reply of the decision
  connection.endReason ??= "remote-left";
  connection.enter("drain");
  watchEnd(connection);
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
