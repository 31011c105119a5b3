/**
 * Connecting to the remote that the router has named.
 *
 * @module
 */
import { formatAddress } from "./address.ts";
import type { Connection } from "./connection.ts";
import type { Connect } from "./decision.ts";
import { isExhausted } from "./descriptors.ts";

/** How often a failed connect is tried again. */
const RETRIES = 10;

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
): Promise<Deno.TcpConn | Error | undefined> {
  const { log } = connection.context;
  for (let tries = 0;; tries++) {
    const result = await tryOnce(connection, verdict);
    if (connection.isClosed()) {
      if (!(result instanceof Error)) result.close();
      return undefined;
    }
    if (!(result instanceof Error)) return result;
    if (result instanceof Deno.errors.NotCapable) {
      log.error(
        `Cannot connect to ${verdict.remote} as the router's --allow-net does not include it (client ${connection.peer})`,
      );
      return result;
    }
    if (tries === RETRIES) {
      log.error(
        `Connect ${verdict.remote} failed after ${RETRIES} retries: ${result.message} (client ${connection.peer})`,
      );
      return result;
    }
    log.warn(
      `Retrying connection with ${verdict.remote} (#${
        tries + 1
      }): ${result.message}`,
    );
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (connection.isClosed()) return undefined;
  }
}

/** One try; a want of file descriptors is not the remote's fault and no try. */
async function tryOnce(
  connection: Connection,
  verdict: Connect,
): Promise<Deno.TcpConn | Error> {
  const { descriptors } = connection.context;
  for (;;) {
    try {
      return await open(connection, verdict);
    } catch (error) {
      if (connection.isClosed() || !isExhausted(error)) {
        return error instanceof Error ? error : new Error(String(error));
      }
      descriptors.exhausted();
      await descriptors.freed();
    }
  }
}

async function open(
  connection: Connection,
  verdict: Connect,
): Promise<Deno.TcpConn> {
  const { address, connectTimeout } = verdict;
  const controller = connection.connecting = new AbortController();
  const timer = connectTimeout === undefined
    ? undefined
    : setTimeout(() => controller.abort(timedOut(verdict)), connectTimeout);
  try {
    return await Deno.connect({
      hostname: address.hostname,
      port: address.port,
      signal: controller.signal,
    });
  } finally {
    clearTimeout(timer);
    connection.connecting = undefined;
  }
}

function timedOut(verdict: Connect): Error {
  return new Deno.errors.TimedOut(
    `${formatAddress(verdict.address)} did not answer within ${
      (verdict.connectTimeout ?? 0) / 1000
    } seconds`,
  );
}
