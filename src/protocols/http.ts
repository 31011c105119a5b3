import { isDigit } from "./_address.ts";
import {
  byteClass,
  bytesOf,
  Cursor,
  encode,
  latin1,
  MAX_MESSAGE,
  TEXT,
  TOKEN,
  utf8,
} from "./_bytes.ts";
import { HeadFields, type HttpHeaders } from "./_headers.ts";
import { HOST_BYTES, type HostPort, hostPort } from "./_host.ts";
import type { Input } from "./types.ts";

export type { HttpHeaders } from "./_headers.ts";

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const SLASH = 0x2f;
const MAX_METHOD = 64;
const VERSION = encode("HTTP/1.");
const TARGET = byteClass((byte) => byte > 0x20 && byte !== 0x7f);
const VALUE = byteClass((byte) => TEXT[byte] === 1 || byte === TAB);
const DIGIT = byteClass(isDigit);
const AUTHORITY = byteClass((byte) =>
  HOST_BYTES[byte] === 1 || byte === 0x5b || byte === 0x5d
);
const AUTHORITY_END = byteClass((byte) =>
  byte === SLASH || byte === 0x3f /* ? */
);
const SCHEME = byteClass((byte) =>
  isDigit(byte) || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a ||
  byte === 0x2b || byte === 0x2d || byte === 0x2e
);

/** The head of an HTTP/1 request. */
export interface HttpRequest {
  /** Method as it was sent, such as `GET`. */
  readonly method: string;
  /**
   * Request target as it was sent: `/path?query`, `http://host/path`,
   * `host:port` or `*`.
   */
  readonly target: string;
  /** Path with its query; `*` as it is; the empty string for `CONNECT`. */
  readonly path: string;
  /** `1.1` or `1.0`. */
  readonly version: string;
  /**
   * Host of the target when that has one, else of the `Host` field: lower case,
   * without port, trailing dot and brackets. `undefined` when neither names
   * one.
   */
  readonly host: string | undefined;
  /** Port that was given with the host. */
  readonly port: number | undefined;
  /** The header fields. */
  readonly headers: HttpHeaders;
}

/**
 * Reads the head of an HTTP/1 request, up to and with its empty line.
 *
 * Follows RFC 9112. A bare LF ends a line too; one empty line may come first;
 * folded fields are joined by a space. The host is that of the target, and
 * only when the target has none that of the `Host` field (section 3.2.2).
 *
 * The head may have 65,536 bytes, the method 64. What two readers could
 * understand in two ways is `null`: more than one `Host`, space before a
 * colon, a bare CR, a control character, user information in the target.
 *
 * @param data The first bytes of the connection.
 * @returns The request; `null` if this is not HTTP/1; `undefined` while the
 *   head is incomplete.
 *
 * @example
 * ```ts
 * import { http } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const head = "GET /a HTTP/1.1\r\nHost: Example.com:8080\r\n\r\n";
 * const request = http(new TextEncoder().encode(head));
 * assert.equal(request?.host, "example.com");
 * assert.equal(request.port, 8080);
 * assert.equal(request.headers.get("host"), "Example.com:8080");
 * ```
 */
export function http(data: Input): HttpRequest | null | undefined {
  const bytes = bytesOf(data);
  const head = new Head(bytes);
  if (head.requestLine() && head.fields()) return head.request();
  return bytes.length < MAX_MESSAGE ? head.answer : null;
}

/** Where the parts of the head are. */
class Head extends Cursor {
  private start = 0;
  private methodEnd = 0;
  private targetEnd = 0;
  private version = 0;
  private fieldsStart = 0;
  private pathStart = -1;
  private inTarget: HostPort | undefined;
  private inField: HostPort | undefined;
  private hasHost = false;

  constructor(bytes: Uint8Array) {
    super(bytes, 0, MAX_MESSAGE);
  }

  requestLine(): boolean {
    const first = this.bytes[0];
    if ((first === CR || first === LF) && !this.endOfLine()) return false;
    this.start = this.pos;
    this.methodEnd = this.until(SP, TOKEN, MAX_METHOD);
    if (this.methodEnd < 0) return false;
    if (this.methodEnd === this.start) return this.no();
    if (!this.target()) return false;
    if (!this.literal(VERSION)) return false;
    this.version = this.pos;
    return this.run(1, DIGIT) && this.endOfLine();
  }

  /** Every field and the empty line. */
  fields(): boolean {
    this.fieldsStart = this.pos;
    const { bytes } = this;
    const end = Math.min(bytes.length, this.limit);
    let mayFold = false;
    for (;;) {
      const start = this.pos;
      if (start >= end) return this.notYet();
      const first = bytes[start]!;
      if (first === CR || first === LF) return this.endOfLine();
      let pos = start;
      let isHost = false;
      if (first !== SP && first !== TAB) {
        while (pos < end && TOKEN[bytes[pos]!] === 1) pos++;
        if (pos === end) return this.notYet();
        if (bytes[pos] !== COLON || pos === start) return this.no();
        isHost = pos - start === 4 && isHostName(bytes, start);
        pos++;
      } else if (!mayFold) {
        return this.no();
      }
      const value = pos;
      while (pos < end && VALUE[bytes[pos]!] === 1) pos++;
      this.pos = pos;
      if (!this.endOfLine() || isHost && !this.host(value, pos)) return false;
      mayFold = !isHost;
    }
  }

