import { bytesOf, Cursor, latin1, MAX_MESSAGE } from "./_bytes.ts";
import { looseName } from "./_loose_host.ts";
import type { Input } from "./types.ts";

const HANDSHAKE = 0x16;
const CLIENT_HELLO = 1;
const MAX_FRAGMENT = 16_384;
/**
 * Version, random, and the shortest session id, cipher suites and compression
 * methods.
 */
const MIN_HELLO = 2 + 32 + 1 + 4 + 2;
const EXTENSION_HEADER = 4;
const SSL3 = 0x0300;
/** The first bit of a record of SSL 2 without padding; its length follows. */
const SSL2_HEADER = 0x80;
/** A hello of SSL 2 without lists. */
const MIN_SSL2_HELLO = 9;
/** Some 1300 cipher suites. */
const MAX_SSL2_HELLO = 0x0fff;
const SSL2_CIPHER = 3;
const VERSIONS = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;

/** What a client says in its TLS ClientHello. */
export interface TlsClientHello {
  /**
   * Host name that the client wants (SNI): lower case, no trailing dot, a name
   * in UTF-8 in its ASCII form (`xn--bcher-kva.example`). `undefined` when there
   * is none, or when it is no host name and no IP address, such as
   * `*.example.com`, `host:443` or a label of more than 63 characters.
   */
  readonly serverName: string | undefined;
  /**
   * The name as it came, whatever it is, one character per byte; `undefined`
   * when there is none.
   */
  readonly rawServerName: string | undefined;
  /**
   * Application protocols in the client's order, such as `h2` and `http/1.1`;
   * one character per byte.
   */
  readonly alpn: readonly string[];
  /**
   * Versions in the client's order, such as `TLSv1.3`; unknown ones as
   * `0x7f1c`, reserved (GREASE) ones left out. Without the extension of TLS 1.3,
   * and in the format of SSL 2, it is the one highest version.
   */
  readonly versions: readonly string[];
}

/**
 * Reads a TLS ClientHello: server name, application protocols, versions.
 *
 * Follows RFC 8446 (and 5246, 2246), RFC 6066 for the server name and RFC 7301
 * for ALPN. The hello is put together when it comes in several records, at
 * whatever byte they are cut. It has to end within the first 65,536 bytes of
 * the connection. With an encrypted hello (ECH) the values are those of the
 * outer one.
 *
 * A hello in the format of SSL 2 is read if it offers SSL 3 or TLS (RFC 5246
 * appendix E.2); it has no server name and no application protocols.
 *
 * Malformed hellos, which servers refuse, are `null`, such as those in which an
 * extension comes twice. An odd server name is not malformed: `serverName` is
 * `undefined` then, and `rawServerName` has it.
 *
 * @param data The first bytes of the connection.
 * @returns What the client says; `null` if this is not TLS; `undefined` while
 *   the hello is incomplete.
 *
 * @example
 * ```ts
 * import { tls } from "proxymachine/protocols";
 * import { Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const router = {
 *   route(data) {
 *     const hello = tls(data);
 *     if (hello === undefined) return { noop: true };
 *     if (!hello?.serverName?.endsWith(".example.com")) return { close: true };
 *     return { remote: `${hello.serverName}:8443` };
 *   },
 * } satisfies Router;
 *
 * const start = new Preread(new Uint8Array([0x16, 0x03]));
 * assert.deepEqual(router.route(start), { noop: true });
 * ```
 */
export function tls(data: Input): TlsClientHello | null | undefined {
  const bytes = bytesOf(data);
  if (bytes[0]! >= SSL2_HEADER) return ssl2Hello(bytes);
  const hello = reassemble(bytes);
  return hello ? clientHello(hello) : hello;
}

/** A cursor over the handshake message, as much of it as there is. */
function reassemble(bytes: Uint8Array): Cursor | null | undefined {
  const records = new Cursor(bytes);
  const first = recordLength(records);
  if (first < 0) return records.answer;
  const start = records.pos;
  if (first < 4) return reassembleFragments(bytes);
  const header = new Cursor(bytes, start);
  const length = helloLength(header);
  if (length < 0) return header.answer;
  if (header.pos + length > MAX_MESSAGE) return null;
  return 4 + length <= first
    ? new Cursor(bytes, start, start + 4 + length)
    : reassembleFragments(bytes);
}

