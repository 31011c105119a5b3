import { hexDigit } from "./_address.ts";
import {
  byteClass,
  bytesOf,
  Cursor,
  encode,
  oneOf,
  TEXT,
  utf8,
} from "./_bytes.ts";
import { HOST_BYTES, type HostPort, hostPort } from "./_host.ts";
import type { Input } from "./types.ts";

const NUL = 0;
/** Length, service, space, path of one character, NUL. */
const MIN_PACKET = 4 + "git-upload-pack".length + 3;
const MAX_PACKET = 65_520;
const SERVICES: readonly GitService[] = [
  "git-upload-pack",
  "git-receive-pack",
  "git-upload-archive",
];
const SERVICE_BYTES = SERVICES.map((service) => encode(`${service} `));
const HOST = encode("host=");
const PATH_START = oneOf("/~");
const HOST_PORT = byteClass((byte) =>
  HOST_BYTES[byte] === 1 || byte === 0x5b || byte === 0x5d
);

/** What a Git client wants to do: fetch, push, or get an archive. */
export type GitService =
  | "git-upload-pack"
  | "git-receive-pack"
  | "git-upload-archive";

/** The request that a Git client sends over `git://`. */
export interface GitRequest {
  /** What the client wants to do: fetch, push, or get an archive. */
  readonly service: GitService;
  /** Path of the repository as it was sent, with its first `/` (or `~`). */
  readonly path: string;
  /**
   * Host that the client was told to connect to: lower case, without port and
   * trailing dot.
   */
  readonly host: string | undefined;
  /**
   * Port that the client was told to connect to, when it is not the usual 9418.
   */
  readonly port: number | undefined;
  /**
   * Version of the protocol that the client asks for, such as 2; `undefined` if
   * it does not say.
   */
  readonly version: number | undefined;
  /** Length of the request in bytes. */
  readonly length: number;
}

/**
 * Reads the request of a Git client that uses the Git protocol (`git://`).
 *
 * Follows "Git Transport" in Git's `gitprotocol-pack`. Paths with control
 * characters are `null`, as Git refuses to send them. The request may have
 * 65,520 bytes.
 *
 * @param data The first bytes of the connection.
 * @returns The request; `null` if this is not the Git protocol; `undefined`
 *   while it is incomplete.
 *
 * @example
 * ```ts
 * import { git } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const line = "002egit-upload-pack /a/b.git\0host=example.com\0";
 * const request = git(new TextEncoder().encode(line));
 * assert.equal(request?.path, "/a/b.git");
 * assert.equal(request.host, "example.com");
 * ```
 */
export function git(data: Input): GitRequest | null | undefined {
  const c = new Cursor(bytesOf(data));
  const length = packetLength(c);
  if (length < 0) return c.answer;
  c.limit = length;
  const service = readService(c);
  if (service === undefined) return c.answer;
  const pathStart = c.pos;
  if (!c.run(1, PATH_START)) return c.answer;
  const pathEnd = c.until(NUL, TEXT, length);
  if (pathEnd < 0) return c.answer;
  const where = readHost(c);
  if (where === undefined) return c.answer;
  const version = readVersion(c);
  if (version < 0) return c.answer;
  return {
    service,
    path: utf8(c.bytes, pathStart, pathEnd),
    host: where?.host,
    port: where?.port,
    version: version || undefined,
    length,
  };
}

/** The four hexadecimal digits at the start, which count themselves; or -1. */
function packetLength(c: Cursor): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = c.bytes[i];
    if (byte === undefined) return c.wait();
    const digit = hexDigit(byte);
    if (digit < 0) return c.reject();
    value = value << 4 | digit;
    const unit = 16 ** (3 - i); // what the digits to come can add, and one
    if (value * unit + unit <= MIN_PACKET || value * unit > MAX_PACKET) {
      return c.reject();
    }
  }
  c.pos = 4;
  return value;
}

function readService(c: Cursor): GitService | undefined {
  let answer: null | undefined = null;
  for (let i = 0; i < SERVICES.length; i++) {
    if (c.literal(SERVICE_BYTES[i]!)) return SERVICES[i];
    if (c.answer === undefined) answer = undefined;
  }
  c.answer = answer;
  return undefined;
}

/**
 * `host=name[:port]` NUL; `null` when there is none, `undefined` on failure.
 */
function readHost(c: Cursor): HostPort | null | undefined {
  if (c.pos === c.limit) return null;
  if (c.pos === c.bytes.length) return void c.wait();
  if (c.bytes[c.pos] === NUL) return null;
  if (!c.literal(HOST)) return undefined;
  const start = c.pos;
  const end = c.until(NUL, HOST_PORT, c.limit);
  if (end < 0) return undefined;
  return hostPort(c.bytes, start, end) ?? void c.reject();
}

/**
 * The `version` among the extra parameters: NUL, then `key[=value]` NUL …; 0 =
 * none, -1 = failure.
 */
function readVersion(c: Cursor): number {
  if (c.pos === c.limit) return 0;
  if (c.uint(1, NUL, NUL) < 0) return -1;
  let version = 0;
  while (c.pos < c.limit) {
    const start = c.pos;
    const end = c.until(NUL, TEXT, c.limit);
    if (end < 0) return -1;
    const found = /^version=(\d{1,3})$/.exec(utf8(c.bytes, start, end));
    if (found !== null) version = Number(found[1]);
  }
  return version;
}