  request(): HttpRequest {
    const { bytes, start, methodEnd, targetEnd } = this;
    // One string for the whole head: its parts cost next to nothing, and the
    // bytes can go.
    const text = headText(bytes, start, this.pos);
    const target = text.slice(methodEnd + 1 - start, targetEnd - start);
    const where = this.inTarget ?? this.inField;
    return {
      method: text.slice(0, methodEnd - start),
      target,
      path: this.path(target),
      version: bytes[this.version] === 0x31
        ? "1.1"
        : `1.${bytes[this.version]! - 0x30}`,
      host: where?.host,
      port: where?.port,
      headers: new HeadFields(text, this.fieldsStart - start),
    };
  }

  private target(): boolean {
    const start = this.pos;
    const allowed = this.isMethod("CONNECT") ? AUTHORITY : TARGET;
    this.targetEnd = this.until(SP, allowed, MAX_MESSAGE);
    if (this.targetEnd < 0 && this.answer === null) return false;
    const isWhole = this.targetEnd >= 0;
    const end = isWhole
      ? this.targetEnd
      : Math.min(this.bytes.length, this.limit);
    if (!this.targetForm(start, end, isWhole)) return this.no();
    return isWhole;
  }

  /** Whether the target, or what there is of it, has one of the four forms. */
  private targetForm(
    start: number,
    end: number,
    isWhole: boolean,
  ): boolean {
    const { bytes } = this;
    const first = bytes[start];
    if (this.isMethod("CONNECT")) {
      if (!isWhole) return true;
      this.inTarget = hostPort(bytes, start, end) ?? undefined;
      return this.inTarget?.port !== undefined;
    }
    if (start === end) return !isWhole;
    if (first === SLASH) {
      this.pathStart = start;
      return true;
    }
    if (first === 0x2a /* * */) {
      this.pathStart = start;
      return end - start === 1 && this.isMethod("OPTIONS");
    }
    return this.absoluteForm(start, end, isWhole);
  }

  private absoluteForm(
    start: number,
    end: number,
    isWhole: boolean,
  ): boolean {
    const { bytes } = this;
    let pos = start;
    while (pos < end && SCHEME[bytes[pos]!] === 1) pos++;
    if (isDigit(bytes[start]!) || pos === start) return false;
    if (pos === end) return !isWhole;
    for (const byte of [COLON, SLASH, SLASH]) {
      if (pos === end) return !isWhole;
      if (bytes[pos++] !== byte) return false;
    }
    const authority = pos;
    while (pos < end && AUTHORITY[bytes[pos]!] === 1) pos++;
    if (pos === end && !isWhole) return true;
    if (pos < end && AUTHORITY_END[bytes[pos]!] === 0) return false;
    this.inTarget = hostPort(bytes, authority, pos) ?? undefined;
    this.pathStart = pos;
    return this.inTarget !== undefined;
  }

  private path(target: string): string {
    if (this.pathStart < 0) return "";
    const path = target.slice(this.pathStart - this.methodEnd - 1);
    if (path === "" && this.isMethod("OPTIONS")) return "*";
    return path === "" || path.startsWith("?") ? `/${path}` : path;
  }

  private isMethod(method: string): boolean {
    if (this.methodEnd - this.start !== method.length) return false;
    for (let i = 0; i < method.length; i++) {
      if (this.bytes[this.start + i] !== method.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The value of the `Host` field, which may be empty and comes once. */
  private host(from: number, to: number): boolean {
    const { bytes } = this;
    if (this.hasHost) return this.no();
    let [start, end] = [from, to];
    while (start < end && bytes[start]! <= SP) start++;
    while (end > start && bytes[end - 1]! <= SP) end--;
    this.hasHost = true;
    if (start === end) return true;
    const value = hostPort(bytes, start, end);
    if (value === null) return this.no();
    this.inField = value;
    return true;
  }
}

/** Whether these four bytes say `Host`. */
function isHostName(bytes: Uint8Array, pos: number): boolean {
  return (bytes[pos]! | 0x20) === 0x68 && (bytes[pos + 1]! | 0x20) === 0x6f &&
    (bytes[pos + 2]! | 0x20) === 0x73 && (bytes[pos + 3]! | 0x20) === 0x74;
}

function headText(bytes: Uint8Array, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if (bytes[i]! > 0x7f) return latin1(bytes, start, end);
  }
  return utf8(bytes, start, end);
}
