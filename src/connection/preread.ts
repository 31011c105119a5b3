/**
 * The stage before the decision: read what the client sends, and ask the router.
 *
 * @module
 */
import type { Client } from "../router/contract.ts";
import { Preread } from "../router/preread.ts";
import { admit, needsAdmission } from "./admission.ts";
import type { Connection } from "./connection.ts";
import {
  type Close,
  type Connect,
  DecisionError,
  type Hook,
  parseDecision,
  type Reply,
  type Verdict,
} from "../decision/decision.ts";
import { describe, describeError } from "../lib/errors.ts";
import { execute } from "./remote.ts";
import { pumpUpstream } from "./pump.ts";

/**
 * The client's coroutine: asks the router until it has decided, then hands over
 * to the pump from the client to the remote.
 *
 * @param connection A new connection.
 */
export async function readClient(connection: Connection): Promise<void> {
  const { context } = connection;
  const { router, options } = context;
  connection.begin();
  try {
    let begun = connection.started;
    if (options.maxDuration > 0) {
      connection.clocks.limitDuration(begun + options.maxDuration);
    }
    if (needsAdmission(connection)) {
      if (!await admit(connection)) return;
      begun = performance.now();
    }
    const { client } = connection;
    connection.clocks.start(options.prereadTimeout, begun);
    if (router.accept !== undefined) await ask(connection, "accept");
    // these came along with what admission has read
    if (connection.length > 0) await askFirst(connection);

    while (connection.stage === "preread") {
      const space = freeSpace(connection, options.maxPreread);
      let count;
      try {
        count = await client.read(space);
      } catch {
        return connection.end("client-reset");
      }
      if (connection.stage !== "preread") {
        // the timeout hook has decided meanwhile: these bytes are for the remote
        void pumpUpstream(connection, space.subarray(0, count));
        return;
      }
      if (count === 0) return connection.end("client-left");
      connection.received += count;
      connection.length += count;
      if (router.route !== undefined) {
        const asked = ask(connection, "route");
        if (asked !== undefined) await asked;
      }
      if (connection.length >= options.maxPreread) checkLimit(connection);
    }
    void pumpUpstream(connection);
  } catch (error) {
    connection.fail(error);
  } finally {
    connection.leave();
  }
}

/** Asks the router about bytes that are there before the first read. */
async function askFirst(connection: Connection): Promise<void> {
  const { router, options } = connection.context;
  if (connection.stage === "preread" && router.route !== undefined) {
    await ask(connection, "route");
  }
  if (connection.length >= options.maxPreread) checkLimit(connection);
}

/** Ends a connection of which no more is read, if there is no decision. */
function checkLimit(connection: Connection): void {
  if (connection.stage !== "preread") return;
  const { log, options } = connection.context;
  log.warn(
    `Cannot route ${connection.peer} as the router must decide within --max-preread: current value is ${options.maxPreread} bytes`,
  );
  connection.end("preread-limit");
}

/**
 * Gives the part of the buffer to read into; the buffer doubles when it is full.
 *
 * @param connection Its `length` bytes stay where they are.
 * @param most How long `length` may become.
 * @returns What follows these bytes, not empty if `most` is more than `length`.
 */
export function freeSpace(connection: Connection, most: number): Uint8Array {
  const { buffers } = connection.context;
  const { buffer, length } = connection;
  if (length === buffer.length) {
    const bigger = new Uint8Array(length * 2);
    bigger.set(buffer);
    connection.buffer = bigger;
    buffers.release(buffer);
  }
  const end = Math.min(connection.buffer.length, most);
  return length === 0 && end === buffer.length
    ? buffer
    : connection.buffer.subarray(length, end);
}

const UNDECIDED =
  "Cannot go on routing as accept() must decide where there is no route(): current value is no decision";

/**
 * Asks `accept` or `route`, and does what it says.
 *
 * @returns `undefined` if that is done; a promise if it takes time.
 */
function ask(
  connection: Connection,
  hook: "accept" | "route",
): Promise<void> | undefined {
  let answer: unknown;
  try {
    answer = callHook(connection, hook);
  } catch (error) {
    failHook(connection, hook, error);
    return undefined;
  }
  return isPromise(answer)
    ? askLater(connection, hook, answer)
    : obey(connection, hook, answer);
}

async function askLater(
  connection: Connection,
  hook: "accept" | "route",
  answer: PromiseLike<unknown>,
): Promise<void> {
  try {
    answer = await connection.untilStage(answer) as PromiseLike<unknown>;
  } catch (error) {
    return failHook(connection, hook, error);
  }
  return await obey(connection, hook, answer);
}

