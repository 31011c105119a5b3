/**
 * One check of one member.
 *
 * @module
 */
import { connectHost } from "../net/connect_named.ts";
import { destinations } from "../net/destinations.ts";
import { isExhausted } from "../lib/exhausted.ts";
import { localHeader, proxyHeader } from "../net/proxy_header.ts";
import { type Socket, takeSocket } from "../net/socket.ts";
import type { Target } from "../net/remote.ts";
import { startTls, type Wanting } from "../net/tls_client.ts";
import { messageOf, oneLine } from "../lib/errors.ts";
import type { Address } from "../router/contract.ts";
import { fromLatin1 } from "../router/latin1.ts";
import { writeAll } from "../lib/write_all.ts";
import type { CheckPlan } from "./checked_options.ts";

/** Bytes of an answer that are looked at, at most. */
const MAX_ANSWER = 16_384;

/**
 * Connects to a member, sends what is to be sent, reads what is to be read, and
 * closes the connection.
 *
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
  const started = performance.now();
  const timer = setTimeout(
    () =>
      controller.abort(
        new Deno.errors.TimedOut(
          `no answer within ${check.timeout / 1000} seconds`,
        ),
      ),
    check.timeout,
  );
  const wanting: Wanting = {
    connecting: undefined,
    isClosed: () => signal.aborted,
  };
  let open: { close(): void } | undefined;
  const close = () => {
    wanting.connecting?.abort();
    open?.close();
    open = undefined;
  };
  signal.addEventListener("abort", close);
  try {
    const conn = await connect(target, signal);
    open = { close: () => conn[Symbol.dispose]() };
    if (signal.aborted) throw signal.reason;
    if (check.proxyProtocol !== undefined) await introduce(conn, check);
    const socket = check.tls === undefined || !("hostname" in target.address)
      ? takeSocket(conn as Deno.TcpConn)
      : await startTls(
        wanting,
        conn as Deno.TcpConn,
        target.address.hostname,
        check.tls,
        started,
        check.timeout * 2, // the signal comes before
      );
    open = socket;
    if (signal.aborted) throw signal.reason;
    return await converse(socket, check);
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
): Promise<Deno.TcpConn | Deno.UnixConn> {
  return "path" in address
    ? destinations().connectPath(address)
    : connectHost(address, AbortSignal.any([signal]));
}

/** Sends the header of the PROXY protocol. */
async function introduce(
  conn: Deno.TcpConn | Deno.UnixConn,
  { proxyProtocol }: CheckPlan,
): Promise<void> {
  const { localAddr, remoteAddr } = conn;
  const header = proxyProtocol === 2
    ? localHeader()
    : proxyHeader(1, localAddr as Address, remoteAddr as Address);
  await writeAll(conn, header);
}

async function converse(
  socket: Socket,
  { send, expect }: CheckPlan,
): Promise<string | undefined> {
  if (send !== undefined) await writeAll(socket, send);
  if (expect === undefined) return undefined;
  const answer = new Uint8Array(MAX_ANSWER);
  for (let length = 0;;) {
    const bytes = answer.subarray(0, length);
    const verdict = expect instanceof RegExp
      ? matches(bytes, expect)
      : begins(bytes, expect);
    if (verdict === true) return undefined;
    const count = verdict === false || length === answer.length
      ? 0
      : await socket.read(answer.subarray(length));
    if (count === 0) return `unexpected answer ${show(bytes)}`;
    length += count;
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
