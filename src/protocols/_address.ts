const DOT = 0x2e;
const COLON = 0x3a;

/** The four bytes at `pos` as an IPv4 address. */
export function ipv4Text(bytes: Uint8Array, pos: number): string {
  return `${bytes[pos]}.${bytes[pos + 1]}.${bytes[pos + 2]}.${bytes[pos + 3]}`;
}

/**
 * The sixteen bytes at `pos` as an IPv6 address in its canonical form (RFC
 * 5952).
 */
export function ipv6Text(bytes: Uint8Array, pos: number): string {
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    words.push(bytes[pos + i]! << 8 | bytes[pos + i + 1]!);
  }
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes, pos + 12)}`;
  }
  const [start, length] = longestZeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${
    hex.slice(start + length).join(":")
  }`;
}

function longestZeroRun(
  words: readonly number[],
): [start: number, length: number] {
  let start = 0;
  let length = 0;
  let run = 0;
  for (let i = 0; i < words.length; i++) {
    run = words[i] === 0 ? run + 1 : 0;
    if (run > length) [start, length] = [i - run + 1, run];
  }
  return [start, length];
}

/**
 * Reads a dotted IPv4 address in its only form, four decimal numbers without
 * leading zeros, as an unsigned number; or -1.
 */
export function readIpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let pos = start;
  let address = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && bytes[pos++] !== DOT) return -1;
    const first = pos;
    let value = 0;
    while (pos < end && pos - first < 3 && isDigit(bytes[pos]!)) {
      value = value * 10 + bytes[pos++]! - 0x30;
    }
    const hasLeadingZero = pos - first > 1 && bytes[first] === 0x30;
    if (pos === first || value > 255 || hasLeadingZero) return -1;
    address = address * 256 + value;
  }
  return pos === end ? address : -1;
}

/**
 * Reads an IPv6 address (RFC 4291 section 2.2, no zone) into 16 bytes, or
 * `null`.
 */
export function readIpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array | null {
  const address = new Uint8Array(16);
  let pos = start;
  let filled = 0;
  let gap = -1;
  if (bytes[pos] === COLON) {
    if (bytes[pos + 1] !== COLON) return null;
    pos++;
  }
  while (pos < end) {
    if (bytes[pos] === COLON) {
      if (gap >= 0) return null;
      gap = filled;
      pos++;
      continue;
    }
    const stop = groupEnd(bytes, pos, end);
    if (bytes[stop] === DOT && stop < end) { // the last 32 bits in IPv4 form
      const last = readIpv4(bytes, pos, end);
      if (last < 0 || filled > 12) return null;
      for (let shift = 24; shift >= 0; shift -= 8) {
        address[filled++] = last >>> shift;
      }
      return finish(address, filled, gap);
    }
    if (stop === pos || stop - pos > 4 || filled > 14) return null;
    const word = hexValue(bytes, pos, stop);
    address[filled++] = word >> 8;
    address[filled++] = word & 0xff;
    if (stop === end) return finish(address, filled, gap);
    if (bytes[stop] !== COLON || stop + 1 === end) return null;
    pos = stop + 1;
  }
  return finish(address, filled, gap);
}

/** Moves what stands behind the `::` to the end. */
function finish(
  address: Uint8Array,
  filled: number,
  gap: number,
): Uint8Array | null {
  if (gap < 0) return filled === 16 ? address : null;
  if (filled > 14) return null;
  address.copyWithin(16 - (filled - gap), gap, filled);
  address.fill(0, gap, 16 - (filled - gap));
  return address;
}

function groupEnd(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end && hexDigit(bytes[pos]!) >= 0) pos++;
  return pos;
}

function hexValue(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value << 4 | hexDigit(bytes[i]!);
  return value;
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Whether the byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
