/**
 * The stages after the decision: bytes flow both ways until both sides end.
 *
 * @module
 */
import { writeAll } from "../write_all.ts";
import { MEDIUM } from "./buffers.ts";
import { connect } from "./connect.ts";
import { type Connection, DRAIN_BYTES } from "./connection.ts";
import type { Close, Connect } from "./decision.ts";
import { askLast, reply } from "./preread.ts";
import type { Socket } from "./socket.ts";

/**
 * The remote's coroutine until there is one: connects, asks the hooks if that
 * fails, and hands over to the pump from the remote to the client.
 *
 * @param connection In the stage `connect`.
 * @param decision What the router, or a hook after a failure, has decided;
 * `undefined` if the connection has ended meanwhile.
 */
export async function serveRemote(
  connection: Connection,
  decision: Connect | Close | undefined,
): Promise<void> {
  connection.begin();
  try {
    let verdict = decision;
    while (verdict?.kind === "connect") {
      if (verdict.maxDuration !== undefined) {
        connection.clocks.limitDuration(
          connection.started + verdict.maxDuration,
        );
      }
      if (verdict.reply !== undefined) {
        connection.watchHalfClose();
        if (!await reply(connection, verdict.reply)) return;
        connection.clocks.stop();
      }
      const server = await connect(connection, verdict);
      if (server === undefined) return;
      if (!(server instanceof Error)) return join(connection, server, verdict);
      verdict = await askConnectError(
        connection,
        verdict,
        server,
        "connect-failed",
      );
    }
    if (verdict === undefined) return;
    if (verdict.data === undefined) return connection.end("router-close");
    connection.enter("drain");
    await lastWords(connection, verdict.data);
  } catch (error) {
    connection.fail(error);
  } finally {
    connection.leave();
  }
}

/** How often the hooks may name another remote for one client. */
const MAX_REROUTES = 100;

/** Starts what serves a connected remote. */
function join(connection: Connection, server: Socket, verdict: Connect): void {
  const { context: { log, options, statistics } } = connection;
  if (log.verbose) {
    log.debug(`${connection.peer} is connected to ${connection.remote}`);
  }
  connection.attach(server);
  statistics?.connected(connection);
  if (connection.clientEnded) {
    connection.watchHalfClose();
  } else if (verdict.inactivityTimeout !== undefined) {
    connection.clocks.start(verdict.inactivityTimeout);
  }
  connection.clocks.limitSilence(verdict.idleTimeout ?? options.idleTimeout);
  // at the same time, as a remote that answers while it is sent to must be read
  void replay(connection, server, verdict);
  void pumpDownstream(connection, server, verdict);
}

/** The remote has failed before it sent a byte: a hook may find another. */
async function recover(
  connection: Connection,
  verdict: Connect,
  failure: Error,
): Promise<void> {
  if (!connection.clientEnded) connection.held?.failed(failure);
  connection.detach();
  connection.clocks.stop();
  connection.clocks.limitSilence(0);
  if (connection.clientEnded) return connection.end("remote-reset");
  connection.context.statistics?.failed(
    connection.remote as string,
    connection.inactive ? "inactivity-timeout" : "remote-left",
  );
  connection.enter("connect");
  await serveRemote(
    connection,
    connection.inactive
      ? await askInactivityError(connection, verdict)
      : await askConnectError(connection, verdict, failure, "remote-left"),
  );
}

async function askConnectError(
  connection: Connection,
  verdict: Connect,
  error: Error,
  reason: "connect-failed" | "remote-left",
): Promise<Connect | Close | undefined> {
  const { log, router } = connection.context;
  const remote = lastRemote(connection, verdict);
  if (connection.clientEnded) {
    connection.end("client-left");
    return undefined;
  }
  if (reason === "remote-left") {
    log.error(
      `Connection with ${remote} was terminated prematurely: ${error.message} (client ${connection.peer})`,
    );
  }
  const answer = await askLast(
    connection,
    "connectError",
    () => router.connectError?.(remote, error, connection.info),
  );
  return next(connection, verdict, answer, reason);
}

