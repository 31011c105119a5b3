/**
 * Hosts as clients send them: names that the rules of DNS do not allow must not
 * make a message unreadable.
 *
 * @module
 */
import { ipv6Text, readIpv6 } from "./_address.ts";
import { strictUtf8, textOf } from "./_bytes.ts";
import { decimal, hostName, type HostPort, hostPort } from "./_host.ts";

const AT = 0x40;
const COLON = 0x3a;
/** A longer international name cannot be one of 253 ASCII characters. */
const MAX_INTERNATIONAL = 1024;
const NOWHERE: HostPort = { host: undefined, port: undefined };

/** Letters, marks and digits of any script, and what joins them (RFC 5892). */
const INTERNATIONAL = /^[\p{L}\p{M}\p{N}\u200c\u200d\u00b7\u3002_.-]+$/u;

/**
 * A host name or bare IP address in the form that can be compared, as
 * {@linkcode hostName} has it. One in UTF-8 becomes its ASCII form
 * (`xn--bcher-kva.example`). `undefined` for anything else.
 */
export function looseName(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  return hostName(bytes, start, end) ?? asciiName(bytes, start, end);
}

/**
 * A host name that a client names, in the form that can be compared where it
 * has one, and otherwise as it came, in lower case: UTF-8, or else one
 * character per byte.
 */
export function sentName(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  return looseName(bytes, start, end) ??
    textOf(bytes, start, end).toLowerCase();
}

/**
 * A host with an optional port, of which user information (`user:password@`)
 * is left out. Both fields are `undefined` when the host is no name and no
 * address.
 */
export function looseHostPort(
  bytes: Uint8Array,
  start: number,
  end: number,
): HostPort {
  const strict = hostPort(bytes, start, end);
  if (strict !== null) return strict;
  const at = lastOf(AT, bytes, start, end);
  if (at < end) return looseHostPort(bytes, at + 1, end);
  const colon = lastOf(COLON, bytes, start, end);
  const host = asciiName(bytes, start, colon);
  if (host === undefined) return NOWHERE;
  if (colon >= end - 1) return { host, port: undefined };
  const port = decimal(bytes, colon + 1, end);
  return port < 0 ? NOWHERE : { host, port };
}

/**
 * A host and the port behind its last colon, in which an IPv6 address need not
 * have brackets, as in the `CONNECT` of some clients.
 */
export function hostAndLastPort(
  bytes: Uint8Array,
  start: number,
  end: number,
): HostPort {
  const colon = lastOf(COLON, bytes, start, end);
  const address = readIpv6(bytes, start, colon);
  const port = decimal(bytes, colon + 1, end);
  return address === null || port < 0
    ? looseHostPort(bytes, start, end)
    : { host: ipv6Text(address, 0), port };
}

/** The index of the last such byte, or `end`. */
function lastOf(
  byte: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let pos = end - 1;
  while (pos >= start && bytes[pos] !== byte) pos--;
  return pos < start ? end : pos;
}

/** The ASCII form of an international name. */
function asciiName(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  if (end - start > MAX_INTERNATIONAL || isAscii(bytes, start, end)) {
    return undefined;
  }
  const text = strictUtf8(bytes, start, end);
  if (text === null || !INTERNATIONAL.test(text)) return undefined;
  const ascii = URL.parse(`http://${text}`)?.hostname;
  if (ascii === undefined) return undefined;
  const name = new TextEncoder().encode(ascii);
  return hostName(name, 0, name.length) ?? undefined;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}
