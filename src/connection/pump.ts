/**
 * The stages after the decision: bytes flow both ways until both sides end.
 *
 * @module
 */
import { writeAll } from "../lib/write_all.ts";
import { MEDIUM } from "./buffers.ts";
import { type Connection, DRAIN_BYTES } from "./connection.ts";
import type { Connect } from "../decision/decision.ts";
import { reply } from "./preread.ts";
import { recover } from "./reroute.ts";
import type { Socket } from "../net/socket.ts";

/**
 * Pumps from the remote to the client until the remote ends, of which the client
 * is told.
 *
 * @param connection Has the remote.
 * @param server The remote.
 * @param verdict What has named it.
 */
export async function pumpDownstream(
  connection: Connection,
  server: Socket,
  verdict: Connect,
): Promise<void> {
  connection.begin();
  const { client, context: { buffers } } = connection;
  let buffer = buffers.small();
  try {
    for (;;) {
      let count;
      try {
        count = await server.read(buffer);
      } catch (error) {
        return serverFailed(connection, verdict, error);
      }
      if (count === 0) {
        if (!serverEnded(connection, verdict)) return;
        // what endClient() does, without a promise of its own
        watchEnd(connection);
        try {
          await client.shutdown();
        } catch {
          connection.end("client-reset");
        }
        return connection.wake();
      }
      if (!connection.answered) answered(connection);
      try {
        let written = await client.write(filled(buffer, count));
        while (written < count) {
          written += await client.write(buffer.subarray(written, count));
        }
      } catch {
        return connection.end("client-reset");
      }
      connection.sent += count;
      buffer = buffers.fit(buffer, count);
    }
  } catch (error) {
    connection.fail(error);
  } finally {
    buffers.release(buffer);
    connection.leave();
  }
}

/** The first byte has come: the remote will stay. */
function answered(connection: Connection): void {
  connection.answered = true;
  connection.lease?.answered();
  if (!connection.clientEnded) connection.clocks.stop();
  if (connection.extra === undefined) return;
  connection.extra = undefined;
  // in the stage "connect" the replay is under way, and releases them itself
  if (connection.stage === "joined") connection.releasePreread();
  connection.wake();
}

function serverFailed(
  connection: Connection,
  verdict: Connect,
  error: unknown,
): void {
  if (connection.isClosed()) return;
  if (!connection.answered) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return connection.follow(recover(connection, verdict, failure));
  }
  connection.endReason ??= "remote-reset";
  if (!connection.serverBroken) return connection.end("remote-reset");
  // the client is still sending: closing now could destroy the answer
  connection.enter("drain");
  connection.follow(endClient(connection));
}

