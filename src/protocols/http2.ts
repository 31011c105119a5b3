import {
  type ByteClass,
  byteClass,
  bytesOf,
  Cursor,
  encode,
  MAX_MESSAGE,
  TEXT,
  TOKEN,
} from "./_bytes.ts";
import { FieldList, type HttpHeaders } from "./_headers.ts";
import type { HostPort } from "./_host.ts";
import { decodeFields, type Field } from "./_hpack.ts";
import { looseHostPort } from "./_loose_host.ts";
import { normalizePath } from "./_path.ts";
import type { Input } from "./types.ts";

const PREFACE = encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** What a client may send before it knows the server's settings, in bytes. */
const MAX_PAYLOAD = 16_384;

const HEADERS = 1;
const PRIORITY = 2;
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const FIRST = byteClass((type) => type === SETTINGS);
const BEFORE_HEADERS = byteClass((type) =>
  [HEADERS, PRIORITY, SETTINGS, PING, WINDOW_UPDATE].includes(type) ||
  type > CONTINUATION
);
const CONTINUES = byteClass((type) => type === CONTINUATION);
const ACK = 0x01;
const END_HEADERS = 0x04;
const PADDED = 0x08;
const HAS_PRIORITY = 0x20;

/** The first request of a cleartext HTTP/2 connection. */
export interface Http2Request {
  /** `:method`, such as `GET`. */
  readonly method: string;
  /** `:scheme`, such as `http`; `undefined` for `CONNECT`. */
  readonly scheme: string | undefined;
  /** `:authority` as it came: host, and port if there is one. */
  readonly authority: string | undefined;
  /** `:path` with its query, as it came; the empty string for `CONNECT`. */
  readonly path: string;
  /**
   * The path without its query, decoded once except for `%2F`, with `.` and
   * `..` resolved and several slashes made one: `/admin` for `//a/../%61dmin?x`.
   * One character per byte.
   */
  readonly normalizedPath: string;
  /**
   * Host of `:authority`, else of the `host` field: lower case, without user
   * information, port, trailing dot and brackets; a name in UTF-8 in its ASCII
   * form (`xn--bcher-kva.example`). `undefined` when there is none, when it is
   * no host name and no IP address (such as the path of a socket file), or when
   * several `host` fields differ.
   */
  readonly host: string | undefined;
  /** Port that was given with the host; `undefined` without one. */
  readonly port: number | undefined;
  /** The header fields without the pseudo-header fields. */
  readonly headers: HttpHeaders;
}

/** A frame's header; the cursor is at its payload. */
interface Frame {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

/**
 * Reads the first request of an HTTP/2 connection that begins without TLS
 * ("prior knowledge"), up to the end of its header block.
 *
 * Follows RFC 9113 (section 3.4 for the preface) and RFC 7541 (HPACK). The
 * header block has to end within the first 65,536 bytes, whatever frames come
 * before it, and the decoded fields may have 65,536 bytes. Requests that are
 * malformed are `null`, such as those with two `:authority`. A `host` field that
 * says otherwise than `:authority` is ignored (RFC 9113 section 8.3.1).
 *
 * A client may wait for the server's settings before it sends a request; most
 * do not.
 *
 * @param data The first bytes of the connection.
 * @returns The request; `null` if this is not HTTP/2; `undefined` while the
 *   header block is incomplete.
 *
 * @example
 * ```ts
 * import { http2 } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
 * const settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
 * const headers = [0, 0, 8, 1, 5, 0, 0, 0, 1];
 * const fields = [0x82, 0x84, 0x86, 0x41, 3, 0x61, 0x2e, 0x62];
 * const request = http2(
 *   new Uint8Array([...preface, ...settings, ...headers, ...fields]),
 * );
 * assert.equal(request?.host, "a.b");
 * assert.equal(request.path, "/");
 * ```
 */
export function http2(data: Input): Http2Request | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_MESSAGE);
  if (!c.literal(PREFACE)) return c.answer;
  for (let isFirst = true;; isFirst = false) {
    const frame = nextFrame(c, isFirst ? FIRST : BEFORE_HEADERS);
    if (frame === undefined) return c.answer;
    if (frame.type === HEADERS) {
      const block = headerBlock(c, frame);
      return block ? request(block) : block;
    }
    if (!isWellFormed(frame) || isFirst && (frame.flags & ACK) !== 0) {
      return null;
    }
    if (!c.skip(frame.length)) return c.answer;
  }
}

function nextFrame(c: Cursor, types: ByteClass): Frame | undefined {
  const length = c.uint(3, 0, MAX_PAYLOAD);
  if (length < 0 || !c.run(1, types)) return undefined;
  const type = c.bytes[c.pos - 1]!;
  const flags = c.uint(1);
  if (flags < 0) return undefined;
  const stream = c.uint(4);
  if (stream < 0) return undefined;
  if (c.pos + length > MAX_MESSAGE) return void c.reject();
  return { length, type, flags, stream: stream & 0x7fffffff };
}

