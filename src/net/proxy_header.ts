/**
 * Headers of the PROXY protocol, which tell a remote who the client is
 * (haproxy.org, "The PROXY protocol, versions 1 & 2").
 *
 * @module
 */
import type { Address } from "../router/contract.ts";
import { formatIp, parseIp } from "./cidr.ts";

/** The versions of the protocol: a line of text, or binary. */
export type ProxyVersion = 1 | 2;

const encoder = new TextEncoder();
const SIGNATURE = encoder.encode("\r\n\r\n\0\r\nQUIT\n");

/** What version 2 begins with: the signature, command, family, and length. */
const V2_FIXED = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const UNIX_STREAM = 0x31;

/** The bytes that a path of a socket file has there, with zeros behind. */
const UNIX_PATH = 108;

/** Both ends of a connection, in their binary form. */
interface Ends {
  /** Of the same length: 4 bytes for IPv4, 16 for IPv6. */
  readonly addresses: readonly [from: Uint8Array, to: Uint8Array];
  readonly ports: readonly [from: number, to: number];
}

/** Tells whether a value is a version of the protocol. */
export function isProxyVersion(value: unknown): value is ProxyVersion {
  return value === 1 || value === 2;
}

/**
 * Writes the header of a connection that is proxied. An IPv4 address in IPv6
 * (`::ffff:192.0.2.1`) is written as IPv4 if both ends are IPv4.
 *
 * Addresses that the version has no form for are left out, which receivers take
 * for "not known": socket files in version 1, and ends of different kinds.
 *
 * @returns The header; to be sent before all else.
 */
export function proxyHeader(
  version: ProxyVersion,
  from: Address,
  to: Address,
): Uint8Array {
  const ends = findEnds(from, to);
  if (version === 1) return textHeader(ends);
  if (ends !== undefined) return ipHeader(ends);
  return from.transport === "unix" && to.transport === "unix"
    ? unixHeader(from.path, to.path)
    : binaryHeader(PROXY, UNSPECIFIED, 0);
}

/**
 * Writes the header of a connection that is not proxied, such as a health check,
 * in version 2. Version 1 has none: receivers expect a `proxyHeader` with the
 * two ends of that connection itself.
 *
 * @returns The header; to be sent before all else.
 */
export function localHeader(): Uint8Array {
  return binaryHeader(LOCAL, UNSPECIFIED, 0);
}

function findEnds(from: Address, to: Address): Ends | undefined {
  if (from.transport !== "tcp" || to.transport !== "tcp") return undefined;
  const source = parseIp(from.hostname);
  const destination = parseIp(to.hostname);
  if (source === undefined || destination === undefined) return undefined;
  return {
    addresses: source.length === destination.length
      ? [source, destination]
      : [toIpv6(source), toIpv6(destination)],
    ports: [from.port, to.port],
  };
}

/** An IPv4 address as one in IPv6 (RFC 4291 section 2.5.5.2). */
function toIpv6(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const mapped = new Uint8Array(16);
  mapped.fill(0xff, 10, 12);
  mapped.set(address, 12);
  return mapped;
}

function textHeader(ends: Ends | undefined): Uint8Array {
  if (ends === undefined) return encoder.encode("PROXY UNKNOWN\r\n");
  const family = ends.addresses[0].length === 4 ? "TCP4" : "TCP6";
  const addresses = ends.addresses.map(formatIp).join(" ");
  return encoder.encode(
    `PROXY ${family} ${addresses} ${ends.ports.join(" ")}\r\n`,
  );
}

function ipHeader({ addresses: [from, to], ports }: Ends): Uint8Array {
  const { length } = from;
  const header = binaryHeader(
    PROXY,
    length === 4 ? TCP4 : TCP6,
    2 * length + 4,
  );
  header.set(from, V2_FIXED);
  header.set(to, V2_FIXED + length);
  const view = new DataView(header.buffer, V2_FIXED + 2 * length);
  view.setUint16(0, ports[0]);
  view.setUint16(2, ports[1]);
  return header;
}

function unixHeader(from: string, to: string): Uint8Array {
  const header = binaryHeader(PROXY, UNIX_STREAM, 2 * UNIX_PATH);
  encoder.encodeInto(from, header.subarray(V2_FIXED, V2_FIXED + UNIX_PATH));
  encoder.encodeInto(to, header.subarray(V2_FIXED + UNIX_PATH));
  return header;
}

/** A header of version 2 whose addresses are zero still. */
function binaryHeader(
  command: number,
  family: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(V2_FIXED + length);
  header.set(SIGNATURE);
  header[12] = command;
  header[13] = family;
  new DataView(header.buffer).setUint16(14, length);
  return header;
}