/**
 * Reads a hello in the format of SSL 2: length, type, version, the sizes of
 * three lists, and these.
 */
function ssl2Hello(bytes: Uint8Array): TlsClientHello | null | undefined {
  const c = new Cursor(bytes);
  const min = SSL2_HEADER << 8 | MIN_SSL2_HELLO;
  const length = c.uint(2, min, SSL2_HEADER << 8 | MAX_SSL2_HELLO);
  if (length < 0) return c.answer;
  c.limit = c.pos + (length & 0x7fff);
  if (c.uint(1, CLIENT_HELLO, CLIENT_HELLO) < 0) return c.answer;
  const version = c.uint(2, SSL3, SSL3 + 0xff);
  if (version < 0) return c.answer;
  const ciphers = c.uint(2, SSL2_CIPHER);
  if (ciphers % SSL2_CIPHER !== 0) return ciphers < 0 ? c.answer : null;
  const sessionId = c.uint(2, 0, 32);
  if (sessionId < 0) return c.answer;
  const rest = c.limit - c.pos - 2 - ciphers - sessionId;
  const challenge = rest < 16
    ? c.reject()
    : c.uint(2, rest, Math.min(rest, 32));
  if (challenge < 0 || !c.skip(ciphers + sessionId + challenge)) {
    return c.answer;
  }
  return {
    serverName: undefined,
    rawServerName: undefined,
    alpn: [],
    versions: [versionName(version)],
  };
}

/** The length of the record that begins here, or -1. */
function recordLength(records: Cursor): number {
  if (records.uint(1, HANDSHAKE, HANDSHAKE) < 0) return -1;
  if (records.uint(2, SSL3, SSL3 + 0xff) < 0) return -1;
  return records.uint(2, 1, MAX_FRAGMENT);
}

/** The length behind the handshake header that begins here, or -1. */
function helloLength(handshake: Cursor): number {
  if (handshake.uint(1, CLIENT_HELLO, CLIENT_HELLO) < 0) return -1;
  return handshake.uint(3, MIN_HELLO, MAX_MESSAGE);
}

/**
 * Copies the fragments, one record after another, until the message is whole.
 */
function reassembleFragments(bytes: Uint8Array): Cursor | null | undefined {
  const message = new Uint8Array(Math.min(bytes.length, MAX_MESSAGE));
  const records = new Cursor(bytes);
  let have = 0;
  let need = -1; // not known before the handshake header is whole
  while (have !== need) {
    const length = recordLength(records);
    if (length < 0 && records.answer === null) return null;
    if (length < 0) break;
    const rest = need < 0 ? MAX_MESSAGE : need - have;
    const end = records.pos +
      Math.min(length, rest, bytes.length - records.pos);
    if (end > MAX_MESSAGE) return null;
    message.set(bytes.subarray(records.pos, end), have);
    have += end - records.pos;
    if (need < 0) {
      const header = new Cursor(message.subarray(0, have));
      const body = helloLength(header);
      if (body < 0 && header.answer === null) return null;
      if (body >= 0) need = 4 + body;
      if (have > need && need > 0) have = need;
    }
    if (need > 0 && end + need - have > MAX_MESSAGE) return null;
    if (!records.skip(length)) break;
  }
  const limit = need < 0 ? MAX_MESSAGE : need;
  return new Cursor(message.subarray(0, have), 0, limit);
}

function clientHello(c: Cursor): TlsClientHello | null | undefined {
  const length = helloLength(c);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  const version = c.uint(2, SSL3, SSL3 + 0xff);
  if (version < 0 || !c.skip(32)) return c.answer;
  const sessionId = c.uint(1, 0, 32);
  if (sessionId < 0 || !c.skip(sessionId)) return c.answer;
  const ciphers = c.uint(2, 2, 0xfffe);
  if (ciphers % 2 !== 0) return ciphers < 0 ? c.answer : null;
  if (!c.skip(ciphers)) return c.answer;
  const compression = c.uint(1, 1, 255);
  if (compression < 0 || !c.skip(compression)) return c.answer;
  return extensions(c, version);
}

