/**
 * Trying again after a failed connect: other remotes, then the same again.
 *
 * @module
 */
import type { Connect } from "../decision/decision.ts";
import { toError } from "../lib/errors.ts";
import { isExhausted } from "../lib/exhausted.ts";
import { RefusedRemote } from "../net/destinations.ts";
import { NoSuchName } from "../net/names.ts";
import type { Candidates } from "../net/candidates.ts";
import type { Target } from "../net/remote.ts";
import type { Socket } from "../net/socket.ts";
import { TlsError } from "../net/tls_client.ts";
import type { Connection } from "./connection.ts";
import { dialNext, noneLeft, take } from "./dial.ts";

/** How often a failed connect is tried again. */
const RETRIES = 10;

/** How often to wait for a file descriptor while no connection makes progress. */
const MAX_WAITS = 20;

/** Milliseconds between the tries. */
const PAUSE = 100;

/** Waits as long as between two tries. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
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
export async function retry(
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
          "Connect {remote} failed: out of file descriptors (client {client})",
          { remote, ...connection.who },
        );
        return toError(failure);
      }
    } else {
      const error = toError(failure);
      statistics?.failed(remote, "connect-failed");
      if (error instanceof RefusedRemote) gauges.counters.add(error.counter);
      if (isFinal(error)) {
        // the other remotes may be good
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

/** Tells whether another try would fail for the same reason. */
function isFinal(error: Error): boolean {
  return error instanceof Deno.errors.NotCapable ||
    error instanceof TlsError || error instanceof NoSuchName ||
    error instanceof RefusedRemote;
}

function logFinal(
  { context: { log }, who }: Connection,
  remote: string,
  error: Error,
): void {
  if (error instanceof Deno.errors.NotCapable) {
    log.error(
      "Cannot connect to {remote} as the router's --allow-net does not include it (client {client})",
      { remote, ...who },
    );
    return;
  }
  const { message } = error;
  log.error("Connect {remote} failed: {error} (client {client})", {
    remote,
    error: message,
    ...who,
  });
}

function logNext(
  { context: { log }, who }: Connection,
  failed: string,
  next: Target,
  error: Error,
): void {
  log.warn(
    "Connect {remote} failed, trying {next}: {error} (client {client})",
    { remote: failed, next: next.remote, error: error.message, ...who },
  );
}

function logRetry(
  { context: { log }, who }: Connection,
  next: Target,
  number: number,
  error: Error,
): void {
  log.warn("Retrying connection with {remote} (#{number}): {error}", {
    remote: next.remote,
    number,
    error: error.message,
    ...who,
  });
}

function logFailed(
  { context: { log }, who }: Connection,
  remote: string,
  error: Error,
): void {
  log.error(
    "Connect {remote} failed after {retries} retries: {error} (client {client})",
    { remote, retries: RETRIES, error: error.message, ...who },
  );
}
