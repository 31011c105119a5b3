/**
 * Client addresses as keys of a table that all threads share.
 *
 * @module
 */
import { formatNetwork, parseIp } from "../net/cidr.ts";

/** Bits of an IPv6 address that count: one client has all the rest to itself. */
const IPV6_BITS = 64;

/** A key: 64 bits, of which nobody can foresee which address has which. */
export interface AddressKey {
  readonly low: number;
  readonly high: number;
}

/**
 * Hashes an address: an IPv4 address, also in its IPv6 form, by itself, an IPv6
 * address by its first 64 bits.
 *
 * @param hostname The address in its text form.
 * @param secret Of this process, 64 bits: without it, someone with many
 * addresses could choose those that meet in the table.
 * @returns The key; `undefined` if it is no IP address.
 */
export function addressKey(
  hostname: string,
  secret: readonly [number, number],
): AddressKey | undefined {
  const bytes = parseIp(hostname);
  if (bytes === undefined) return undefined;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes.length === 4
    ? halfSipHash(secret, [4, words.getInt32(0), 0])
    : halfSipHash(secret, [6, words.getInt32(0), words.getInt32(4)]);
}

/**
 * Writes what is counted together with an address.
 *
 * @param hostname The address in its text form.
 * @returns Such as `192.0.2.1` or `2001:db8::/64`.
 */
export function describeGroup(hostname: string): string {
  const bytes = parseIp(hostname);
  if (bytes === undefined || bytes.length === 4) return hostname;
  const address = bytes.slice().fill(0, IPV6_BITS / 8);
  return formatNetwork({ address, bits: IPV6_BITS });
}

/**
 * HalfSipHash-2-4 with 64 bits of output, of J.-P. Aumasson and D. J. Bernstein:
 * SipHash for small keys on 32-bit words.
 *
 * @param secret The key as two words, little-endian.
 * @param message Whole words, little-endian; at most 63.
 */
export function halfSipHash(
  secret: readonly [number, number],
  message: readonly number[],
): AddressKey {
  state[0] = secret[0];
  state[1] = secret[1] ^ 0xee;
  state[2] = 0x6c796765 ^ secret[0];
  state[3] = 0x74656462 ^ secret[1];
  for (let i = 0; i <= message.length; i++) {
    const word = message[i] ?? message.length * 4 << 24;
    state[3] ^= word;
    rounds(2);
    state[0] ^= word;
  }
  state[2] ^= 0xee;
  rounds(4);
  const low = state[1] ^ state[3];
  state[1] ^= 0xdd;
  rounds(4);
  return { low, high: state[1] ^ state[3] };
}

/** The words that are being hashed; always the same, as nothing waits meanwhile. */
const state = new Int32Array(4) as Int32Array & Record<0 | 1 | 2 | 3, number>;

function rounds(count: number): void {
  let v0 = state[0];
  let v1 = state[1];
  let v2 = state[2];
  let v3 = state[3];
  for (let i = 0; i < count; i++) {
    v0 = v0 + v1 | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = v2 + v3 | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = v0 + v3 | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = v2 + v1 | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  }
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}

function rotate(word: number, bits: number): number {
  return word << bits | word >>> 32 - bits;
}