/** Does what `accept` or `route` has answered. */
function obey(
  connection: Connection,
  hook: "accept" | "route",
  answer: unknown,
): Promise<void> | undefined {
  if (connection.stage !== "preread") return undefined; // it came too late
  let verdict: Verdict;
  try {
    // accept() has seen no bytes, even if there are some
    const seen = hook === "accept" ? 0 : connection.length;
    verdict = parseDecision(answer, hook, seen);
    if (
      (verdict.kind === "wait" || verdict.kind === "reply") &&
      connection.context.router.route === undefined
    ) throw new DecisionError(UNDECIDED);
  } catch (error) {
    failHook(connection, hook, error);
    return undefined;
  }
  const { context } = connection;
  const { log } = context;
  if (log.verbose) {
    log.debug(`${connection.peer} ${hook}() has decided: ${describe(answer)}`);
  }
  if (verdict.kind === "wait") return undefined;
  if (verdict.kind === "reply") {
    context.statistics?.hit(verdict.route ?? context.defaultRoute);
    return converse(connection, verdict);
  }
  decide(connection, verdict);
  return undefined;
}

/** One step of a dialogue; goes on at once with the bytes that are left. */
async function converse(
  connection: Connection,
  verdict: Reply,
): Promise<void> {
  const { buffer, length } = connection;
  // the reply may be a part of the buffer, which changes now
  const bytes = verdict.reply.buffer === buffer.buffer
    ? verdict.reply.slice()
    : verdict.reply;
  buffer.copyWithin(0, verdict.consume, length);
  connection.length -= verdict.consume;
  if (!await reply(connection, bytes)) return;
  // without progress, the same bytes would get the same answer for ever
  if (verdict.consume === 0 || connection.length === 0) return;
  await ask(connection, "route");
}

function callHook(connection: Connection, hook: "accept" | "route"): unknown {
  const { router } = connection.context;
  if (hook === "accept") return router.accept?.(connection.info);
  return router.route?.(preread(connection), connection.info);
}

function preread(connection: Connection): Preread {
  return new Preread(connection.buffer.subarray(0, connection.length));
}

/**
 * Sends bytes to the client.
 *
 * @param connection Ended if the client is gone.
 * @param bytes What to send.
 * @returns Whether they were sent.
 */
export async function reply(
  connection: Connection,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    for (let at = 0; at < bytes.length;) {
      const count = await connection.client.write(bytes.subarray(at));
      connection.sent += count;
      at += count;
    }
  } catch {
    connection.end("client-reset");
  }
  return !connection.isClosed();
}

/** Does what the router has decided; routing is over. */
function decide(connection: Connection, verdict: Connect | Close): void {
  connection.clocks.stop();
  connection.decided(verdict.route);
  if (verdict.kind === "connect") {
    connection.enter("connect");
    connection.keepForReroute();
  }
  execute(connection, verdict);
}

/**
 * The preread timeout has passed: asks the `timeout` hook, while the read of the
 * client stays pending.
 *
 * @param connection In the stage `preread`.
 */
export function onPrereadTimeout(connection: Connection): void {
  const { router, log, options } = connection.context;
  if (router.timeout === undefined) {
    log.warn(
      `Cannot route ${connection.peer} as the router must decide within --preread-timeout: current value is ${
        options.prereadTimeout / 1000
      } seconds, and ${connection.length} bytes came`,
    );
    return connection.end("preread-timeout");
  }
  connection.pinned = true;
  connection.keepForReroute();
  connection.enter("connect");
  connection.follow(askTimeout(connection, router.timeout.bind(router)));
}

async function askTimeout(
  connection: Connection,
  timeout: (data: Preread, client: Client) => unknown,
): Promise<void> {
  const verdict = await askLast(
    connection,
    "timeout",
    () => timeout(preread(connection), connection.info),
  );
  if (verdict === undefined) return connection.end("preread-timeout");
  connection.decided(verdict.route);
  execute(connection, verdict);
}

/**
 * Asks a hook that is called when routing has failed.
 *
 * @param connection Ended with the log of the error, if the hook fails.
 * @param hook Its name.
 * @param call Calls it.
 * @returns What to do, or `undefined` to close.
 */
export async function askLast(
  connection: Connection,
  hook: Hook,
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
    failHook(connection, hook, error);
  }
  return undefined;
}

/** Closes the one client whose hook has failed, and says what is wrong. */
function failHook(connection: Connection, hook: Hook, error: unknown): void {
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

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
