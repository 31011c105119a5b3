import { ipv4Text, ipv6Text, isDigit, readIpv4, readIpv6 } from "./_address.ts";
import {
  type ByteClass,
  byteClass,
  bytesOf,
  Cursor,
  encode,
  latin1,
  oneOf,
  PRINTABLE,
  utf8,
} from "./_bytes.ts";
import { crc32c } from "./_crc32c.ts";
import { decimal } from "./_host.ts";
import type { Input } from "./types.ts";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const V1 = encode("PROXY ");
const UNKNOWN = encode("UNKNOWN");
const TCP = encode("TCP");
const V1_MAX = 107;
const V2 = encode("\r\n\r\n\0\r\nQUIT\n");
const V2_PROXY = 0x21;
const UNIX_PATH = 108;
const CRC32C = 0x03;
/** Length of both addresses and ports by the first half of the family byte. */
const ADDRESSES = [0, 12, 36, 2 * UNIX_PATH];
const FAMILIES = oneOf("\0\x11\x12\x21\x22\x31\x32");
const IPV4_TEXT = byteClass((byte) => isDigit(byte) || byte === 0x2e);
const IPV6_TEXT = oneOf("0123456789abcdefABCDEF:.");
const DIGITS = byteClass(isDigit);

/**
 * One end of the connection that the sending proxy has accepted; of the form of
 * `Deno.Addr`.
 */
export type ProxyProtocolAddress = {
  /** Transport protocol. */
  readonly transport: "tcp" | "udp";
  /** IP address; IPv6 in its canonical form, without brackets. */
  readonly hostname: string;
  /** Port. */
  readonly port: number;
} | {
  /** Socket of the local machine; `unixpacket` is one of datagrams. */
  readonly transport: "unix" | "unixpacket";
  /** Path of the socket; of an abstract one its name behind `@`. */
  readonly path: string;
};

/** Additional information in a header of version 2. */
export interface ProxyProtocolTlv {
  /** Type, such as 0x01 for ALPN and 0x02 for the server name. */
  readonly type: number;
  /** Value; a copy. */
  readonly value: Uint8Array;
}

/** A header of the PROXY protocol. */
export interface ProxyProtocolHeader {
  /** Version of the header. */
  readonly version: 1 | 2;
  /** `local`: the sending proxy speaks for itself, as in a health check. */
  readonly command: "proxy" | "local";
  /**
   * Where the client is; `undefined` when the header does not say: use the
   * connection's own.
   */
  readonly source: ProxyProtocolAddress | undefined;
  /**
   * Where the client connected to; `undefined` when the header does not say.
   */
  readonly destination: ProxyProtocolAddress | undefined;
  /**
   * Additional information, in the order in which it was sent; none in version
   * 1.
   */
  readonly tlvs: readonly ProxyProtocolTlv[];
  /** Length of the header in bytes; the client's own bytes come behind it. */
  readonly length: number;
}

/**
 * Reads a header of the PROXY protocol, version 1 (text) or 2 (binary).
 *
 * Follows "The PROXY protocol, versions 1 & 2" of HAProxy. A checksum, which
 * version 2 may have, is verified.
 *
 * Whoever may send this header may claim any address. Use it only where every
 * client is a proxy that sends it; never try whether a client might have.
 *
 * @param data The first bytes of the connection.
 * @returns The header; `null` if this is none; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { proxyProtocol } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const line = "PROXY TCP4 192.0.2.1 192.0.2.9 50000 443\r\n";
 * const data = new TextEncoder().encode(`${line}GET / HTTP/1.1\r\n`);
 * const header = proxyProtocol(data);
 * assert.deepEqual(header?.source, {
 *   transport: "tcp",
 *   hostname: "192.0.2.1",
 *   port: 50_000,
 * });
 * assert.equal(header.length, line.length);
 * ```
 */
export function proxyProtocol(
  data: Input,
): ProxyProtocolHeader | null | undefined {
  const bytes = bytesOf(data);
  return bytes[0] === CR
    ? version2(new Cursor(bytes))
    : version1(new Cursor(bytes, 0, V1_MAX));
}

function version1(c: Cursor): ProxyProtocolHeader | null | undefined {
  if (!c.literal(V1)) return c.answer;
  let source: ProxyProtocolAddress | undefined;
  let destination: ProxyProtocolAddress | undefined;
  if (c.bytes[c.pos] === UNKNOWN[0]) {
    if (!c.literal(UNKNOWN)) return c.answer;
    const next = c.bytes[c.pos] ?? CR;
    if (next !== SP && next !== CR) return null;
    if (c.until(CR, PRINTABLE, V1_MAX) < 0) return c.answer;
  } else {
    if (!c.literal(TCP)) return c.answer;
    const family = c.uint(1, 0x34, 0x36) - 0x30;
    if (family < 0) return c.answer;
    if (family === 5) return null;
    if (c.uint(1, SP, SP) < 0) return c.answer;
    const from = textAddress(c, family);
    if (from === undefined) return c.answer;
    const to = textAddress(c, family);
    if (to === undefined) return c.answer;
    const fromPort = textPort(c, SP);
    if (fromPort < 0) return c.answer;
    const toPort = textPort(c, CR);
    if (toPort < 0) return c.answer;
    source = { transport: "tcp", hostname: from, port: fromPort };
    destination = { transport: "tcp", hostname: to, port: toPort };
  }
  if (c.uint(1, LF, LF) < 0) return c.answer;
  return {
    version: 1,
    command: "proxy",
    source,
    destination,
    tlvs: [],
    length: c.pos,
  };
}

