/**
 * The stage from the decision until the remote is joined: connecting to it, and
 * sending it what was read before.
 *
 * @module
 */
import { type Candidates, RemoteList } from "../net/candidates.ts";
import type { Connection } from "./connection.ts";
import type { Close, Connect } from "../decision/decision.ts";
import { isExhausted } from "../lib/exhausted.ts";
import { dial, type Dialed } from "./dial.ts";
import { reply } from "./preread.ts";
import { pumpDownstream, sendAndDrain } from "./pump.ts";
import { connectFailed } from "./reroute.ts";
import { type Socket, takeSocket } from "../net/socket.ts";
import type { Target } from "../net/remote.ts";
import { TlsError } from "../net/tls_client.ts";

/** How often a failed connect is tried again. */
const RETRIES = 10;

/** How often to wait for a file descriptor while no connection makes progress. */
const MAX_WAITS = 20;

/** Milliseconds between the tries. */
const PAUSE = 100;

/**
 * Does what the router has decided when routing is over, or a hook after a
 * failure: looks for the remote, or closes.
 *
 * @param connection In the stage `connect`, if there is to be a remote.
 * @param verdict `undefined` if the connection has ended meanwhile.
 */
export function execute(
  connection: Connection,
  verdict: Connect | Close | undefined,
): void {
  if (verdict === undefined) return;
  if (verdict.kind === "close") return close(connection, verdict);
  if (verdict.maxDuration !== undefined) {
    connection.clocks.limitDuration(connection.started + verdict.maxDuration);
  }
  if (verdict.reply === undefined) void connect(connection, verdict);
  else connection.follow(replyFirst(connection, verdict, verdict.reply));
}

function close(connection: Connection, { data }: Close): void {
  if (data === undefined || data.length === 0) {
    return connection.end("router-close");
  }
  connection.enter("drain");
  connection.follow(sendAndDrain(connection, data));
}

async function replyFirst(
  connection: Connection,
  verdict: Connect,
  bytes: Uint8Array,
): Promise<void> {
  connection.watchHalfClose();
  if (!await reply(connection, bytes)) return;
  connection.clocks.stop();
  void connect(connection, verdict);
}

/**
 * The remote's coroutine until it is joined: connects, starts the pump from the
 * remote to the client, and sends the remote what was read before. The first
 * try to connect and the first write are all that most connections have, so
 * there is no function between, whose promises would cost more than it does.
 */
