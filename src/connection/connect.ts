/**
 * Connecting to the remote that the router has named.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { Connect } from "./decision.ts";
import { isExhausted } from "./descriptors.ts";
import { dial } from "./dial.ts";
import type { Socket } from "./socket.ts";

/** How often a failed connect is tried again. */
const RETRIES = 10;

/** How often to wait for a file descriptor while no connection makes progress. */
const MAX_WAITS = 20;

/** Milliseconds between the tries. */
const PAUSE = 100;

/**
 * Connects to a remote, with up to ten more tries if it fails.
 *
 * @param connection It is joined to the remote by the caller.
 * @param verdict Names the remote and the time that one try may take.
 * @returns The connected socket, which the caller closes; the error of the last
 * try; or `undefined` if the connection has been closed meanwhile.
 */
export async function connect(
  connection: Connection,
  verdict: Connect,
): Promise<Socket | Error | undefined> {
  let waits = 0;
  for (let retries = 0;;) {
    let failure: unknown;
    try {
      const socket = await dial(connection, verdict);
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
          `Connect ${verdict.remote} failed: out of file descriptors (client ${connection.peer})`,
        );
        return toError(failure);
      }
    } else {
      const error = toError(failure);
      if (!mayRetry(connection, verdict, error, retries++)) return error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    if (connection.isClosed()) return undefined;
  }
}

/** Tells whether to try again, and logs the failed try. */
function mayRetry(
  { context: { log }, peer }: Connection,
  { remote }: Connect,
  error: Error,
  retries: number,
): boolean {
  if (error instanceof Deno.errors.NotCapable) {
    log.error(
      `Cannot connect to ${remote} as the router's --allow-net does not include it (client ${peer})`,
    );
    return false;
  }
  if (retries === RETRIES) {
    log.error(
      `Connect ${remote} failed after ${RETRIES} retries: ${error.message} (client ${peer})`,
    );
    return false;
  }
  log.warn(
    `Retrying connection with ${remote} (#${retries + 1}): ${error.message}`,
  );
  return true;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
