import { hexDigit } from "./_address.ts";
import { bytesOf, Cursor, encode, latin1, oneOf, textOf } from "./_bytes.ts";
import type { HostPort } from "./_host.ts";
import { looseHostPort } from "./_loose_host.ts";
import type { Input } from "./types.ts";

const NUL = 0;
const LF = 0x0a;
/** Length, service, space, path of one character. */
const MIN_PACKET = 4 + "git-upload-pack".length + 2;
const MAX_PACKET = 65_520;
const SERVICES: readonly GitService[] = [
  "git-upload-pack",
  "git-receive-pack",
  "git-upload-archive",
];
const SERVICE_BYTES = SERVICES.map((service) => encode(`${service} `));
const HOST = encode("host=");
const PATH_START = oneOf("/~");

/** What a Git client wants to do: fetch, push, or get an archive. */
export type GitService =
  | "git-upload-pack"
  | "git-receive-pack"
  | "git-upload-archive";

/** The request that a Git client sends over `git://`. */
export interface GitRequest {
  /** What the client wants to do: fetch, push, or get an archive. */
  readonly service: GitService;
  /**
   * Path of the repository as it came, with its first `/` (or `~`), but without
   * a newline at its end; UTF-8, or else one character per byte.
   */
  readonly path: string;
  /**
   * Host that the client was told to connect to: lower case, without port and
   * trailing dot, a name in UTF-8 in its ASCII form. `undefined` when the client
   * names none, or one that is no host name and no IP address, such as one with
   * a zone.
   */
  readonly host: string | undefined;
  /**
   * Port that the client was told to connect to, when it is not the usual 9418;
   * `undefined` otherwise.
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
 * Follows "Git Transport" in Git's `gitprotocol-pack`, and reads what
 * `git daemon` does: any byte in the path, a newline behind it, and a request
 * that ends without a NUL. The request may have 65,520 bytes.
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
  if (!c.skip(c.limit - c.pos)) return c.answer;
  const pathEnd = endOfText(c.bytes, pathStart, length);
  const hostStart = pathEnd + 1;
  const hostEnd = endOfText(c.bytes, hostStart, length);
  const where = readHost(c.bytes, hostStart, hostEnd);
  // A NUL stands before the parameters, besides the one that ends the host.
  const separator = hostEnd === hostStart ? hostEnd : hostEnd + 1;
  if (where === null || separator < length && c.bytes[separator] !== NUL) {
    return null;
  }
  const hasNewline = c.bytes[pathEnd - 1] === LF;
  return {
    service,
    path: textOf(c.bytes, pathStart, hasNewline ? pathEnd - 1 : pathEnd),
    host: where.host,
    port: where.port,
    version: readVersion(c.bytes, separator + 1, length),
    length,
  };
}

/** The index of the next NUL, or of the end of the request. */
function endOfText(bytes: Uint8Array, start: number, length: number): number {
  let end = start;
  while (end < length && bytes[end] !== NUL) end++;
  return end;
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

/** Reads `host=name[:port]` in any case; `null` when it is something else. */
function readHost(
  bytes: Uint8Array,
  start: number,
  end: number,
): HostPort | null {
  const value = start + HOST.length;
  if (start >= end || value === end) {
    return { host: undefined, port: undefined };
  }
  if (value > end) return null;
  for (let i = 0; i < HOST.length; i++) {
    const byte = bytes[start + i]!;
    if (byte !== HOST[i] && (byte | 0x20) !== HOST[i]) return null;
  }
  return looseHostPort(bytes, value, end);
}

/**
 * The `version` among the extra parameters, each `key[=value]` and a NUL;
 * `undefined` when there is none.
 */
function readVersion(
  bytes: Uint8Array,
  start: number,
  length: number,
): number | undefined {
  let version: number | undefined;
  for (let pos = start; pos < length;) {
    const end = endOfText(bytes, pos, length);
    const text = end - pos < 16 ? latin1(bytes, pos, end) : "";
    const found = /^version=(\d{1,3})$/.exec(text);
    if (found !== null) version = Number(found[1]);
    pos = end + 1;
  }
  return version;
}