async function connect(
  connection: Connection,
  verdict: Connect,
): Promise<void> {
  connection.begin();
  try {
    if (hasFailedBefore(connection, verdict)) {
      // remotes that close what they accept must not keep the proxy busy
      await pause();
      if (connection.isClosed()) return;
    }
    const candidates = candidatesOf(connection, verdict);
    let server: Socket | Error | undefined;
    try {
      const dialed = dialNext(connection, verdict, candidates);
      server = dialed === undefined
        ? noneLeft(connection, verdict)
        : take(connection, candidates, await dialed);
    } catch (error) {
      server = await tryOn(connection, verdict, candidates, error);
    }
    if (server === undefined) return;
    if (server instanceof Error) {
      return connection.follow(connectFailed(connection, verdict, server));
    }
    join(connection, server, verdict);
    // at the same time, as a remote that answers while it is sent to must be read
    void pumpDownstream(connection, server, verdict);
    const first = firstBytes(connection, verdict);
    const { extra } = connection;
    try {
      if (first.length > 0) {
        const written = await server.write(first);
        connection.replayed += written;
        if (written < first.length) {
          await replay(connection, server, first.subarray(written));
        }
      }
      // what is recorded meanwhile is appended to the same array, and sent, too
      if (extra !== undefined) {
        for (const bytes of extra) await replay(connection, server, bytes);
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
  } catch (error) {
    connection.fail(error);
  } finally {
    connection.leave();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}

/**
 * Tries the next remote.
 *
 * @param announce Is told which one that is.
 * @returns What `dial` does; `undefined` if there is no remote left.
 */
function dialNext(
  connection: Connection,
  verdict: Connect,
  candidates: Candidates,
  announce?: (next: Target) => void,
): Promise<Dialed> | undefined {
  const target = candidates.next();
  if (target === undefined) return undefined;
  announce?.(target);
  connection.remote = target.remote;
  return dial(connection, target, verdict);
}

/** Takes a connected remote; `undefined` if nobody wants it any more. */
function take(
  connection: Connection,
  candidates: Candidates,
  dialed: Dialed,
): Socket | undefined {
  connection.dialing = undefined;
  const socket = "settle" in dialed ? dialed : takeSocket(dialed);
  if (connection.isClosed()) {
    socket.close();
    candidates.returned();
    return undefined;
  }
  connection.lease = candidates.connected();
  return socket;
}

/**
 * Goes on after the first try: tries each remote that there is, at once; if none
 * can be connected to, up to ten more tries, with a pause before each, go round
 * them.
 *
 * @param failure Why the first try has failed.
 * @returns The connected socket; the error of the last try; or `undefined` if
 * the connection has been closed meanwhile.
 */
async function tryOn(
  connection: Connection,
  verdict: Connect,
  candidates: Candidates,
  failure: unknown,
): Promise<Socket | Error | undefined> {
  const { descriptors, gauges, log, statistics } = connection.context;
  let waits = 0;
  for (let retries = 0;;) {
    connection.dialing = undefined;
    if (connection.isClosed()) {
      candidates.returned();
      return undefined;
    }
    const remote = connection.remote as string;
    let announce: ((next: Target) => void) | undefined;
    if (isExhausted(failure)) {
      // not the remote's fault, and no try
      candidates.returned();
      descriptors.exhausted();
      await descriptors.freed();
      // when no connection has a remote, none will end and free its descriptors
      if (gauges.connectedNow > 0) waits = 0;
      else if (++waits > MAX_WAITS) {
        log.error(
          `Connect ${remote} failed: out of file descriptors (client ${connection.peer})`,
        );
        return toError(failure);
      }
    } else {
      const error = toError(failure);
      statistics?.failed(remote, "connect-failed");
      if (isFinal(error)) {
        // the others may be in order
        logFinal(connection, remote, error);
        if (!candidates.leftOut(error)) return error;
      } else if (candidates.failed(error)) {
        announce = (next) => logNext(connection, remote, next, error);
      } else if (retries === RETRIES) {
        logFailed(connection, remote, error);
        return error;
      } else {
        const number = ++retries;
        announce = (next) => logRetry(connection, next, number, error);
        gauges.counters.add("connect-retries");
        await pause();
      }
    }
    if (connection.isClosed()) return undefined;
    statistics?.tries(connection);
    try {
      const dialed = dialNext(connection, verdict, candidates, announce);
      return dialed === undefined
        ? noneLeft(connection, verdict)
        : take(connection, candidates, await dialed);
    } catch (error) {
      failure = error;
    }
  }
}

/** Starts what goes with a connected remote. */
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
}

/** What the remote is sent first: what was read, or what is sent in its place. */
function firstBytes(connection: Connection, { data }: Connect): Uint8Array {
  const { buffer, length, preamble } = connection;
  const read = data ?? buffer.subarray(0, length);
  // in one write, as some remotes want all of the preamble from one read
  return preamble === undefined ? read : concat(preamble, read);
}

function concat(start: Uint8Array, end: Uint8Array): Uint8Array {
  const both = new Uint8Array(start.length + end.length);
  both.set(start);
  both.set(end, start.length);
  return both;
}

/** Writes bytes, and counts them: each is progress if the client has ended. */
async function replay(
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
 * Tells whether a connection has tried one of the remotes in vain before, or all
 * members of a pool.
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

function noneLeft(
  { context: { log }, peer }: Connection,
  { pool }: Connect,
): Error {
  const error = new Error(
    `all members of the pool ${pool?.pool.name} are drained`,
  );
  log.error(`Cannot connect as ${error.message} (client ${peer})`);
  return error;
}

/** Tells whether to try again is in vain. */
function isFinal(error: Error): boolean {
  return error instanceof Deno.errors.NotCapable || error instanceof TlsError;
}

function logFinal(
  { context: { log }, peer }: Connection,
  remote: string,
  error: Error,
): void {
  log.error(
    error instanceof TlsError
      ? `Connect ${remote} failed: ${error.message} (client ${peer})`
      : `Cannot connect to ${remote} as the router's --allow-net does not include it (client ${peer})`,
  );
}

function logNext(
  { context: { log }, peer }: Connection,
  failed: string,
  next: Target,
  error: Error,
): void {
  log.warn(
    `Connect ${failed} failed, trying ${next.remote}: ${error.message} (client ${peer})`,
  );
}

function logRetry(
  { context: { log } }: Connection,
  next: Target,
  number: number,
  error: Error,
): void {
  log.warn(
    `Retrying connection with ${next.remote} (#${number}): ${error.message}`,
  );
}

function logFailed(
  { context: { log }, peer }: Connection,
  remote: string,
  error: Error,
): void {
  log.error(
    `Connect ${remote} failed after ${RETRIES} retries: ${error.message} (client ${peer})`,
  );
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
