/** Lengths in bits of the codes of the 256 bytes (RFC 7541 appendix B). */
// deno-fmt-ignore
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/** The end-of-string symbol has all 30 bits set; it must not occur. */
const MAX_LENGTH = 30;

// The code is canonical: those of one length are consecutive, in the order of
// their symbols.
const SYMBOLS: Uint8Array = Uint8Array.from(
  LENGTHS.map((_, symbol) => symbol).sort((a, b) =>
    LENGTHS[a]! - LENGTHS[b]! || a - b
  ),
);
const COUNT: Int32Array = new Int32Array(MAX_LENGTH + 1);
const FIRST_CODE: Int32Array = new Int32Array(MAX_LENGTH + 1);
const FIRST_SYMBOL: Int32Array = new Int32Array(MAX_LENGTH + 1);
for (const length of LENGTHS) COUNT[length]!++;
for (let length = 1; length <= MAX_LENGTH; length++) {
  FIRST_CODE[length] = (FIRST_CODE[length - 1]! + COUNT[length - 1]!) << 1;
  FIRST_SYMBOL[length] = FIRST_SYMBOL[length - 1]! + COUNT[length - 1]!;
}

/**
 * Decodes a string of HPACK's Huffman code, one character per byte; `null` if
 * it is malformed.
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | null {
  let text = "";
  let code = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code << 1 | bytes[i]! >> bit & 1;
      length++;
      const index = code - FIRST_CODE[length]!;
      if (index < COUNT[length]!) {
        text += String.fromCharCode(SYMBOLS[FIRST_SYMBOL[length]! + index]!);
        code = length = 0;
      } else if (length === MAX_LENGTH) {
        return null;
      }
    }
  }
  const isPadded = length < 8 && code === (1 << length) - 1;
  return isPadded ? text : null;
}
