/**
 * Networks in their text form: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`.
 *
 * @module
 */
import { readIpv4, readIpv6 } from "../protocols/_address.ts";

/** A network: an address, and how many of its bits count. */
export interface Network {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** 0 to 32 or 128. */
  readonly bits: number;
}

/** How many bytes an IPv4 address in IPv6 has in front (RFC 4291 2.5.5.2). */
const MAPPED = 12;

/** Characters of an IPv6 address, at most. */
const MAX_LENGTH = 45;

/** The one that is being read, with a 0 behind it. */
const characters = new Uint8Array(MAX_LENGTH + 1);

/**
 * Reads an IP address. Some do that for each connection, so it makes nothing but
 * the result.
 *
 * @param text IPv4 or IPv6, without brackets; a zone (`%eth0`) is ignored.
 * @returns 4 or 16 bytes; 4, too, for an IPv4 address in IPv6. `undefined` if
 * it is none.
 */
export function parseIp(text: string): Uint8Array | undefined {
  let length = 0;
  for (; length < text.length; length++) {
    const code = text.charCodeAt(length);
    if (code === PERCENT) break;
    if (length === MAX_LENGTH || code > 0x7f) return undefined;
    characters[length] = code;
  }
  characters[length] = 0;
  const ipv4 = readIpv4(characters, 0, length);
  if (ipv4 >= 0) {
    const address = new Uint8Array(4);
    address[0] = ipv4 >>> 24;
    address[1] = ipv4 >>> 16;
    address[2] = ipv4 >>> 8;
    address[3] = ipv4;
    return address;
  }
  const ipv6 = readIpv6(characters, 0, length);
  if (ipv6 === null) return undefined;
  return isMapped(ipv6) ? ipv6.slice(MAPPED) : ipv6;
}

const PERCENT = 0x25;

function isMapped(address: Uint8Array): boolean {
  for (let i = 0; i < MAPPED - 2; i++) {
    if (address[i] !== 0) return false;
  }
  return address[MAPPED - 2] === 0xff && address[MAPPED - 1] === 0xff;
}

/**
 * Reads a network, or an address, which is a network of one.
 *
 * @param text Such as `10.0.0.0/8` or `2001:db8::1`.
 * @returns The network, or a text that says which rule it breaks.
 */
export function parseNetwork(text: string): Network | string {
  const [address = "", bits] = text.split("/", 2);
  const bytes = address.includes("%") ? undefined : parseIp(address);
  if (bytes === undefined || text.split("/").length > 2) {
    return "must be an IP address or a network such as 10.0.0.0/8";
  }
  const most = bytes.length * 8;
  if (bits === undefined) return { address: bytes, bits: most };
  // the bits of ::ffff:10.0.0.0/104 count from the start of the IPv6 address
  const mapped = most === 32 && address.includes(":") ? 96 : 0;
  const count = Number(bits) - mapped;
  if (!/^\d{1,3}$/.test(bits) || count < 0 || count > most) {
    return `must have ${mapped} to ${most + mapped} bits behind the slash`;
  }
  const network = { address: bytes, bits: count };
  if (bytes.some((byte, i) => (byte & ~maskAt(count, i)) !== 0)) {
    return `must have no bits set behind the first ${bits}`;
  }
  return network;
}

/** Tells whether an address is in a network. */
export function contains(network: Network, address: Uint8Array): boolean {
  const { address: base, bits } = network;
  if (base.length !== address.length) return false;
  for (let i = 0; i * 8 < bits; i++) {
    if ((((base[i] ?? 0) ^ (address[i] ?? 0)) & maskAt(bits, i)) !== 0) {
      return false;
    }
  }
  return true;
}

/** The bits that count of the byte at a place. */
function maskAt(bits: number, place: number): number {
  const count = Math.min(8, Math.max(0, bits - place * 8));
  return 0xff << (8 - count) & 0xff;
}

/** Writes a network as text. */
export function formatNetwork({ address, bits }: Network): string {
  const text = formatIp(address);
  return bits === address.length * 8 ? text : `${text}/${bits}`;
}

/**
 * Writes an IP address.
 *
 * @param address 4 or 16 bytes.
 * @returns IPv4 in decimal, IPv6 in hexadecimal (RFC 5952) throughout.
 */
export function formatIp(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const words = Array.from(
    { length: 8 },
    (_, i) =>
      ((address[2 * i] ?? 0) << 8 | (address[2 * i + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${words.join(":")}]/`).hostname.slice(1, -1);
}
