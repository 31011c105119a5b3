/**
 * The stage before the decision: what the client sends is read, and the router
 * is asked about it.
 *
 * @module
 */
import type { Close, Connect, Reply } from "../decision/decision.ts";
import { isPromise } from "../lib/is_promise.ts";
import type { Connection } from "./connection.ts";
import { callHook, checkHook, hookFailed, type PrereadHook } from "./hooks.ts";

/** What is next: a remote, or the end; `undefined`: to wait for more bytes. */
export type Decision = Connect | Close | undefined;

/** Bytes that the router sees at once, if they have come. */
const AT_ONCE = 16_384;

/** Turns of promises in which a read has ended that had not to wait: TLS takes some. */
const TURNS = 32;

/** A read of the client that was begun before the router is asked. */
export interface Ahead {
  readonly reading: Promise<number>;
  /** Where it reads to. */
  readonly space: Uint8Array;
  /** What `length` was then. */
  readonly at: number;
}

/**
 * Reads on, after a read that has filled the buffer: what has come is read, but
 * nothing is waited for. Buffers stay as small as they were, as they double only
 * when they are full.
 *
 * @returns The read that has to wait, has failed, or has found the end;
 * `undefined` if the last one has not filled the buffer, or there is enough.
 */
export async function readAhead(
  connection: Connection,
): Promise<Ahead | undefined> {
  const { client, context: { options } } = connection;
  const enough = Math.min(AT_ONCE, options.maxPreread);
  while (connection.stage === "preread" && connection.length < enough) {
    const at = connection.length;
    const space = connection.freeSpace(options.maxPreread);
    const reading = client.read(space);
    const count = await presentCount(reading);
    if (count === 0) {
      connection.pinned = true;
      return { reading, space, at };
    }
    received(connection, undefined, count);
    if (count < space.length) return undefined;
  }
  return undefined;
}

/** How many bytes a read has found at once; 0 if it has to wait, or found none. */
async function presentCount(reading: Promise<number>): Promise<number> {
  let count = 0;
  const note = (bytes: number) => {
    count = bytes;
  };
  // if it fails, who awaits it will see that
  void reading.then(note, () => {});
  for (let turn = 0; turn < TURNS && count === 0; turn++) await undefined;
  return count;
}

/** Counts what was read, perhaps by a read that was begun ahead. */
export function received(
  connection: Connection,
  ahead: Ahead | undefined,
  count: number,
): void {
  if (ahead !== undefined) {
    const { buffer, length } = connection;
    connection.pinned = false;
    // the router has consumed some meanwhile
    if (ahead.at !== length) {
      buffer.copyWithin(length, ahead.at, ahead.at + count);
    }
  }
  connection.received += count;
  connection.length += count;
}

/**
 * Asks `accept` or `route`, if there is such a hook, and answers the client if
 * it says so.
 *
 * @returns What is next, or a promise of it if that takes time. If it is
 * `undefined`, the connection may have ended.
 */
export function ask(
  connection: Connection,
  hook: PrereadHook,
): Decision | Promise<Decision> {
  if (connection.context.router[hook] === undefined) return undefined;
  let said: unknown;
  try {
    said = callHook(connection, hook);
  } catch (error) {
    hookFailed(connection, hook, error);
    return undefined;
  }
  return isPromise(said)
    ? askLater(connection, hook, said)
    : understand(connection, hook, said);
}

async function askLater(
  connection: Connection,
  hook: PrereadHook,
  saying: PromiseLike<unknown>,
): Promise<Decision> {
  let said: unknown;
  try {
    said = await connection.untilStage(saying);
  } catch (error) {
    hookFailed(connection, hook, error);
    return undefined;
  }
  return await understand(connection, hook, said);
}

function understand(
  connection: Connection,
  hook: PrereadHook,
  said: unknown,
): Decision | Promise<Decision> {
  const verdict = checkHook(connection, hook, said);
  if (verdict === undefined || verdict.kind === "wait") return undefined;
  if (verdict.kind !== "reply") return verdict;
  const { defaultRoute, statistics } = connection.context;
  statistics?.hit(verdict.route ?? defaultRoute);
  return converse(connection, verdict);
}

/** One step of a dialogue; goes on at once with the bytes that are left. */
async function converse(
  connection: Connection,
  verdict: Reply,
): Promise<Decision> {
  const { buffer, length } = connection;
  // the reply may be a part of the buffer, which changes now
  const bytes = verdict.reply.buffer === buffer.buffer
    ? verdict.reply.slice()
    : verdict.reply;
  buffer.copyWithin(0, verdict.consume, length);
  connection.length -= verdict.consume;
  if (!await connection.reply(bytes)) return undefined;
  // without progress, the same bytes would get the same answer for ever
  if (verdict.consume === 0 || connection.length === 0) return undefined;
  return await ask(connection, "route");
}

/**
 * After the router was asked: ends the connection if `--max-preread` bytes were
 * read and there is no decision.
 */
export function checkLength(connection: Connection): void {
  const { log, options } = connection.context;
  if (connection.length < options.maxPreread) return;
  if (connection.stage !== "preread") return;
  log.warn(
    "Cannot route {client} as the router must decide within --max-preread: current value is {limit} bytes",
    { ...connection.who, limit: options.maxPreread },
  );
  connection.end("preread-limit");
}

/** There was no decision in time, and the router has no hook for that. */
export function timedOut(connection: Connection): void {
  const { log, options } = connection.context;
  log.warn(
    "Cannot route {client} as the router must decide within --preread-timeout: current value is {seconds} seconds, and {bytes} bytes came",
    {
      ...connection.who,
      seconds: options.prereadTimeout / 1000,
      bytes: connection.length,
    },
  );
  connection.end("preread-timeout");
}
