/**
 * The stages after the decision: bytes flow both ways until both sides end.
 *
 * @module
 */
import type { Socket } from "../net/socket.ts";
import type { Connection } from "./connection.ts";
import { discard } from "./drain.ts";
import { forward } from "./replay.ts";
import {
  bothEnded,
  endClient,
  remoteBroke,
  remoteEnded,
  untilJoined,
  watchEnd,
} from "./half_close.ts";

/**
 * Pumps from the remote to the client until the remote ends, of which the client
 * is told.
 *
 * @param server The remote; it will stay, whatever the hooks say.
 * @param buffer Lent by `buffers`, which gets it back.
 * @param count How many bytes of the remote are in it; 0 if it has ended.
 */
export async function pumpDownstream(
  connection: Connection,
  server: Socket,
  buffer: Uint8Array,
  count: number,
): Promise<void> {
  connection.begin();
  const { client, context: { buffers } } = connection;
  try {
    while (count > 0) {
      try {
        connection.isSending = true;
        let written = await client.write(filled(buffer, count));
        connection.sent += written;
        while (written < count) {
          const more = await client.write(buffer.subarray(written, count));
          connection.sent += more;
          written += more;
        }
        connection.isSending = false;
      } catch {
        return connection.end("client-reset");
      }
      buffer = buffers.fit(buffer, count);
      try {
        count = await server.read(buffer);
      } catch {
        return remoteFailed(connection);
      }
    }
    if (!remoteEnded(connection)) return;
    // what endClient() does, without a promise of its own
    watchEnd(connection);
    try {
      await client.shutdown();
    } catch {
      connection.end("client-reset");
    }
    connection.wake();
  } catch (error) {
    connection.fail(error);
  } finally {
    buffers.release(buffer);
    connection.leave();
  }
}

function remoteFailed(connection: Connection): void {
  if (connection.isClosed()) return;
  connection.endReason ??= "remote-reset";
  if (!connection.serverBroken) return connection.end("remote-reset");
  // the client is still sending: closing now could destroy what it was sent
  connection.enter("drain");
  connection.follow(endClient(connection));
}

/**
 * The client's coroutine after the decision: pumps from the client to the
 * remote until the client ends.
 *
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
          connection.isForwarding = true;
          let written = await server.write(chunk);
          connection.forwarded += written;
          while (written < count) {
            const more = await server.write(chunk.subarray(written));
            connection.forwarded += more;
            written += more;
          }
          connection.isForwarding = false;
        } catch {
          // the other pump will read what the remote has sent before
          remoteBroke(connection);
        }
      } else {
        await deliver(connection, chunk);
      }
      buffer = buffers.fit(buffer, count);
    }
    if (!ended) return;
    connection.clientEnded = true;
    await endRemote(connection);
  } catch (error) {
    connection.fail(error);
  } finally {
    buffers.release(buffer);
    connection.leave();
  }
}

/** Ends the side of the remote, and of another one that a hook may name. */
async function endRemote(connection: Connection): Promise<void> {
  for (;;) {
    if (connection.stage === "connect") await untilJoined(connection);
    if (connection.stage !== "joined") return;
    if (connection.serverEnded) return await bothEnded(connection);
    connection.watchHalfClose();
    if (!connection.serverBroken) {
      try {
        await connection.server?.shutdown();
      } catch {
        connection.serverBroken = true;
      }
    }
    const { joins } = connection;
    while (connection.mayReroute && connection.joins === joins) {
      if (connection.isClosed()) return;
      await connection.waitForStage();
    }
    if (connection.joins === joins) return;
  }
}

/** Tells whether a chunk only has to be written to the remote. */
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
      return await forward(connection, connection.server as Socket, chunk);
    } catch {
      // the other pump will read what the remote has sent before
      remoteBroke(connection);
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

function filled(buffer: Uint8Array, count: number): Uint8Array {
  return count === buffer.length ? buffer : buffer.subarray(0, count);
}
