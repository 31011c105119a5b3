/**
 * From the decision until the remote has sent its first byte: connecting to it,
 * sending it what was read before, and waiting for its answer. As long as there
 * is none, another remote may be tried, for which the hooks are asked.
 *
 * @module
 */
import type { Close, Connect } from "../decision/decision.ts";
import { type Candidates, RemoteList } from "../net/candidates.ts";
import type { Socket } from "../net/socket.ts";
import type { Connection } from "./connection.ts";
import { dialNext, noneLeft, take } from "./dial.ts";
import { close } from "./drain.ts";
import { pumpDownstream } from "./pump.ts";
import { firstBytes, firstFailed, firstSent } from "./replay.ts";
import { connectFailed, remoteFailed } from "./reroute.ts";
import { pause, retry } from "./retry.ts";

/**
 * The remote's coroutine until its first byte; then it hands over to the pump
 * from the remote to the client. The first try to connect and the first write
 * are all that most connections have, so there is no function between, whose
 * promises would cost more than it does.
 */
export async function serveRemote(
  connection: Connection,
  decision: Connect,
): Promise<void> {
  connection.begin();
  const { buffers } = connection.context;
  try {
    let next: Connect | Close | undefined = decision;
    while (next !== undefined) {
      if (next.kind === "close") return close(connection, next);
      if (next.maxDuration !== undefined) {
        connection.clocks.limitDuration(connection.started + next.maxDuration);
      }
      if (next.reply !== undefined) {
        if (!await replyFirst(connection, next.reply)) return;
      }
      if (hasFailedBefore(connection, next)) {
        // remotes that close what they accept must not keep the proxy busy
        await pause();
        if (connection.isClosed()) return;
      }
      const candidates = candidatesOf(connection, next);
      let server: Socket | Error | undefined;
      try {
        const dialed = dialNext(connection, next, candidates);
        server = dialed === undefined
          ? noneLeft(connection, next)
          : take(connection, candidates, await dialed);
      } catch (error) {
        server = await retry(connection, next, candidates, error);
      }
      if (server === undefined) return;
      if (server instanceof Error) {
        next = await connectFailed(connection, next, server);
        continue;
      }
      attach(connection, server, next);
      let failure: unknown;
      const first = firstBytes(connection, next);
      try {
        // a new connection takes some bytes at once, if not all
        const count = first.length === 0 ? 0 : await server.write(first);
        firstSent(connection, server, first, count);
      } catch (error) {
        failure = error;
        firstFailed(connection, server);
      }
      const buffer = buffers.small();
      let count = -1;
      try {
        count = await server.read(buffer);
      } catch (error) {
        failure = error;
      }
      if (isAnswer(connection, server, count)) {
        if (count > 0) answered(connection);
        else endedFirst(connection);
        void pumpDownstream(connection, server, buffer, count);
        return;
      }
      buffers.release(buffer);
      if (connection.isClosed()) return;
      next = await remoteFailed(connection, next, failure);
    }
  } catch (error) {
    connection.fail(error);
  } finally {
    connection.leave();
  }
}

async function replyFirst(
  connection: Connection,
  bytes: Uint8Array,
): Promise<boolean> {
  connection.watchHalfClose();
  const sent = await connection.reply(bytes);
  if (sent) connection.clocks.stop();
  return sent;
}

function candidatesOf(
  connection: Connection,
  { targets, pool }: Connect,
): Candidates {
  if (pool === undefined) return new RemoteList(targets);
  const { remoteAddr } = connection.info;
  const key = pool.key ??
    ("hostname" in remoteAddr ? remoteAddr.hostname : remoteAddr.path);
  // a hook that names the pool again gets the members that have not failed
  return connection.attempt = pool.pool.attempt(key, connection.attempt);
}

/**
 * Tells whether one of the remotes has failed for this connection before, or all
 * members of the pool.
 */
function hasFailedBefore(
  { attempt, failed }: Connection,
  { targets, pool }: Connect,
): boolean {
  return pool === undefined
    ? failed !== undefined &&
      targets.some(({ remote }) => failed.includes(remote))
    : pool.pool.hasFailed(attempt);
}

/** The connection gets the remote, and the clocks that go with it. */
function attach(
  connection: Connection,
  server: Socket,
  { halfCloseTimeout, idleTimeout, inactivityTimeout }: Connect,
): void {
  const { context: { log, options, statistics } } = connection;
  if (log.verbose) {
    log.debug("{client} is connected to {remote}", {
      ...connection.who,
      remote: String(connection.remote),
    });
  }
  connection.attach(server);
  connection.halfCloseTimeout = halfCloseTimeout ??
    (idleTimeout === undefined ? undefined : 0);
  statistics?.connected(connection);
  if (connection.clientEnded) {
    connection.watchHalfClose();
  } else if (inactivityTimeout !== undefined) {
    connection.clocks.watch(inactivityTimeout);
  }
  connection.clocks.limitSilence(idleTimeout ?? options.idleTimeout);
}

/**
 * Tells whether there will be no other remote: this one has sent its first
 * bytes, or ended its side after the client had, or where no hook would be asked
 * for another: then it may still read.
 *
 * @param count What was read; -1 if that failed.
 */
function isAnswer(
  connection: Connection,
  server: Socket,
  count: number,
): boolean {
  // if not the same, it was given up for its silence while these bytes came
  if (connection.server !== server || count < 0) return false;
  if (count > 0 || connection.clientEnded) return true;
  const { connectError } = connection.context.router;
  return connectError === undefined && !connection.serverBroken;
}

/** The first byte has come: the remote will stay. */
function answered(connection: Connection): void {
  connection.answered = true;
  connection.lease?.answered();
  if (!connection.clientEnded) connection.clocks.stop();
  keepRemote(connection);
}

/** The remote has ended its side before its first byte, and will stay. */
function endedFirst(connection: Connection): void {
  if (!connection.clientEnded) connection.endedAt = connection.forwarded;
  keepRemote(connection);
}

/** There will be no other remote, so nothing is kept for it. */
function keepRemote(connection: Connection): void {
  if (connection.extra === undefined) return;
  connection.extra = undefined;
  // in the stage "connect" the replay is under way, and releases them itself
  if (connection.stage === "joined") connection.releasePreread();
  connection.wake();
}
