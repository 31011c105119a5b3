/**
 * What happens when a remote fails before it has sent a byte: the hooks of the
 * router are asked for another one.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import { type Close, completed, type Connect } from "../decision/decision.ts";
import { toError } from "../lib/errors.ts";
import { askLast } from "./hooks.ts";

/** How often the hooks may name another remote for one client. */
const MAX_REROUTES = 100;

/**
 * A remote could not be connected to: a hook may find another.
 *
 * @param verdict What has named the remote.
 * @param failure The error of the last try.
 * @returns What is next; `undefined` if the connection has ended.
 */
export function connectFailed(
  connection: Connection,
  verdict: Connect,
  failure: Error,
): Promise<Connect | Close | undefined> {
  return askConnectError(connection, verdict, failure, "connect-failed");
}

/**
 * A remote has failed before it sent a byte: a hook may find another.
 *
 * @param verdict What has named the remote.
 * @param error What reading from it has thrown; `undefined` for EOF.
 * @returns What is next; `undefined` if the connection has ended.
 */
export async function remoteFailed(
  connection: Connection,
  verdict: Connect,
  error: unknown,
): Promise<Connect | Close | undefined> {
  const failure = error === undefined
    ? new Deno.errors.UnexpectedEof("closed before it sent a byte")
    : toError(error);
  if (!connection.clientEnded) connection.lease?.failed(failure);
  connection.detach();
  connection.clocks.stop();
  connection.clocks.limitSilence(0);
  connection.context.statistics?.failed(
    connection.remote as string,
    connection.inactive ? "inactivity-timeout" : "remote-left",
  );
  connection.enter("connect");
  return connection.inactive
    ? await askInactivityError(connection, verdict)
    : await askConnectError(connection, verdict, failure, "remote-left");
}

async function askConnectError(
  connection: Connection,
  verdict: Connect,
  error: Error,
  reason: "connect-failed" | "remote-left",
): Promise<Connect | Close | undefined> {
  const { log, router } = connection.context;
  const remote = lastRemote(connection, verdict);
  if (reason === "remote-left") {
    log.error(
      "Connection with {remote} was terminated prematurely: {error} (client {client})",
      { remote, error: error.message, ...connection.who },
    );
  }
  const said = await askLast(
    connection,
    "connectError",
    () => router.connectError?.(remote, error, connection.info),
  );
  return next(connection, verdict, said, reason);
}

async function askInactivityError(
  connection: Connection,
  verdict: Connect,
): Promise<Connect | Close | undefined> {
  const { log, router } = connection.context;
  const remote = lastRemote(connection, verdict);
  connection.inactive = false;
  log.error(
    "Disconnecting {remote} as it must send a byte within inactivityTimeout: current value is {seconds} seconds (client {client})",
    {
      remote,
      seconds: (verdict.inactivityTimeout ?? 0) / 1000,
      ...connection.who,
    },
  );
  const said = await askLast(
    connection,
    "inactivityError",
    () => router.inactivityError?.(remote, connection.info),
  );
  return next(connection, verdict, said, "inactivity-timeout");
}

/** Completes another remote with what the decision before has said. */
function next(
  connection: Connection,
  before: Connect,
  said: Connect | Close | undefined,
  reason: "connect-failed" | "remote-left" | "inactivity-timeout",
): Connect | Close | undefined {
  if (said === undefined) {
    connection.end(reason);
    return undefined;
  }
  if (said.route !== undefined) connection.decided(said.route);
  if (said.kind === "close") return said;
  const { who, context: { log } } = connection;
  if (!connection.mayReroute) {
    log.error(
      "Cannot try {remote} as at most --max-preread bytes are kept to be sent again: {client} has sent {bytes} since the decision",
      { remote: nameOf(said), ...who, bytes: connection.extraLength },
    );
    connection.end(reason);
    return undefined;
  }
  const failed = connection.failed ??= [];
  if (failed.length === MAX_REROUTES) {
    log.error(
      "Cannot try {remote} as hooks may name another remote at most {times} times for a client: {client} is closed",
      { remote: nameOf(said), times: MAX_REROUTES, ...who },
    );
    connection.end(reason);
    return undefined;
  }
  failed.push(lastRemote(connection, before));
  return completed(said, before);
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
