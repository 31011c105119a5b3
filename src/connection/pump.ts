/**
 * The stages after the decision: bytes flow both ways until both sides end.
 *
 * @module
 */
import {
  type Connection,
  DRAIN_BYTES,
  setSocketOptions,
  writeAll,
} from "./connection.ts";
import { connect } from "./connect.ts";
import type { Close, Connect } from "./decision.ts";
import { MEDIUM } from "./buffers.ts";
import { askLast, reply } from "./preread.ts";

/**
 * The remote's coroutine: connects, replays what was read, and pumps from the
 * remote to the client; asks the hooks, and goes on with what they decide, as
 * long as the remote has not sent a byte.
 *
 * @param connection In the stage `connect`.
 * @param decision What the router has decided.
 */
export async function serveRemote(
  connection: Connection,
  decision: Connect,
): Promise<void> {
  const { router } = connection.context;
  if (
    router.connectError !== undefined || router.inactivityError !== undefined
  ) {
    connection.extra = [];
  }
  let verdict: Connect | Close = decision;
  while (verdict.kind === "connect") {
    const next: Connect | Close | undefined = await tryRemote(
      connection,
      verdict,
    );
    if (next === undefined) return;
    verdict = next;
  }
  if (verdict.data === undefined) return connection.end("router-close");
  connection.enter("drain");
  return lastWords(connection, verdict.data);
}

/** Serves one remote; returns what a hook has decided if it was of no use. */
async function tryRemote(
  connection: Connection,
  verdict: Connect,
): Promise<Connect | Close | undefined> {
  connection.remote = verdict.remote;
  if (verdict.reply !== undefined && !await reply(connection, verdict.reply)) {
    return undefined;
  }
  const server = await connect(connection, verdict);
  if (server === undefined) return undefined;
  if (server instanceof Error) {
    return askConnectError(connection, verdict, server, "connect-failed");
  }
  setSocketOptions(server);
  connection.attach(server);
  if (verdict.inactivityTimeout !== undefined) {
    connection.context.deadlines.set(connection, verdict.inactivityTimeout);
  }
  // not awaited: a remote that answers while it is sent to must be read
  const replayed = replay(connection, server, verdict);
  const failure = await pumpDownstream(connection, server);
  await replayed;
  if (failure === undefined || connection.isClosed()) return undefined;
  connection.detach();
  if (connection.clientEnded) {
    connection.end("client-left");
    return undefined;
  }
  connection.enter("connect");
  return connection.inactive
    ? askInactivityError(connection, verdict)
    : askConnectError(connection, verdict, failure, "remote-left");
}

async function askConnectError(
  connection: Connection,
  verdict: Connect,
  error: Error,
  reason: "connect-failed" | "remote-left",
): Promise<Connect | Close | undefined> {
  const { log, router } = connection.context;
  if (connection.clientEnded) {
    connection.end("client-left");
    return undefined;
  }
  if (reason === "remote-left") {
    log.error(
      `Connection with ${verdict.remote} was terminated prematurely: ${error.message} (client ${connection.peer})`,
    );
  }
  const answer = await askLast(
    connection,
    "connectError",
    () => router.connectError?.(verdict.remote, error, connection.info),
  );
  return next(connection, verdict, answer, reason);
}

async function askInactivityError(
  connection: Connection,
  verdict: Connect,
): Promise<Connect | Close | undefined> {
  const { log, router } = connection.context;
  connection.inactive = false;
  log.error(
    `Disconnecting ${verdict.remote} as it must send a byte within inactivityTimeout: current value is ${
      (verdict.inactivityTimeout ?? 0) / 1000
    } seconds (client ${connection.peer})`,
  );
  const answer = await askLast(
    connection,
    "inactivityError",
    () => router.inactivityError?.(verdict.remote, connection.info),
  );
  return next(connection, verdict, answer, "inactivity-timeout");
}

/** Completes another remote with what the decision before has said. */
function next(
  connection: Connection,
  before: Connect,
  answer: Connect | Close | undefined,
  reason: "connect-failed" | "remote-left" | "inactivity-timeout",
): Connect | Close | undefined {
  if (answer === undefined) {
    connection.end(reason);
    return undefined;
  }
  if (answer.kind === "close") return answer;
  if (!connection.mayReroute) {
    connection.context.log.error(
      `Cannot try ${answer.remote} as at most --max-preread bytes are kept to be sent again: ${connection.peer} has sent ${connection.extraLength} since the decision`,
    );
    connection.end(reason);
    return undefined;
  }
  return {
    ...answer,
    data: answer.data ?? before.data,
    connectTimeout: answer.connectTimeout ?? before.connectTimeout,
    inactivityTimeout: answer.inactivityTimeout ?? before.inactivityTimeout,
  };
}

/** Sends the remote what was read before it was joined, then joins it. */
async function replay(
  connection: Connection,
  server: Deno.TcpConn,
  verdict: Connect,
): Promise<void> {
  const first = verdict.data ??
    connection.buffer.subarray(0, connection.length);
  const extra = connection.extra ?? [];
  try {
    if (first.length > 0) await writeAll(server, first);
    // what is recorded meanwhile is appended to the same array, and sent, too
    for (const bytes of extra) await writeAll(server, bytes);
  } catch {
    // what the remote sent before it reset the connection may still be read
    connection.serverBroken = true;
  }
  if (connection.server !== server || connection.stage !== "connect") return;
  connection.joins++;
  if (connection.extra === undefined) connection.releasePreread();
  connection.enter("joined");
}

