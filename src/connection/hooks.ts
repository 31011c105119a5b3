/**
 * Calling the hooks of a router, and checking what they say.
 *
 * @module
 */
import {
  type Close,
  type Connect,
  DecisionError,
  parseDecision,
  type Verdict,
} from "../decision/decision.ts";
import { describe, describeError } from "../lib/errors.ts";
import type { Hook } from "../router/contract.ts";
import { Preread } from "../router/preread.ts";
import type { Connection } from "./connection.ts";

/** The hooks that are called while bytes are read for the router. */
export type PrereadHook = "accept" | "route";

const UNDECIDED =
  "Cannot go on routing as accept() must decide where there is no route(): current value is no decision";

/**
 * Calls `accept` or `route`.
 *
 * @returns What it has returned, perhaps a promise; for `checkHook`.
 * @throws What the hook throws.
 */
export function callHook(connection: Connection, hook: PrereadHook): unknown {
  const { router } = connection.context;
  if (hook === "accept") return router.accept?.(connection.info);
  return router.route?.(seenBytes(connection), connection.info);
}

function seenBytes(connection: Connection): Preread {
  return new Preread(connection.buffer.subarray(0, connection.length));
}

/**
 * Checks what `accept` or `route` has said.
 *
 * @returns `undefined` if it came too late, or cannot be used: then the
 * connection has ended.
 */
export function checkHook(
  connection: Connection,
  hook: PrereadHook,
  said: unknown,
): Verdict | undefined {
  if (connection.stage !== "preread") return undefined; // it came too late
  const { log, router } = connection.context;
  try {
    // accept() has seen no bytes, even if there are some
    const seen = hook === "accept" ? 0 : connection.length;
    const verdict = parseDecision(said, hook, seen);
    if (
      (verdict.kind === "wait" || verdict.kind === "reply") &&
      router.route === undefined
    ) throw new DecisionError(UNDECIDED);
    if (log.verbose) {
      log.debug("{client} {hook}() has decided: {decision}", {
        ...connection.who,
        hook,
        decision: describe(said),
      });
    }
    return verdict;
  } catch (error) {
    hookFailed(connection, hook, error);
    return undefined;
  }
}

/**
 * Asks `timeout` what to do without a decision, while a read of the client into
 * the buffer stays pending.
 *
 * @returns What to do, or `undefined` to close.
 */
export function askTimeout(
  connection: Connection,
): Promise<Connect | Close | undefined> {
  const { router } = connection.context;
  return askLast(
    connection,
    "timeout",
    () => router.timeout?.(seenBytes(connection), connection.info),
  );
}

/**
 * Asks what to do when the client has ended its side before there was a
 * decision.
 *
 * @returns What to do, or `undefined` to close.
 */
export function askEnded(
  connection: Connection,
): Promise<Connect | Close | undefined> {
  const { context: { router }, info } = connection;
  if (router.ended === undefined) return askTimeout(connection);
  return askLast(
    connection,
    "timeout",
    () => router.ended?.(seenBytes(connection), info),
  );
}

/**
 * Asks a hook that is called when routing has failed. If the hook fails, that is
 * logged, and the connection ended.
 *
 * @returns What to do, or `undefined` to close.
 */
export async function askLast(
  connection: Connection,
  hook: Exclude<Hook, PrereadHook>,
  call: () => unknown,
): Promise<Connect | Close | undefined> {
  try {
    const verdict = parseDecision(
      await connection.untilStage(call()),
      hook,
      0,
    );
    if (connection.isClosed()) return undefined;
    if (verdict.kind === "connect" || verdict.kind === "close") return verdict;
  } catch (error) {
    hookFailed(connection, hook, error);
  }
  return undefined;
}

/** Closes the one client whose hook has failed, and says what is wrong. */
export function hookFailed(
  connection: Connection,
  hook: Hook,
  error: unknown,
): void {
  const { who, context: { log } } = connection;
  if (error instanceof DecisionError) {
    const { message } = error;
    log.error("{error} (client {client})", { error: message, ...who, hook });
  } else {
    const thrown = describeError(error);
    log.error("Cannot route {client} as {hook}() threw: {error}", {
      ...who,
      hook,
      error: thrown,
    });
  }
  // if another hook has decided meanwhile, that holds
  if (
    connection.stage === "preread" || (hook !== "accept" && hook !== "route")
  ) connection.end("router-error");
}
