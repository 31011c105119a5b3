/**
 * Connecting to a remote that the router has named.
 *
 * @module
 */
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
 * Connects to a remote: tries each one that the decision names, in order and at
 * once; if none can be connected to, up to ten more tries, with a pause before
 * each, go round the list.
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
  let { targets } = verdict;
  let at = 0;
  let untried = targets.length - 1;
  let waits = 0;
  for (let retries = 0;;) {
    const target = targets[at] as Target;
    connection.remote = target.remote;
    let failure: unknown;
    try {
      const socket = await dial(connection, target, verdict);
      if (!connection.isClosed()) return socket;
      socket.close();
      return undefined;
    } catch (error) {
      failure = error;
    }
    if (connection.isClosed()) return undefined;
    if (isExhausted(failure)) {
      // not the remote's fault, and no try
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
      if (isFinal(error)) {
        // the other remotes of a list may be in order
        logFinal(connection, target, error);
        targets = targets.filter(({ remote }) => remote !== target.remote);
        if (targets.length === 0) return error;
        at %= targets.length;
      } else {
        at = (at + 1) % targets.length;
      }
      const next = targets[at] as Target;
      if (untried > 0) {
        untried--;
        logNext(connection, target, next, error);
      } else {
        if (!mayRetry(connection, target, next, error, retries++)) return error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    if (connection.isClosed()) return undefined;
  }
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

/** Tells whether to try again, and logs the failed try. */
function mayRetry(
  { context: { log }, peer }: Connection,
  failed: Target,
  next: Target,
  error: Error,
  retries: number,
): boolean {
  if (retries === RETRIES) {
    log.error(
      `Connect ${failed.remote} failed after ${RETRIES} retries: ${error.message} (client ${peer})`,
    );
    return false;
  }
  log.warn(
    `Retrying connection with ${next.remote} (#${
      retries + 1
    }): ${error.message}`,
  );
  return true;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