/**
 * Pumps from the remote to the client until the remote ends.
 *
 * @returns The error if the remote has failed before it sent a byte.
 */
async function pumpDownstream(
  connection: Connection,
  server: Deno.TcpConn,
): Promise<Error | undefined> {
  const { client, context: { buffers } } = connection;
  let buffer = buffers.small();
  try {
    for (;;) {
      let count;
      try {
        count = await server.read(buffer);
      } catch (error) {
        return await serverFailed(connection, error);
      }
      if (count === null) return await serverEnded(connection);
      if (!connection.answered) answered(connection);
      try {
        await writeAll(client, filled(buffer, count));
      } catch {
        connection.end("client-reset");
        return undefined;
      }
      connection.sent += count;
      buffer = buffers.fit(buffer, count);
    }
  } finally {
    buffers.release(buffer);
  }
}

/** The first byte has come: the remote will stay. */
function answered(connection: Connection): void {
  connection.answered = true;
  if (!connection.clientEnded) connection.context.deadlines.clear(connection);
  if (connection.extra === undefined) return;
  connection.extra = undefined;
  // in the stage "connect" the replay is under way, and releases them itself
  if (connection.stage === "joined") connection.releasePreread();
  connection.wake();
}

function serverFailed(
  connection: Connection,
  error: unknown,
): Error | Promise<undefined> | undefined {
  if (connection.isClosed()) return undefined;
  if (!connection.answered) {
    return error instanceof Error ? error : new Error(String(error));
  }
  connection.endReason ??= "remote-reset";
  if (connection.serverBroken) {
    // the client is still sending: closing now could destroy the answer
    connection.enter("drain");
    return endClient(connection);
  }
  connection.end("remote-reset");
  return undefined;
}

function serverEnded(
  connection: Connection,
): Error | Promise<undefined> | undefined {
  if (connection.isClosed()) return undefined;
  if (!connection.answered && !connection.clientEnded) {
    return new Deno.errors.UnexpectedEof("closed before it sent a byte");
  }
  connection.serverEnded = true;
  if (connection.clientEnded) return undefined;
  if (connection.serverBroken) connection.enter("drain");
  return endClient(connection);
}

/** Forwards an EOF to the client, and waits for the client's own. */
async function endClient(connection: Connection): Promise<undefined> {
  if (connection.stage === "drain") connection.watchDrain();
  else connection.watchHalfClose();
  try {
    await connection.client.closeWrite();
  } catch {
    connection.end("client-reset");
  }
  connection.wake();
}

/**
 * Sends the client its last bytes, and lets it read them: closes its side only,
 * and drops what it still sends until it ends, or takes too long.
 *
 * @param connection In the stage `drain`.
 * @param bytes The last bytes.
 */
export async function lastWords(
  connection: Connection,
  bytes: Uint8Array,
): Promise<void> {
  connection.endReason ??= "router-close";
  connection.watchHalfClose();
  for (let at = 0; at < bytes.length; at += MEDIUM) {
    if (!await reply(connection, bytes.subarray(at, at + MEDIUM))) return;
  }
  if (connection.clientEnded) return connection.end("router-close");
  await endClient(connection);
}

/**
 * The client's coroutine after the decision: pumps from the client to the
 * remote until the client ends.
 *
 * @param connection Its stage is not `preread`.
 * @param chunk Where a read has put its bytes that was pending at the decision.
 * @param chunkCount What that read has returned.
 */
export async function pumpUpstream(
  connection: Connection,
  chunk?: Uint8Array,
  chunkCount?: number | null,
): Promise<void> {
  if (connection.isClosed()) return;
  const { client, context: { buffers } } = connection;
  if (chunk !== undefined && chunkCount !== undefined) {
    if (chunkCount === null) return await clientEnded(connection);
    await deliver(connection, chunk.subarray(0, chunkCount));
  }
  let buffer = buffers.small();
  try {
    while (!connection.isClosed()) {
      let count;
      try {
        count = await client.read(buffer);
      } catch {
        return connection.end("client-reset");
      }
      if (count === null) return await clientEnded(connection);
      await deliver(connection, filled(buffer, count));
      buffer = buffers.fit(buffer, count);
    }
  } finally {
    buffers.release(buffer);
  }
}

/** Takes one chunk of the client to where the stage says. */
async function deliver(
  connection: Connection,
  chunk: Uint8Array,
): Promise<void> {
  connection.received += chunk.length;
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
      return await writeAll(connection.server as Deno.TcpConn, chunk);
    } catch {
      // the other coroutine will read what the remote has sent before
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

/** The client has ended its side: tells the remote, once there is one. */
async function clientEnded(connection: Connection): Promise<void> {
  connection.clientEnded = true;
  while (connection.stage === "connect") await connection.waitForStage();
  if (connection.stage !== "joined" || connection.serverEnded) return;
  connection.watchHalfClose();
  if (connection.serverBroken) return;
  try {
    await connection.server?.closeWrite();
  } catch {
    connection.serverBroken = true;
  }
}

function filled(buffer: Uint8Array, count: number): Uint8Array {
  return count === buffer.length ? buffer : buffer.subarray(0, count);
}
