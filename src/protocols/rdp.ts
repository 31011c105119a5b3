import { byteClass, bytesOf, Cursor, encode, textOf } from "./_bytes.ts";
import type { Input } from "./types.ts";

const CR = 0x0d;
const LF = 0x0a;
const TPKT = encode("\x03\0");
/** TPKT header, and the length and fixed part of a connection request. */
const MIN_LENGTH = 4 + 1 + 6;
const MAX_LENGTH = 4 + 1 + 254;
const CONNECTION_REQUEST = 0xe0;
const COOKIE = "Cookie: mstshash=";
/** Clients send names in UTF-8 or in a code page of Windows. */
const LINE = byteClass((byte) => byte !== CR && byte !== LF);
const NEGOTIATION = 1;
const CORRELATION = 6;
const HAS_CORRELATION = 0x08;
const CORRELATION_LENGTH = 36;
const PROTOCOLS: readonly (readonly [bit: number, name: RdpProtocol])[] = [
  [0x01, "tls"],
  [0x02, "credSsp"],
  [0x04, "rdsTls"],
  [0x08, "credSspEx"],
  [0x10, "entra"],
];

/** How an RDP client can secure the connection. */
export type RdpProtocol = "tls" | "credSsp" | "rdsTls" | "credSspEx" | "entra";

/** The connection request of an RDP client. */
export interface RdpRequest {
  /**
   * User name in `Cookie: mstshash=`, which clients cut after some characters;
   * UTF-8, or else one character per byte. `undefined` without this cookie.
   */
  readonly cookie: string | undefined;
  /**
   * Another routing token, such as `Cookie: msts=3640205228.15629.0000`; UTF-8,
   * or else one character per byte. `undefined` without one.
   */
  readonly routingToken: string | undefined;
  /**
   * What the client can use to secure the connection; empty = only RDP's own
   * encryption.
   */
  readonly requestedProtocols: readonly RdpProtocol[];
  /** Length of the request in bytes. */
  readonly length: number;
}

/**
 * Reads the connection request of an RDP (Remote Desktop) client.
 *
 * Follows MS-RDPBCGR section 2.2.1.1, in a TPKT (RFC 1006) with a connection
 * request of X.224.
 *
 * @param data The first bytes of the connection.
 * @returns The request; `null` if this is not RDP; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { rdp } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const x224 = [3, 0, 0, 0x21, 0x1c, 0xe0, 0, 0, 0, 0, 0];
 * const cookie = new TextEncoder().encode("Cookie: mstshash=joe\r\n");
 * assert.equal(rdp(new Uint8Array([...x224, ...cookie]))?.cookie, "joe");
 * ```
 */
export function rdp(data: Input): RdpRequest | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (!c.literal(TPKT)) return c.answer;
  const length = c.uint(2, MIN_LENGTH, MAX_LENGTH);
  if (length < 0) return c.answer;
  c.limit = length;
  if (c.uint(1, length - 5, length - 5) < 0) return c.answer;
  if (c.uint(1, CONNECTION_REQUEST, CONNECTION_REQUEST) < 0) return c.answer;
  if (c.uint(2, 0, 0) < 0 || !c.skip(2) || c.uint(1, 0, 0) < 0) return c.answer;
  const token = readToken(c);
  if (token === undefined) return c.answer;
  const protocols = readProtocols(c);
  if (protocols < 0) return c.answer;
  if (c.pos !== length) return null;
  const isCookie = token.startsWith(COOKIE);
  return {
    cookie: isCookie ? token.slice(COOKIE.length) : undefined,
    routingToken: isCookie || token === "" ? undefined : token,
    requestedProtocols: PROTOCOLS.filter(([bit]) => (protocols & bit) !== 0)
      .map(([, name]) => name),
    length,
  };
}

/** The line of text, which may be missing; `undefined` on failure. */
function readToken(c: Cursor): string | undefined {
  if (c.pos === c.limit) return "";
  const start = c.pos;
  if (start === c.bytes.length) return void c.wait();
  if (c.bytes[start] === NEGOTIATION) return "";
  const end = c.until(CR, LINE, MAX_LENGTH);
  if (end < 0 || c.uint(1, LF, LF) < 0) return undefined;
  return textOf(c.bytes, start, end);
}

/** The bits of the negotiation request, which may be missing, or -1. */
function readProtocols(c: Cursor): number {
  if (c.pos === c.limit) return 0;
  if (c.uint(1, NEGOTIATION, NEGOTIATION) < 0) return -1;
  const flags = c.uint(1);
  if (flags < 0) return -1;
  if (c.uint(2, 0x0800, 0x0800) < 0) return -1; // its length, 8 in little-endian
  if (!c.skip(4)) return -1;
  const protocols = c.bytes[c.pos - 4]!;
  if ((flags & HAS_CORRELATION) === 0) return protocols;
  if (
    c.uint(1, CORRELATION, CORRELATION) < 0 || !c.skip(CORRELATION_LENGTH - 1)
  ) return -1;
  return protocols;
}
