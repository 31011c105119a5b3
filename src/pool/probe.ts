/**
 * One check of one member.
 *
 * @module
 */
import { connectUntil } from "../connection/connect_until.ts";
import { isExhausted } from "../connection/descriptors.ts";
import { localHeader, proxyHeader } from "../connection/proxy_header.ts";
import type { Target } from "../connection/target.ts";
import { messageOf, oneLine } from "../errors.ts";
import type { Address } from "../router/contract.ts";
import { fromLatin1 } from "../router/latin1.ts";
import type { CheckPlan } from "./plan.ts";

/** Bytes of an answer that are looked at, at most. */
const MAX_ANSWER = 16_384;

/**
 * Connects to a member, sends what is to be sent, reads what is to be read, and
 * closes the connection.
 *
 * @param target The member.
 * @param check What to do, and in which time.
 * @param controller Aborts it.
 * @returns Why it is bad; `undefined` if it is good.
 * @throws {Error} If the program is out of file descriptors.
 */
export async function probe(
  target: Target,
  check: CheckPlan,
  controller: AbortController,
): Promise<string | undefined> {
  const { signal } = controller;
  const timer = setTimeout(
    () =>
      controller.abort(
        new Deno.errors.TimedOut(
          `no answer within ${check.timeout / 1000} seconds`,
        ),
      ),
    check.timeout,
  );
  let conn: Deno.Conn | undefined;
  const close = () => conn?.[Symbol.dispose]();
  signal.addEventListener("abort", close);
  try {
    conn = await connect(target, signal);
    if (signal.aborted) throw signal.reason;
    return await converse(conn, check);
  } catch (error) {
    if (isExhausted(error)) throw error;
    return oneLine(messageOf(signal.aborted ? signal.reason : error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", close);
    close();
  }
}

function connect(
  { address }: Target,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  return "path" in address
    ? Deno.connect({ transport: "unix", path: address.path })
    : connectUntil(address, AbortSignal.any([signal]));
}

async function converse(
  conn: Deno.Conn,
  { proxyProtocol, send, expect }: CheckPlan,
): Promise<string | undefined> {
  if (proxyProtocol !== undefined) {
    const { localAddr, remoteAddr } = conn;
    await writeAll(
      conn,
      proxyProtocol === 2
        ? localHeader()
        : proxyHeader(1, localAddr as Address, remoteAddr as Address),
    );
  }
  if (send !== undefined) await writeAll(conn, send);
  if (expect === undefined) return undefined;
  const answer = new Uint8Array(MAX_ANSWER);
  for (let length = 0;;) {
    const bytes = answer.subarray(0, length);
    const verdict = expect instanceof RegExp
      ? matches(bytes, expect)
      : begins(bytes, expect);
    if (verdict === true) return undefined;
    const count = verdict === false || length === answer.length
      ? null
      : await conn.read(answer.subarray(length));
    if (count === null) return `unexpected answer ${show(bytes)}`;
    length += count;
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Tells whether it is the answer; `undefined`: more bytes may make it one. */
function matches(bytes: Uint8Array, expect: RegExp): true | undefined {
  return expect.test(fromLatin1(bytes)) || undefined;
}

/** Tells whether it is the answer; `undefined`: more bytes may make it one. */
function begins(bytes: Uint8Array, expect: Uint8Array): boolean | undefined {
  const length = Math.min(bytes.length, expect.length);
  for (let at = 0; at < length; at++) {
    if (bytes[at] !== expect[at]) return false;
  }
  return bytes.length >= expect.length || undefined;
}

function show(bytes: Uint8Array): string {
  const text = fromLatin1(bytes.subarray(0, 64));
  return JSON.stringify(bytes.length > 64 ? `${text}…` : text);
}
