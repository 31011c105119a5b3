/**
 * Connecting to a remote that the router has named.
 *
 * @module
 */
import { type Candidates, RemoteList } from "./candidates.ts";
import type { Connection } from "./connection.ts";
import type { Connect } from "./decision.ts";
import { isExhausted } from "./descriptors.ts";
import { dial } from "./dial.ts";
import type { Socket } from "./socket.ts";
import type { Target } from "./target.ts";
import { TlsError } from "./tls_client.ts";

/** How often a failed connect is tried again. */
const RETRIES = 10;

/** How often to wait for a file descriptor while no connection makes progress. */
const MAX_WAITS = 20;

/** Milliseconds between the tries. */
const PAUSE = 100;

/**
 * Connects to a remote: tries each one that there is, at once; if none can be
 * connected to, up to ten more tries, with a pause before each, go round them.
 *
 * @param connection It is joined to the remote by the caller; its `remote` is
 * that of the present or last try.
 * @param verdict Names the remotes and the time that one try may take.
 * @returns The connected socket, which the caller closes; the error of the last
 * try; or `undefined` if the connection has been closed meanwhile.
 */
export async function connect(
  connection: Connection,
  verdict: Connect,
): Promise<Socket | Error | undefined> {
  if (isWorn(connection, verdict)) {
    // remotes that close what they accept must not keep the proxy busy
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (connection.isClosed()) return undefined;
  }
  const candidates = candidatesOf(connection, verdict);
  let announce: ((next: Target) => void) | undefined;
  const { statistics } = connection.context;
  let waits = 0;
  for (let retries = 0;;) {
    const target = candidates.next();
    if (target === undefined) return noneLeft(connection, verdict);
    announce?.(target);
    announce = undefined;
    connection.remote = target.remote;
    let failure: unknown;
    try {
      const socket = await dial(connection, target, verdict);
      connection.dialing = undefined;
      if (!connection.isClosed()) {
        connection.held = candidates.connected();
        return socket;
      }
      socket.close();
    } catch (error) {
      connection.dialing = undefined;
      failure = error;
    }
    if (connection.isClosed()) {
      candidates.returned();
      return undefined;
    }
    if (isExhausted(failure)) {
      // not the remote's fault, and no try
      candidates.returned();
      const { descriptors, gauges, log } = connection.context;
      descriptors.exhausted();
      await descriptors.freed();
      // when no connection has a remote, none will end and free its descriptors
      if (gauges.connectedNow > 0) waits = 0;
      else if (++waits > MAX_WAITS) {
        log.error(
          `Connect ${target.remote} failed: out of file descriptors (client ${connection.peer})`,
        );
        return toError(failure);
      }
    } else {
      const error = toError(failure);
      statistics?.failed(target.remote, "connect-failed");
      if (isFinal(error)) {
        // the others may be in order
        logFinal(connection, target, error);
        if (!candidates.leftOut(error)) return error;
      } else if (candidates.failed(error)) {
        announce = (next) => logNext(connection, target, next, error);
      } else if (retries === RETRIES) {
        logFailed(connection, target, error);
        return error;
      } else {
        const number = ++retries;
        announce = (next) => logRetry(connection, next, number, error);
        connection.context.gauges.counters.add("connect-retries");
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    if (connection.isClosed()) return undefined;
    statistics?.tries(connection);
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
function isWorn(
  { attempt, failed }: Connection,
  { targets, pool }: Connect,
): boolean {
  return pool === undefined
    ? failed !== undefined &&
      targets.some(({ remote }) => failed.includes(remote))
    : attempt?.state.plan === pool.pool.plan && !attempt.hasUntried();
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
  { remote }: Target,
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
  failed: Target,
  next: Target,
  error: Error,
): void {
  log.warn(
    `Connect ${failed.remote} failed, trying ${next.remote}: ${error.message} (client ${peer})`,
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
  { remote }: Target,
  error: Error,
): void {
  log.error(
    `Connect ${remote} failed after ${RETRIES} retries: ${error.message} (client ${peer})`,
  );
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