/** Notes that the remote has ended; returns whether to end the client's side. */
function serverEnded(connection: Connection, verdict: Connect): boolean {
  if (connection.isClosed()) return false;
  if (!connection.answered && !connection.clientEnded) {
    const failure = new Deno.errors.UnexpectedEof(
      "closed before it sent a byte",
    );
    connection.follow(recover(connection, verdict, failure));
    return false;
  }
  connection.serverEnded = true;
  if (connection.clientEnded) {
    // with TCP, to close is to end; TLS has a word for it
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
async function endClient(connection: Connection): Promise<void> {
  watchEnd(connection);
  try {
    await connection.client.shutdown();
  } catch {
    connection.end("client-reset");
  }
  connection.wake();
}

/** Starts the clock of a client that has been told that nothing more comes. */
function watchEnd(connection: Connection): void {
  if (connection.stage === "drain") connection.watchDrain();
  else connection.watchHalfClose();
}

/**
 * Sends the client its last bytes, and lets it read them: closes its side only,
 * and drops what it still sends until it ends, or takes too long.
 *
 * @param connection In the stage `drain`.
 * @param bytes The last bytes.
 */
export async function sendAndDrain(
  connection: Connection,
  bytes: Uint8Array,
): Promise<void> {
  connection.endReason ??= "router-close";
  connection.extra = undefined;
  connection.watchHalfClose();
  for (let at = 0; at < bytes.length; at += MEDIUM) {
    if (!await reply(connection, bytes.subarray(at, at + MEDIUM))) return;
  }
  if (connection.clientEnded && connection.info.tls === undefined) {
    return connection.end("router-close");
  }
  await endClient(connection);
}

/**
 * The client's coroutine after the decision: pumps from the client to the
 * remote until the client ends.
 *
 * @param connection Its stage is not `preread`.
 * @param first What a read has brought that was pending at the decision; empty
 * if it was EOF.
 */
export async function pumpUpstream(
  connection: Connection,
  first?: Uint8Array,
): Promise<void> {
  connection.begin();
  const { client, context: { buffers } } = connection;
  let buffer = buffers.small();
  try {
    let ended = false;
    if (first !== undefined) {
      ended = first.length === 0;
      connection.received += first.length;
      if (!ended) await deliver(connection, first);
    }
    while (!ended && !connection.isClosed()) {
      let count;
      try {
        count = await client.read(buffer);
      } catch {
        return connection.end("client-reset");
      }
      if (count === 0) {
        ended = true;
        break;
      }
      connection.received += count;
      const chunk = filled(buffer, count);
      if (isPlain(connection)) {
        const server = connection.server as Socket;
        try {
          let written = await server.write(chunk);
          while (written < count) {
            written += await server.write(chunk.subarray(written));
          }
        } catch {
          // the other pump will read what the remote has sent before
          connection.serverBroken = true;
        }
      } else {
        await deliver(connection, chunk);
      }
      buffer = buffers.fit(buffer, count);
    }
    if (!ended) return;
    connection.clientEnded = true;
    if (connection.stage === "connect") await untilJoined(connection);
    if (connection.stage !== "joined" || connection.serverEnded) return;
    connection.watchHalfClose();
    if (connection.serverBroken) return;
    try {
      await connection.server?.shutdown();
    } catch {
      connection.serverBroken = true;
    }
  } catch (error) {
    connection.fail(error);
  } finally {
    buffers.release(buffer);
    connection.leave();
  }
}

/** The client has ended its side, of which a remote is told as soon as there is one. */
async function untilJoined(connection: Connection): Promise<void> {
  // the remote may never read the replay
  if (connection.server !== undefined) connection.watchHalfClose();
  while (connection.stage === "connect") await connection.waitForStage();
}

/** Tells whether a chunk can go to the remote without further ado. */
function isPlain(connection: Connection): boolean {
  return connection.stage === "joined" && connection.extra === undefined &&
    !connection.serverBroken;
}

/** Takes one chunk of the client to where the stage says. */
async function deliver(
  connection: Connection,
  chunk: Uint8Array,
): Promise<void> {
  const { joins } = connection;
  const recorded = record(connection, chunk);
  for (;;) {
    while (connection.stage === "connect") await connection.waitForStage();
    if (connection.isClosed()) return;
    if (recorded && connection.joins > joins) return; // the replay has sent it
    if (connection.stage === "drain") return discard(connection, chunk);
    if (connection.serverBroken) {
      if (connection.extra === undefined) return discard(connection, chunk);
      await connection.waitForStage(); // a hook may find another remote
      continue;
    }
    try {
      return await writeAll(connection.server as Socket, chunk);
    } catch {
      // the other pump will read what the remote has sent before
      connection.serverBroken = true;
    }
  }
}

/** Keeps a copy of a chunk for another remote; tells whether it did. */
function record(connection: Connection, chunk: Uint8Array): boolean {
  const { extra, context: { options } } = connection;
  if (extra === undefined) return false;
  connection.extraLength += chunk.length;
  if (
    connection.extraLength > options.maxPreread && connection.stage === "joined"
  ) {
    connection.releasePreread();
    return false;
  }
  extra.push(chunk.slice());
  return true;
}

/** Drops a chunk; too many of them end the connection. */
function discard(connection: Connection, chunk: Uint8Array): void {
  connection.discarded += chunk.length;
  if (connection.discarded > DRAIN_BYTES) connection.end("client-stalled");
}

function filled(buffer: Uint8Array, count: number): Uint8Array {
  return count === buffer.length ? buffer : buffer.subarray(0, count);
}
