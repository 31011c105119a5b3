import { ipv6Text, isDigit, readIpv6 } from "./_address.ts";
import { type ByteClass, byteClass, latin1 } from "./_bytes.ts";

const DOT = 0x2e;
const COLON = 0x3a;
/** 253 characters (RFC 1035) and the trailing dot. */
const MAX_NAME = 254;
const MAX_LABEL = 63;

const NAME_BYTES: ByteClass = byteClass((byte) =>
  isDigit(byte) || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a ||
  byte === 0x2d || byte === 0x5f
);
/** Bytes that a host name or a bare IP address may have. */
export const HOST_BYTES: ByteClass = byteClass((byte) =>
  NAME_BYTES[byte] === 1 || byte === DOT || byte === COLON
);

/** A host, when it could be read, and the port when there was one. */
export interface HostPort {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/**
 * A host name or bare IP address in the form that can be compared: lower case,
 * no trailing dot, IPv6 in its canonical form and without brackets. `null`
 * when it is none: names are letters, digits, `-` and `_` in labels of 1 to 63,
 * 253 characters in all.
 */
export function hostName(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | null {
  let stop = end;
  if (bytes[stop - 1] === DOT) stop--;
  if (stop <= start || end - start > MAX_NAME) return null;
  let label = start;
  let hasUpper = false;
  for (let i = start; i < stop; i++) {
    const byte = bytes[i]!;
    if (byte === DOT) {
      if (i === label) return null;
      label = i + 1;
    } else if (NAME_BYTES[byte] === 0) {
      return byte === COLON ? ipv6(bytes, start, end) : null;
    } else {
      if (byte >= 0x41 && byte <= 0x5a) hasUpper = true;
      if (i - label >= MAX_LABEL) return null;
    }
  }
  if (label === stop) return null;
  const name = latin1(bytes, start, stop);
  return hasUpper ? name.toLowerCase() : name;
}

/**
 * A `host`, `host:port`, `[IPv6]` or `[IPv6]:port` (RFC 3986 section 3.2), or
 * `null`.
 */
export function hostPort(
  bytes: Uint8Array,
  start: number,
  end: number,
): HostPort | null {
  if (bytes[start] === 0x5b /* [ */) {
    let close = start + 1;
    while (close < end && bytes[close] !== 0x5d) close++;
    const host = close < end ? ipv6(bytes, start + 1, close) : null;
    return host === null ? null : withPort(host, bytes, close + 1, end);
  }
  let colon = start;
  while (colon < end && bytes[colon] !== COLON) colon++;
  const host = hostName(bytes, start, colon);
  return host === null ? null : withPort(host, bytes, colon, end);
}

function withPort(
  host: string,
  bytes: Uint8Array,
  pos: number,
  end: number,
): HostPort | null {
  if (pos === end || bytes[pos] === COLON && pos + 1 === end) {
    return { host, port: undefined };
  }
  if (bytes[pos] !== COLON) return null;
  const port = decimal(bytes, pos + 1, end);
  return port < 0 ? null : { host, port };
}

/** A port number of 1 to 5 digits, or -1. */
export function decimal(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 5) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    if (!isDigit(bytes[i]!)) return -1;
    value = value * 10 + bytes[i]! - 0x30;
  }
  return value > 65_535 ? -1 : value;
}

function ipv6(bytes: Uint8Array, start: number, end: number): string | null {
  const address = readIpv6(bytes, start, end);
  return address === null ? null : ipv6Text(address, 0);
}
