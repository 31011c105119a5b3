import { isDigit } from "./_address.ts";
import {
  byteClass,
  bytesOf,
  Cursor,
  encode,
  latin1,
  MAX_MESSAGE,
  oneOf,
  TOKEN,
  utf8,
} from "./_bytes.ts";
import { HeadFields, type HttpHeaders } from "./_headers.ts";
import type { HostPort } from "./_host.ts";
import { hostAndLastPort, looseHostPort } from "./_loose_host.ts";
import { normalizePath } from "./_path.ts";
import type { Input } from "./types.ts";

export type { HttpHeaders } from "./_headers.ts";

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const SLASH = 0x2f;
const MAX_METHOD = 64;
const CONNECT = encode("CONNECT");
const VERSION = encode("HTTP/1.");
const TARGET = byteClass((byte) => byte > 0x20 && byte !== 0x7f);
/** What servers take in the name of a field, which should be a token. */
const FIELD_NAME = byteClass((byte) => TARGET[byte] === 1 && byte !== COLON);
const VALUE = byteClass((byte) => byte !== CR && byte !== LF);
const DIGIT = byteClass(isDigit);
const BLANK = oneOf(" \t");
const SPACE = oneOf(" \t\r\n");
const END_OF_NAME = oneOf(":\r\n");
const LINE_END = oneOf("\r\n");
const AUTHORITY = byteClass((byte) =>
  TARGET[byte] === 1 && !"/?#".includes(String.fromCharCode(byte))
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
  /**
   * Path with its query, as it came; `*` as it is; the empty string for
   * `CONNECT`.
   */
  readonly path: string;
  /**
   * The path without its query, decoded once except for `%2F`, with `.` and
   * `..` resolved and several slashes made one: `/admin` for `//a/../%61dmin?x`.
   * One character per byte.
   */
  readonly normalizedPath: string;
  /** `1.1` or `1.0`. */
  readonly version: string;
  /**
   * Host of the target when that has an authority, else of the `Host` field:
   * lower case, without user information, port, trailing dot and brackets; a
   * name in UTF-8 in its ASCII form (`xn--bcher-kva.example`). `undefined` when
   * there is none, when it is no host name and no IP address (such as the path
   * of a socket file), or when several `Host` fields differ.
   */
  readonly host: string | undefined;
  /** Port that was given with the host; `undefined` without one. */
  readonly port: number | undefined;
  /** The header fields, with `Host` as it came. */
  readonly headers: HttpHeaders;
}