/** Whether a frame before the first HEADERS is as it has to be. */
function isWellFormed({ length, type, flags, stream }: Frame): boolean {
  switch (type) {
    case SETTINGS:
      return stream === 0 && length % 6 === 0 &&
        ((flags & ACK) === 0 || length === 0);
    case WINDOW_UPDATE:
      return stream === 0 && length === 4;
    case PRIORITY:
      return stream !== 0 && length === 5;
    case PING:
      return stream === 0 && length === 8;
    default: // an extension, to be ignored
      return true;
  }
}

/** A cursor over the header block that begins in this HEADERS frame. */
function headerBlock(c: Cursor, frame: Frame): Cursor | null | undefined {
  const { bytes } = c;
  const end = c.pos + frame.length;
  if (frame.stream % 2 === 0) return null;
  c.limit = end;
  const padding = (frame.flags & PADDED) !== 0 ? c.uint(1) : 0;
  if (padding < 0) return c.answer;
  if ((frame.flags & HAS_PRIORITY) !== 0 && !c.skip(5)) return c.answer;
  if (c.pos + padding > end) return null;
  c.limit = MAX_MESSAGE;
  if ((frame.flags & END_HEADERS) !== 0) {
    return new Cursor(bytes, c.pos, end - padding);
  }

  const block = new Uint8Array(Math.min(bytes.length, MAX_MESSAGE));
  let length = append(block, 0, bytes, c.pos, end - padding);
  let left = end - c.pos; // of the frame that has been copied
  while (c.skip(left)) {
    const next = nextFrame(c, CONTINUES);
    if (next === undefined && c.answer === null) return null;
    if (next === undefined) break;
    if (next.stream !== frame.stream) return null;
    left = next.length;
    const limit = length + left;
    length = append(block, length, bytes, c.pos, c.pos + left);
    if ((next.flags & END_HEADERS) !== 0) {
      return new Cursor(block.subarray(0, length), 0, limit);
    }
  }
  return new Cursor(block.subarray(0, length), 0, MAX_MESSAGE);
}

/** Copies what there is of a fragment; returns the new length. */
function append(
  block: Uint8Array,
  length: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const fragment = bytes.subarray(start, end);
  block.set(fragment, length);
  return length + fragment.length;
}

function request(block: Cursor): Http2Request | null | undefined {
  const fields: Field[] = [];
  const isWhole = decodeFields(block, fields);
  if (!isWhole && block.answer === null) return null;
  const pseudo = pseudoFields(fields);
  if (pseudo === null) return null;
  if (!isWhole) return undefined;
  const method = pseudo.get(":method");
  const scheme = pseudo.get(":scheme");
  const authority = pseudo.get(":authority");
  const path = pseudo.get(":path") ?? "";
  if (method === undefined || method === "") return null;
  // A tunnel has an authority only, but one for another protocol (RFC 8441) has
  // all that other requests have.
  const isTunnel = method === "CONNECT" && !pseudo.has(":protocol");
  const isComplete = isTunnel
    ? authority !== undefined && scheme === undefined && !pseudo.has(":path")
    : scheme !== undefined && isPath(path, method);
  if (!isComplete) return null;
  const where = location(authority, fields);
  return {
    method,
    scheme,
    authority,
    path,
    normalizedPath: normalizePath(path),
    host: where?.host,
    port: where?.port,
    headers: new FieldList(fields),
  };
}

/**
 * The pseudo-header fields; `null` when a field may not be in a request (RFC
 * 9113 section 8.2, 8.3).
 */
function pseudoFields(fields: readonly Field[]): Map<string, string> | null {
  const pseudo = new Map<string, string>();
  let isRegular = false;
  for (const { name, value } of fields) {
    if (!isText(value)) return null;
    if (!name.startsWith(":")) {
      if (!isName(name)) return null;
      isRegular = true;
    } else if (isRegular || pseudo.has(name) || !PSEUDO.has(name)) {
      return null;
    } else {
      pseudo.set(name, value);
    }
  }
  return pseudo;
}

const PSEUDO: ReadonlySet<string> = new Set([
  ":method",
  ":scheme",
  ":authority",
  ":path",
  ":protocol",
]);

function isPath(path: string, method: string): boolean {
  return path.startsWith("/") || path === "*" && method === "OPTIONS";
}

/** Where the request wants to go; `undefined` when it does not say. */
function location(
  authority: string | undefined,
  fields: readonly Field[],
): HostPort | undefined {
  if (authority) return parseHost(authority);
  let where: HostPort | undefined;
  for (const { name, value } of fields) {
    if (name !== "host") continue;
    const other = parseHost(value);
    const isSame = where === undefined ||
      where.host === other.host && where.port === other.port;
    where = isSame ? other : { host: undefined, port: undefined };
  }
  return where;
}

/** Reads a host of which each character is one byte. */
function parseHost(text: string): HostPort {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return looseHostPort(bytes, 0, bytes.length);
}

/** A field name: a token without upper case. */
function isName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (TOKEN[code] === 0 || code >= 0x41 && code <= 0x5a) return false;
  }
  return name !== "";
}

function isText(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (TEXT[code] === 0 && code !== 0x09) return false;
  }
  return true;
}
