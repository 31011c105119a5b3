/**
 * Strings in which each character stands for one byte.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/**
 * Encodes a string of characters U+0000 to U+00FF as one byte each (ISO 8859-1).
 *
 * @param text The characters.
 * @returns As many bytes as `text` has characters.
 * @throws {RangeError} If a character is above U+00FF.
 *
 * @example
 * ```ts
 * import { latin1 } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(latin1("\0\x5a\xff"), new Uint8Array([0, 0x5a, 0xff]));
 * ```
 */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) {
      throw new RangeError(
        `Cannot encode text as latin1 as each character must be at most U+00FF: ` +
          `character ${i} is U+${
            code.toString(16).toUpperCase().padStart(4, "0")
          }`,
      );
    }
    bytes[i] = code;
  }
  return bytes;
}

/**
 * Decodes bytes into a string of one character per byte: the inverse of
 * {@linkcode latin1}.
 *
 * @param bytes Any bytes.
 * @returns As many characters, U+0000 to U+00FF, as there are bytes.
 */
export function fromLatin1(bytes: Uint8Array): string {
  // one operation of the runtime: String.fromCharCode takes ten times as long
  // for 1,000 bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1");
}