/**
 * Reads the head of an HTTP/1 request, up to and with its empty line.
 *
 * Follows RFC 9112. The host is that of the target, and only when the target
 * has none that of the `Host` field (section 3.2.2).
 *
 * What a common server accepts is read, even if the RFC does not allow it: a
 * bare LF at the end of a line, empty lines before the request, several spaces
 * in the request line, folded fields (joined by a space), names and values of
 * fields with unusual characters, lines without a colon (a field with an empty
 * value), a host that cannot be one. `null` is what servers refuse: a bare CR, a
 * space before a colon, a control character or space in the target, a target
 * that is neither a path nor a URL, a method that begins with a digit, HTTP/0.9.
 *
 * The head with the empty lines before it may have 65,536 bytes, the method 64.
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
  private targetStart = 0;
  private targetEnd = 0;
  private version = 0;
  private fieldsStart = 0;
  private pathStart = -1;
  private where: HostPort | undefined;
  private hasAuthority = false;
  private hostStart = -1;
  private hostEnd = 0;
  private hosts = 0;

  constructor(bytes: Uint8Array) {
    super(bytes, 0, MAX_MESSAGE);
  }

  requestLine(): boolean {
    while (LINE_END[this.bytes[this.pos] ?? 0] === 1) {
      if (!this.endOfLine()) return false;
    }
    this.start = this.pos;
    if (isDigit(this.bytes[this.start] ?? 0)) return this.no(); // as in Git
    this.methodEnd = this.over(TOKEN, MAX_METHOD);
    if (this.methodEnd < 0) return false;
    if (this.methodEnd === this.start || !this.isBlank()) return this.no();
    if (!this.blanks() || !this.target()) return false;
    if (!this.blanks() || !this.literal(VERSION)) return false;
    this.version = this.pos;
    return this.run(1, DIGIT) && (!this.isBlank() || this.blanks()) &&
      this.endOfLine();
  }

  /** Every field and the empty line. */
  fields(): boolean {
    this.fieldsStart = this.pos;
    const { bytes } = this;
    const end = Math.min(bytes.length, this.limit);
    let isFirst = true;
    for (;;) {
      const start = this.pos;
      if (start >= end) return this.notYet();
      const first = bytes[start]!;
      if (first === CR || first === LF) {
        if (!this.endOfLine()) return false;
        if (this.hostStart >= 0) this.endHost();
        return true;
      }
      let pos = start;
      if (first !== SP && first !== TAB) {
        while (pos < end && FIELD_NAME[bytes[pos]!] === 1) pos++;
        if (pos === end) return this.notYet();
        const next = bytes[pos]!;
        if (pos === start || END_OF_NAME[next] === 0) return this.no();
        if (this.hostStart >= 0) this.endHost();
        if (pos - start === 4 && isHostName(bytes, start)) {
          this.hostStart = pos + 1;
        }
        if (next === COLON) pos++;
      } else if (isFirst) {
        return this.no();
      }
      isFirst = false;
      while (pos < end && VALUE[bytes[pos]!] === 1) pos++;
      if (this.hostStart >= 0) this.hostEnd = pos;
      while (pos < end && bytes[pos] === CR) pos++;
      if (pos === end) return this.notYet();
      if (bytes[pos] !== LF) return this.no();
      this.pos = pos + 1;
    }
  }

  request(): HttpRequest {
    const { bytes, start, methodEnd, targetStart, targetEnd } = this;
    // One string for the whole head: its parts cost next to nothing, and the
    // bytes can go.
    const text = headText(bytes, start, this.pos);
    const path = this.path(text);
    return {
      method: text.slice(0, methodEnd - start),
      target: text.slice(targetStart - start, targetEnd - start),
      path,
      normalizedPath: normalizePath(path),
      version: bytes[this.version] === 0x31
        ? "1.1"
        : `1.${bytes[this.version]! - 0x30}`,
      host: this.where?.host,
      port: this.where?.port,
      headers: new HeadFields(text, this.fieldsStart - start),
    };
  }

  private isBlank(): boolean {
    return BLANK[this.bytes[this.pos]!] === 1;
  }

  /** Goes over one SP or TAB that is known to be there, and any others. */
  private blanks(): boolean {
    const next = this.bytes[++this.pos];
    return next !== undefined && BLANK[next] === 0 && this.pos < this.limit ||
      this.over(BLANK, MAX_MESSAGE) >= 0;
  }

  private target(): boolean {
    const { bytes } = this;
    this.targetStart = this.pos;
    const end = this.over(TARGET, MAX_MESSAGE);
    const isWhole = end >= 0;
    if (!isWhole && this.answer === null || isWhole && !this.isBlank()) {
      return this.no();
    }
    this.targetEnd = isWhole ? end : Math.min(bytes.length, this.limit);
    if (!this.targetForm(isWhole)) return this.no();
    return isWhole;
  }

  /** Whether the target, or what there is of it, has one of the four forms. */
  private targetForm(isWhole: boolean): boolean {
    const { bytes, targetStart: start, targetEnd: end } = this;
    if (start === end) return !isWhole;
    const first = bytes[start];
    if (this.isConnect()) {
      this.hasAuthority = true;
      if (isWhole) this.where = hostAndLastPort(bytes, start, end);
      return first !== SLASH;
    }
    if (first !== SLASH && first !== 0x2a /* * */) {
      return this.absoluteForm(isWhole);
    }
    this.pathStart = start;
    return first === SLASH || end - start === 1;
  }

  private absoluteForm(isWhole: boolean): boolean {
    const { bytes, targetStart: start, targetEnd: end } = this;
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
    if (isWhole) this.where = looseHostPort(bytes, authority, pos);
    this.hasAuthority = true;
    this.pathStart = pos;
    return true;
  }

  private path(text: string): string {
    if (this.pathStart < 0) return "";
    const { start, methodEnd, pathStart, targetEnd } = this;
    const path = text.slice(pathStart - start, targetEnd - start);
    if (path.startsWith("/") || path === "*") return path;
    const isOptions = text.startsWith("OPTIONS") && methodEnd - start === 7;
    return path === "" && isOptions ? "*" : `/${path}`;
  }

  private isConnect(): boolean {
    if (this.methodEnd - this.start !== CONNECT.length) return false;
    for (let i = 0; i < CONNECT.length; i++) {
      if (this.bytes[this.start + i] !== CONNECT[i]) return false;
    }
    return true;
  }

  /** Reads the value of the `Host` field when it has come to its end. */
  private endHost(): void {
    let { bytes, hostStart: start, hostEnd: end } = this;
    this.hostStart = -1;
    this.hosts++;
    if (this.hasAuthority) return;
    while (start < end && SPACE[bytes[start]!] === 1) start++;
    while (end > start && SPACE[bytes[end - 1]!] === 1) end--;
    const { host, port } = looseHostPort(bytes, start, end);
    const isOther = this.where?.host !== host || this.where?.port !== port;
    if (this.hosts === 1) this.where = { host, port };
    else if (isOther) this.where = undefined;
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
