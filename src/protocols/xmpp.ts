import {
  byteClass,
  bytesOf,
  Cursor,
  encode,
  latin1,
  oneOf,
  strictUtf8,
  TEXT,
  utf8,
} from "./_bytes.ts";
import { hostName, hostPort } from "./_host.ts";
import type { Input } from "./types.ts";

const QUESTION = 0x3f;
const GREATER = 0x3e;
const LESS = 0x3c;
const MAX_HEADER = 8192;
const PROLOG = encode("<?xml");
const STREAM = "stream";
/** The name in nearly every stream. */
const USUAL_NAME = encode("stream:stream");
const USUAL_NAMESPACE = "xmlns:stream";
/** Of the prefix in the name of the stream, in bytes. */
const MAX_PREFIX = 64;
const STREAM_NAMESPACE = "http://etherx.jabber.org/streams";
const SPACE = oneOf(" \t\r\n");
const PROLOG_TEXT = byteClass((byte) =>
  SPACE[byte] === 1 || TEXT[byte] === 1 && !isAngle(byte)
);
const NAME = byteClass((byte) =>
  TEXT[byte] === 1 && !isAngle(byte) && !` "'&/=`.includes(char(byte))
);
const NAME_START = byteClass((byte) =>
  (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a || byte === 0x5f ||
  byte > 0x7f
);
const VALUE = byteClass((byte) =>
  SPACE[byte] === 1 || TEXT[byte] === 1 && byte !== 0x3c
);

/** The header of an XMPP stream. */
export interface XmppStream {
  /**
   * Host that the client wants: lower case, no trailing dot, an international
   * name in Unicode. `undefined` if it does not say, or says something that is no
   * host name and no IP address.
   */
  readonly to: string | undefined;
  /**
   * What the other end is: `jabber:client` or `jabber:server`; `undefined` if
   * it does not say, as in a stream without a prefix.
   */
  readonly namespace: string | undefined;
}

/**
 * Reads the header of an XMPP stream: an XML declaration, which may be missing,
 * and the start tag `<stream:stream …>`, with any prefix or none.
 *
 * Follows RFC 6120 section 4, and RFC 7622 for international host names, which
 * stay as they are (in lower case). Both together may have 8,192 bytes.
 *
 * @param data The first bytes of the connection.
 * @returns The header; `null` if this is not XMPP; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { xmpp } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const header = "<?xml version='1.0'?><stream:stream to='Example.com' " +
 *   "xmlns='jabber:client' version='1.0' " +
 *   "xmlns:stream='http://etherx.jabber.org/streams'>";
 * assert.equal(xmpp(new TextEncoder().encode(header))?.to, "example.com");
 * ```
 */
export function xmpp(data: Input): XmppStream | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_HEADER);
  if (c.bytes[1] === QUESTION && !skipProlog(c)) return c.answer;
  const prefix = readStream(c);
  if (prefix === undefined) return c.answer;
  let to: string | undefined;
  const attributes = new Map<string, string>();
  for (;;) {
    const before = c.pos;
    if (c.over(SPACE, MAX_HEADER) < 0) return c.answer;
    if (c.bytes[c.pos] === GREATER) break;
    if (c.pos === before) return null;
    const name = readName(c);
    if (name === undefined) return c.answer;
    const value = readValue(c);
    if (value < 0) return c.answer;
    if (attributes.has(name)) return null;
    attributes.set(name, utf8(c.bytes, value, c.pos - 1));
    if (name === "to") to = domain(c.bytes, value, c.pos - 1);
  }
  if (attributes.get(prefix) !== STREAM_NAMESPACE) return null;
  const hasPrefix = prefix !== "xmlns";
  return { to, namespace: hasPrefix ? attributes.get("xmlns") : undefined };
}

/**
 * The start of the tag, whose name is `stream` with any prefix or none. Returns
 * the attribute that has to name the namespace of that, such as `xmlns:stream`;
 * `undefined` on failure.
 */
function readStream(c: Cursor): string | undefined {
  if (c.uint(1, LESS, LESS) < 0) return undefined;
  const start = c.pos;
  if (c.literal(USUAL_NAME)) {
    const next = c.bytes[c.pos];
    if (next === undefined) return void c.wait();
    return NAME[next] === 0 ? USUAL_NAMESPACE : void c.reject();
  }
  if (!c.run(1, NAME_START)) return undefined;
  const end = c.over(NAME, MAX_PREFIX + STREAM.length);
  if (end < 0) return undefined;
  const name = latin1(c.bytes, start, end);
  if (name === STREAM) return "xmlns";
  const prefix = name.slice(0, -1 - STREAM.length);
  return prefix !== "" && name === `${prefix}:${STREAM}`
    ? `xmlns:${prefix}`
    : void c.reject();
}

/** The XML declaration and the space behind it. */
function skipProlog(c: Cursor): boolean {
  return c.literal(PROLOG) && c.run(1, SPACE) &&
    c.until(QUESTION, PROLOG_TEXT, MAX_HEADER) >= 0 &&
    c.uint(1, GREATER, GREATER) >= 0 && c.over(SPACE, MAX_HEADER) >= 0;
}

/** An attribute's name and its `=`; `undefined` on failure. */
function readName(c: Cursor): string | undefined {
  const start = c.pos;
  const end = c.over(NAME, MAX_HEADER);
  if (end < 0) return undefined;
  if (end === start) return void c.reject();
  if (c.over(SPACE, MAX_HEADER) < 0 || c.uint(1, 0x3d, 0x3d) < 0) {
    return undefined;
  }
  return latin1(c.bytes, start, end);
}

/**
 * The index of an attribute's value; the cursor is behind its closing quote.
 */
function readValue(c: Cursor): number {
  if (c.over(SPACE, MAX_HEADER) < 0) return -1;
  const quote = c.uint(1);
  if (quote !== 0x22 && quote !== 0x27) return quote < 0 ? -1 : c.reject();
  const start = c.pos;
  return c.until(quote, VALUE, MAX_HEADER) < 0 ? -1 : start;
}

/**
 * A host name, address in brackets, or international host name; `undefined` if
 * it is none.
 */
function domain(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  const ascii = hostName(bytes, start, end);
  if (ascii !== null) return ascii;
  if (bytes[start] === 0x5b) {
    const address = hostPort(bytes, start, end);
    return address?.port === undefined ? address?.host : undefined;
  }
  const text = strictUtf8(bytes, start, end);
  const isAscii = text?.length === end - start;
  if (text === null || isAscii) return undefined;
  const name = text.normalize("NFC").toLowerCase().replaceAll("\u3002", ".")
    .replace(/\.$/, "");
  const isName = /^[\p{L}\p{M}\p{N}_.-]{1,255}$/u.test(name);
  return isName && !name.split(".").includes("") ? name : undefined;
}

function isAngle(byte: number): boolean {
  return byte === 0x3c || byte === GREATER;
}

function char(byte: number): string {
  return String.fromCharCode(byte);
}
