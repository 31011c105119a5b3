/**
 * The stage before the decision: read what the client sends, and ask the router.
 *
 * @module
 */
import type { Client } from "../router/contract.ts";
import { Preread } from "../router/preread.ts";
import { type Connection, writeAll } from "./connection.ts";
import {
  type Close,
  type Connect,
  DecisionError,
  type Hook,
  parseDecision,
  type Verdict,
} from "./decision.ts";
import { lastWords, pumpUpstream, serveRemote } from "./pump.ts";

/**
 * The client's coroutine: asks the router until it has decided, then goes on
 * as the pump from the client to the remote.
 *
 * @param connection A new connection.
 */
export async function readClient(connection: Connection): Promise<void> {
  const { client, context } = connection;
  const { router, options } = context;
  context.deadlines.set(connection, options.prereadTimeout, connection.started);
  if (router.accept !== undefined) await ask(connection, "accept");

  while (connection.stage === "preread") {
    const space = freeSpace(connection);
    let count;
    try {
      count = await client.read(space);
    } catch {
      return connection.end("client-reset");
    }
    if (connection.stage !== "preread") {
      // the timeout hook has decided meanwhile: these bytes are for the remote
      return pumpUpstream(connection, space, count);
    }
    if (count === null) return connection.end("client-left");
    connection.received += count;
    connection.length += count;
    if (router.route !== undefined) await ask(connection, "route");
    if (
      connection.stage === "preread" && connection.length >= options.maxPreread
    ) {
      context.log.warn(
        `Cannot route ${connection.peer} as the router must decide within --max-preread: current value is ${options.maxPreread} bytes`,
      );
      return connection.end("preread-limit");
    }
  }
  return pumpUpstream(connection);
}

/** The part of the buffer to read into; the buffer doubles when it is full. */
function freeSpace(connection: Connection): Uint8Array {
  const { buffers, options } = connection.context;
  const { buffer, length } = connection;
  if (length === buffer.length) {
    const bigger = new Uint8Array(length * 2);
    bigger.set(buffer);
    connection.buffer = bigger;
    buffers.release(buffer);
  }
  const end = Math.min(connection.buffer.length, options.maxPreread);
  return length === 0 && end === buffer.length
    ? buffer
    : connection.buffer.subarray(length, end);
}

const UNDECIDED =
  "Cannot go on routing as accept() must decide where there is no route(): current value is no decision";

/** Asks `accept` or `route`, again and again while a dialogue goes on. */
async function ask(
  connection: Connection,
  hook: "accept" | "route",
): Promise<void> {
  for (;;) {
    let verdict: Verdict;
    try {
      let answer = callHook(connection, hook);
      if (isPromise(answer)) answer = await answer;
      if (connection.stage !== "preread") return; // it came too late
      verdict = parseDecision(answer, hook, connection.length);
    } catch (error) {
      return failHook(connection, hook, error);
    }
    switch (verdict.kind) {
      case "wait":
        if (connection.context.router.route === undefined) {
          return failHook(connection, hook, new DecisionError(UNDECIDED));
        }
        return;
      case "connect":
      case "close":
        return decide(connection, verdict);
      case "reply":
        consume(connection, verdict.consume);
        if (!await reply(connection, verdict.reply)) return;
        if (connection.context.router.route === undefined) {
          return failHook(connection, hook, new DecisionError(UNDECIDED));
        }
        if (verdict.consume === 0 || connection.length === 0) return;
    }
  }
}

function callHook(connection: Connection, hook: "accept" | "route"): unknown {
  const { router } = connection.context;
  if (hook === "accept") return router.accept?.(connection.info);
  return router.route?.(preread(connection), connection.info);
}

function preread(connection: Connection): Preread {
  return new Preread(connection.buffer.subarray(0, connection.length));
}

function consume(connection: Connection, count: number): void {
  connection.buffer.copyWithin(0, count, connection.length);
  connection.length -= count;
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
  if (bytes.length === 0) return !connection.isClosed();
  try {
    await writeAll(connection.client, bytes);
  } catch {
    connection.end("client-reset");
  }
  connection.sent += bytes.length;
  return !connection.isClosed();
}

/** Does what the router has decided; routing is over. */
function decide(connection: Connection, verdict: Connect | Close): void {
  connection.context.deadlines.clear(connection);
  if (verdict.kind === "connect") {
    connection.enter("connect");
    connection.downstream = serveRemote(connection, verdict);
  } else if (verdict.data === undefined || verdict.data.length === 0) {
    connection.end("router-close");
  } else {
    connection.enter("drain");
    connection.downstream = lastWords(connection, verdict.data);
  }
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
  connection.enter("connect");
  connection.downstream = askTimeout(connection, router.timeout.bind(router));
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
  if (verdict.kind === "connect") return serveRemote(connection, verdict);
  if (verdict.data === undefined) return connection.end("router-close");
  connection.enter("drain");
  return lastWords(connection, verdict.data);
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
    const verdict = parseDecision(await call(), hook, 0);
    if (connection.isClosed()) return undefined;
    if (verdict.kind === "connect" || verdict.kind === "close") return verdict;
  } catch (error) {
    failHook(connection, hook, error);
  }
  return undefined;
}

/** Closes the one client whose hook has failed, and says what is wrong. */
function failHook(connection: Connection, hook: Hook, error: unknown): void {
  connection.context.log.error(
    error instanceof DecisionError
      ? `${error.message} (client ${connection.peer})`
      : `Cannot route ${connection.peer} as ${hook}() threw: ${
        describeError(error)
      }`,
  );
  connection.end("router-error");
}

/**
 * Writes an error on one line, with the place where it was thrown.
 *
 * @param error Anything that was thrown.
 * @returns For example `TypeError: x is not a function at file:///r.ts:3:5`.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error).replaceAll("\n", " ");
  const place = error.stack?.split("\n")
    .find((line) => /^\s*at .*(file|data|blob):/.test(line))?.trim();
  const text = `${error.name}: ${error.message}`.replaceAll(/\s*\n\s*/g, " ");
  return place === undefined ? text : `${text} ${place}`;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