/** Reads the rest of the hello; before TLS 1.3 there need not be any. */
function extensions(
  c: Cursor,
  version: number,
): TlsClientHello | null | undefined {
  let name: [start: number, end: number] | undefined;
  let alpn: string[] | undefined;
  let versions: string[] | undefined;
  if (c.pos < c.limit) {
    const length = c.limit - c.pos - 2;
    if (c.uint(2, length, length) < 0) return c.answer;
  }
  while (c.pos < c.limit) {
    if (c.limit - c.pos < EXTENSION_HEADER) return null;
    const type = c.uint(2);
    if (type < 0) return c.answer;
    const length = c.sizeOf(2);
    if (length < 0) return c.answer;
    const outer = c.limit;
    c.limit = c.pos + length;
    if (type === SERVER_NAME) {
      if (name !== undefined) return null;
      if (!c.skip(length)) return c.answer;
      name = serverNameAt(c.bytes, c.pos - length, c.pos);
    } else if (type === ALPN) {
      if (alpn !== undefined) return null;
      alpn = readAlpn(c);
      if (alpn === undefined) return c.answer;
    } else if (type === SUPPORTED_VERSIONS) {
      if (versions !== undefined) return null;
      versions = readVersions(c);
      if (versions === undefined) return c.answer;
    } else if (!c.skip(length)) {
      return c.answer;
    }
    c.limit = outer;
  }
  const [start, end] = name ?? [0, 0];
  const hasName = start < end;
  return {
    serverName: hasName ? looseName(c.bytes, start, end) : undefined,
    rawServerName: hasName ? latin1(c.bytes, start, end) : undefined,
    alpn: alpn ?? [],
    versions: versions ?? [versionName(version)],
  };
}

/**
 * Where the one host name in the content of the extension is; an empty range
 * when there is none or there are several, or the list is broken: a name that
 * cannot be read is no reason not to see that this is TLS.
 */
function serverNameAt(
  bytes: Uint8Array,
  start: number,
  end: number,
): [start: number, end: number] {
  let found: [number, number] | undefined;
  let pos = start + 2;
  if (pos > end || uint16(bytes, start) !== end - pos) return [end, end];
  while (pos < end) {
    const name = pos + 3; // behind its type and length
    const next = name > end ? end + 1 : name + uint16(bytes, pos + 1);
    if (next > end || found !== undefined && bytes[pos] === 0) {
      return [end, end];
    }
    if (bytes[pos] === 0) found = [name, next];
    pos = next;
  }
  return found ?? [end, end];
}

function uint16(bytes: Uint8Array, pos: number): number {
  return bytes[pos]! << 8 | bytes[pos + 1]!;
}

/** The list of protocols; `undefined` on failure. */
function readAlpn(c: Cursor): string[] | undefined {
  const list = c.limit - c.pos - 2;
  if (c.uint(2, Math.max(2, list), list) < 0) return undefined;
  const protocols: string[] = [];
  while (c.pos < c.limit) {
    const length = c.sizeOf(1, 1);
    if (length < 0 || !c.skip(length)) return undefined;
    protocols.push(latin1(c.bytes, c.pos - length, c.pos));
  }
  return protocols;
}

/** The list of versions; `undefined` on failure. */
function readVersions(c: Cursor): string[] | undefined {
  const list = c.limit - c.pos - 1;
  if (list % 2 !== 0) return void c.reject();
  if (c.uint(1, Math.max(2, list), list) < 0) return undefined;
  const versions: string[] = [];
  while (c.pos < c.limit) {
    const version = c.uint(2);
    if (version < 0) return undefined;
    if ((version & 0x0f0f) !== 0x0a0a) versions.push(versionName(version));
  }
  return versions;
}

function versionName(version: number): string {
  const known = VERSIONS[version - SSL3];
  return known ?? `0x${version.toString(16).padStart(4, "0")}`;
}