async function askInactivityError(
  connection: Connection,
  verdict: Connect,
): Promise<Connect | Close | undefined> {
  const { log, router } = connection.context;
  const remote = lastRemote(connection, verdict);
  connection.inactive = false;
  log.error(
    `Disconnecting ${remote} as it must send a byte within inactivityTimeout: current value is ${
      (verdict.inactivityTimeout ?? 0) / 1000
    } seconds (client ${connection.peer})`,
  );
  const answer = await askLast(
    connection,
    "inactivityError",
    () => router.inactivityError?.(remote, connection.info),
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
  if (answer.route !== undefined) connection.decided(answer.route);
  if (answer.kind === "close") return answer;
  if (!connection.mayReroute) {
    connection.context.log.error(
      `Cannot try ${
        nameOf(answer)
      } as at most --max-preread bytes are kept to be sent again: ${connection.peer} has sent ${connection.extraLength} since the decision`,
    );
    connection.end(reason);
    return undefined;
  }
  const failed = connection.failed ??= [];
  if (failed.length === MAX_REROUTES) {
    connection.context.log.error(
      `Cannot try ${
        nameOf(answer)
      } as hooks may name another remote at most ${MAX_REROUTES} times for a client: ${connection.peer} is closed`,
    );
    connection.end(reason);
    return undefined;
  }
  failed.push(lastRemote(connection, before));
  return {
    ...answer,
    data: answer.data ?? before.data,
    connectTimeout: answer.connectTimeout ?? before.connectTimeout,
    inactivityTimeout: answer.inactivityTimeout ?? before.inactivityTimeout,
    idleTimeout: answer.idleTimeout ?? before.idleTimeout,
    maxDuration: answer.maxDuration ?? before.maxDuration,
  };
}

/** The remote that was tried last; the name of a pool that has none to try. */
function lastRemote({ remote }: Connection, { pool }: Connect): string {
  return remote ?? pool?.pool.name ?? "";
}

function nameOf({ targets, pool }: Connect): string {
  return pool === undefined
    ? targets.map(({ remote }) => remote).join(", ")
    : `the pool ${pool.pool.name}`;
}

/** Sends the remote what was read before it was joined, then joins it. */
async function replay(
  connection: Connection,
  server: Socket,
  verdict: Connect,
): Promise<void> {
  const read = verdict.data ??
    connection.buffer.subarray(0, connection.length);
  const { preamble } = connection;
  // in one write, as some remotes want all of the preamble from one read
  const first = preamble === undefined ? read : concat(preamble, read);
  const { extra } = connection;
  connection.begin();
  try {
    if (first.length > 0) {
      const written = await server.write(first);
      connection.replayed += written;
      if (written < first.length) {
        await replayAll(connection, server, first.subarray(written));
      }
    }
    // what is recorded meanwhile is appended to the same array, and sent, too
    if (extra !== undefined) {
      for (const bytes of extra) await replayAll(connection, server, bytes);
    }
  } catch {
    // what the remote sent before it reset the connection may still be read
    if (connection.server === server) connection.serverBroken = true;
  }
  if (connection.server === server && connection.stage === "connect") {
    connection.joins++;
    if (connection.extra === undefined) connection.releasePreread();
    connection.enter("joined");
  }
  connection.leave();
}

function concat(start: Uint8Array, end: Uint8Array): Uint8Array {
  const both = new Uint8Array(start.length + end.length);
  both.set(start);
  both.set(end, start.length);
  return both;
}

/** Writes bytes, and counts them: each is progress if the client has ended. */
async function replayAll(
  connection: Connection,
  server: Socket,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const count = await server.write(at === 0 ? bytes : bytes.subarray(at));
    connection.replayed += count;
    at += count;
  }
}

/** Pumps from the remote to the client until the remote ends. */
async function pumpDownstream(
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
      if (count === 0) return serverEnded(connection, verdict);
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
  connection.held?.answered();
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
  void endClient(connection);
}

function serverEnded(connection: Connection, verdict: Connect): void {
  if (connection.isClosed()) return;
  if (!connection.answered && !connection.clientEnded) {
    const failure = new Deno.errors.UnexpectedEof(
      "closed before it sent a byte",
    );
    return connection.follow(recover(connection, verdict, failure));
  }
  connection.serverEnded = true;
  if (connection.clientEnded) {
    // with TCP, to close is to end; TLS has a word for it
    if (connection.info.tls === undefined || connection.serverBroken) return;
    return connection.follow(endClient(connection));
  }
  if (connection.serverBroken) {
    // the write has got the error, so the read got EOF
    connection.endReason ??= "remote-reset";
    connection.enter("drain");
  }
  void endClient(connection);
}

/** Forwards an EOF to the client; the other pump waits for the client's own. */
async function endClient(connection: Connection): Promise<void> {
  connection.begin();
  if (connection.stage === "drain") connection.watchDrain();
  else connection.watchHalfClose();
  try {
    await connection.client.shutdown();
  } catch {
    connection.end("client-reset");
  }
  connection.wake();
  connection.leave();
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
    if (first !== undefined) {
      if (first.length === 0) return await clientEnded(connection);
      connection.received += first.length;
      await deliver(connection, first);
    }
    while (!connection.isClosed()) {
      let count;
      try {
        count = await client.read(buffer);
      } catch {
        return connection.end("client-reset");
      }
      if (count === 0) return await clientEnded(connection);
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
  } catch (error) {
    connection.fail(error);
  } finally {
    buffers.release(buffer);
    connection.leave();
  }
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

/** The client has ended its side: tells the remote, once there is one. */
async function clientEnded(connection: Connection): Promise<void> {
  connection.clientEnded = true;
  if (connection.stage === "connect" && connection.server !== undefined) {
    connection.watchHalfClose(); // the remote may never read the replay
  }
  while (connection.stage === "connect") await connection.waitForStage();
  if (connection.stage !== "joined" || connection.serverEnded) return;
  connection.watchHalfClose();
  if (connection.serverBroken) return;
  try {
    await connection.server?.shutdown();
  } catch {
    connection.serverBroken = true;
  }
}

function filled(buffer: Uint8Array, count: number): Uint8Array {
  return count === buffer.length ? buffer : buffer.subarray(0, count);
}