/** An address and the space behind it; `undefined` on failure. */
function textAddress(c: Cursor, family: number): string | undefined {
  const start = c.pos;
  const allowed: ByteClass = family === 4 ? IPV4_TEXT : IPV6_TEXT;
  const end = c.until(SP, allowed, family === 4 ? 15 : 45);
  if (end < 0) return undefined;
  if (family === 4) {
    const isAddress = readIpv4(c.bytes, start, end) >= 0;
    return isAddress ? latin1(c.bytes, start, end) : void c.reject();
  }
  const address = readIpv6(c.bytes, start, end);
  return address === null ? void c.reject() : ipv6Text(address, 0);
}

/** A port and what has to stand behind it, or -1. */
function textPort(c: Cursor, stop: number): number {
  const start = c.pos;
  const end = c.until(stop, DIGITS, 5);
  if (end < 0) return -1;
  const port = decimal(c.bytes, start, end);
  return port < 0 ? c.reject() : port;
}

function version2(c: Cursor): ProxyProtocolHeader | null | undefined {
  if (!c.literal(V2)) return c.answer;
  const command = c.uint(1, 0x20, V2_PROXY);
  if (command < 0 || !c.run(1, FAMILIES)) return c.answer;
  const family = c.bytes[c.pos - 1]!;
  const isProxy = command === V2_PROXY;
  const addresses = isProxy ? ADDRESSES[family >> 4]! : 0;
  const rest = c.uint(2, addresses);
  if (rest < 0) return c.answer;
  const length = c.pos + rest;
  c.limit = length;
  const hasAddresses = addresses > 0;
  const at = c.pos;
  if (!c.skip(hasAddresses ? addresses : rest)) return c.answer;
  const tlvs: ProxyProtocolTlv[] = [];
  let checksumAt = 0;
  while (c.pos < length) {
    const type = c.uint(1);
    if (type < 0) return c.answer;
    const size = c.sizeOf(2);
    if (size < 0) return c.answer;
    if (type === CRC32C) {
      if (size !== 4 || checksumAt > 0) return null;
      checksumAt = c.pos;
    }
    if (!c.skip(size)) return c.answer;
    tlvs.push({ type, value: c.bytes.slice(c.pos - size, c.pos) });
  }
  if (checksumAt > 0 && !isIntact(c.bytes.slice(0, length), checksumAt)) {
    return null;
  }
  return {
    version: 2,
    command: isProxy ? "proxy" : "local",
    source: hasAddresses ? binaryAddress(c.bytes, at, family, 0) : undefined,
    destination: hasAddresses
      ? binaryAddress(c.bytes, at, family, 1)
      : undefined,
    tlvs,
    length,
  };
}

/** Whether a header, which is changed by this, has the checksum that it says. */
function isIntact(header: Uint8Array, checksumAt: number): boolean {
  const checksum = new Cursor(header, checksumAt).uint(4);
  header.fill(0, checksumAt, checksumAt + 4);
  return crc32c(header) === checksum;
}

/** The first or second of the addresses at `pos`. */
function binaryAddress(
  bytes: Uint8Array,
  pos: number,
  family: number,
  which: 0 | 1,
): ProxyProtocolAddress {
  const isStream = (family & 0x0f) === 1;
  if (family >> 4 === 3) {
    const path = unixPath(bytes, pos + which * UNIX_PATH);
    return { transport: isStream ? "unix" : "unixpacket", path };
  }
  const size = family >> 4 === 1 ? 4 : 16;
  const address = pos + which * size;
  const port = pos + 2 * size + 2 * which;
  return {
    transport: isStream ? "tcp" : "udp",
    hostname: size === 4 ? ipv4Text(bytes, address) : ipv6Text(bytes, address),
    port: bytes[port]! << 8 | bytes[port + 1]!,
  };
}

function unixPath(bytes: Uint8Array, pos: number): string {
  const isAbstract = bytes[pos] === 0 && bytes[pos + 1] !== 0;
  const start = isAbstract ? pos + 1 : pos;
  let end = start;
  while (end < pos + UNIX_PATH && bytes[end] !== 0) end++;
  return (isAbstract ? "@" : "") + utf8(bytes, start, end);
}
