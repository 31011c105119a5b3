/**
 * What was read from a client before the decision, as a router sees it.
 *
 * @module
 */
import { fromLatin1 } from "./latin1.ts";

/**
 * All the bytes that a client has sent so far and that no decision has
 * consumed. It is a view: the bytes are valid until the router has decided;
 * copy them (`bytes.slice()`) to keep them longer. `text` may be kept.
 *
 * @example
 * ```ts
 * import { latin1, Preread } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const data = new Preread(latin1("GET / HTTP/1.1\r\n"));
 * assert.equal(data.length, 16);
 * assert.equal(data.match(/^(\w+) /)?.[1], "GET");
 * assert.equal(data.startsWith("GET "), true);
 * assert.equal(data.view.getUint16(0), 0x4745);
 * ```
 */
export class Preread {
  /** The bytes, in the order in which they were received. */
  readonly bytes: Uint8Array;
  #text: string | undefined;
  #view: DataView | undefined;

  /**
   * Makes a view of bytes, for instance to test a router.
   *
   * @param bytes The bytes to show; they are not copied.
   */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.bytes.length;
  }

  /**
   * The bytes as a string of one character (U+0000 to U+00FF) per byte, so that
   * offsets in it are offsets in `bytes`. It is made at the first use and kept.
   */
  get text(): string {
    return this.#text ??= fromLatin1(this.bytes);
  }

  /** The bytes for reading numbers, such as `view.getUint16(2)`. */
  get view(): DataView {
    return this.#view ??= new DataView(
      this.bytes.buffer,
      this.bytes.byteOffset,
      this.bytes.byteLength,
    );
  }

  /**
   * Matches a regular expression against {@linkcode Preread.text}.
   *
   * @param pattern The expression. As its characters are bytes, write bytes
   * above 0x7F as `\xHH`, and use the flag `s` if `.` is to match a newline.
   * @returns What `String.prototype.match` returns; `null` if it does not match.
   */
  match(pattern: RegExp): RegExpMatchArray | null {
    return this.text.match(pattern);
  }

  /**
   * Tells whether the bytes begin with a prefix.
   *
   * @param prefix Bytes, or a string of one character per byte.
   * @returns `false`, too, if there are fewer bytes than the prefix has.
   */
  startsWith(prefix: string | Uint8Array): boolean {
    const bytes = this.bytes;
    if (bytes.length < prefix.length) return false;
    if (typeof prefix === "string") {
      for (let i = 0; i < prefix.length; i++) {
        if (bytes[i] !== prefix.charCodeAt(i)) return false;
      }
      return true;
    }
    for (let i = 0; i < prefix.length; i++) {
      if (bytes[i] !== prefix[i]) return false;
    }
    return true;
  }
}
