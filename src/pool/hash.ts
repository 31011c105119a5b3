/**
 * Rendezvous hashing (highest random weight): each member has a number that is
 * drawn for it and the key, and the highest one wins. So when a member goes,
 * only its own keys move, and when it comes back, they all return.
 *
 * The numbers come from arithmetic alone, so all workers, and all machines,
 * agree on them.
 *
 * @module
 */

/** The two halves of a hash of 64 bits. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

const encoder = new TextEncoder();

/**
 * MurmurHash3_x86_32 (Austin Appleby), a hash of 32 bits.
 *
 * @param seed Makes another function of it: 32 bits.
 * @returns A whole number from 0 to 2^32 - 1.
 */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const end = length & ~3;
  let hash = seed;
  for (let at = 0; at < end; at += 4) {
    hash ^= scramble(view.getUint32(at, true));
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = length - 1; at >= end; at--) {
    tail = (tail << 8) | (bytes[at] as number);
  }
  return mix(hash ^ scramble(tail) ^ length);
}

function scramble(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** The last step of MurmurHash3: each bit of the input changes half of them. */
function mix(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Hashes the name of a member, or a key.
 *
 * @param value Bytes, or a text, which counts as its UTF-8 bytes.
 * @returns 64 bits.
 */
export function hash(value: Uint8Array | string): Hash {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  return { high: murmur3(bytes, 0x9747b28c), low: murmur3(bytes, 0x3c6ef372) };
}

/**
 * Draws the number of a member for a key: among members, each wins as many keys
 * as its weight is of the sum of the weights (Schindelhauer, Schomaker 2005).
 *
 * @param member The hash of the member's name.
 * @param weight The weight of the member; positive.
 * @returns A positive number; the highest one wins.
 */
export function score(member: Hash, weight: number, key: Hash): number {
  const high = mix(mix(member.high ^ key.high) + key.low);
  const low = mix(mix(member.low ^ key.low) + high);
  // 53 bits between 0 and 1, both excluded, so that the logarithm is negative
  const uniform = (high * 0x200000 + (low >>> 11) + 0.5) / 2 ** 53;
  return -weight / Math.log(uniform);
}
