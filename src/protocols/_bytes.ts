import type { Input } from "./types.ts";

/**
 * The most that a parser reads where its protocol has no lower limit of its
 * own, in bytes.
 */
export const MAX_MESSAGE = 65_536;

/** The bytes of an {@linkcode Input}. */
export function bytesOf(data: Input): Uint8Array {
  return data instanceof Uint8Array ? data : data.bytes;
}

/**
 * A reader for one message which knows three answers. Every method that reads
 * says whether it could; when it could not, the position is where it was and
 * `answer` is what the parser has to return: `null` when no further byte can
 * help, `undefined` when more bytes are needed.
 */
export class Cursor {
  /** `null` or `undefined`; valid after a method has failed. */
  answer: null | undefined = undefined;

  /**
   * @param bytes What has been received.
   * @param pos Index of the next byte.
   * @param limit Index behind the enclosing structure, which may be beyond the
   *   received bytes.
   */
  constructor(
    readonly bytes: Uint8Array,
    public pos = 0,
    public limit = 0x3fffffff,
  ) {}

  /** Fails with `null`, for what returns a number. */
  reject(): -1 {
    this.answer = null;
    return -1;
  }

  /** Fails with `undefined`, for what returns a number. */
  wait(): -1 {
    this.answer = undefined;
    return -1;
  }

  /** Fails with `null`, for what returns whether it could. */
  no(): false {
    this.answer = null;
    return false;
  }

  /** Fails with `undefined`, for what returns whether it could. */
  notYet(): false {
    this.answer = undefined;
    return false;
  }

  /**
   * Reads a big-endian unsigned integer of `size` bytes (1 to 4), or -1. It is
   * rejected as soon as its first bytes leave no value from `min` to `max`.
   */
  uint(size: number, min = 0, max = 0xffffffff): number {
    const { bytes, pos } = this;
    if (pos + size > this.limit) return this.reject();
    let value = 0;
    const end = Math.min(pos + size, bytes.length);
    for (let i = pos; i < end; i++) value = value * 256 + bytes[i]!;
    if (end < pos + size) {
      const unit = 256 ** (pos + size - end);
      const possible = value * unit <= max && value * unit + unit > min;
      return possible ? this.wait() : this.reject();
    }
    if (value < min || value > max) return this.reject();
    this.pos = end;
    return value;
  }

  /**
   * Reads the length, at least `min`, of something that has to end within the
   * limit, or -1.
   */
  sizeOf(size: number, min = 0): number {
    const max = this.limit - this.pos - size;
    return max < min ? this.reject() : this.uint(size, min, max);
  }

  /**
   * Reads an integer of 7 bits a byte, least significant first, in at most
   * `size` (up to 4) bytes, or -1.
   */
  varint(size: number, min: number, max: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) {
      if (this.pos + i >= this.limit) return this.reject();
      const byte = this.bytes[this.pos + i];
      if (byte === undefined) return this.wait();
      value += (byte & 0x7f) << (7 * i);
      if (value > max) return this.reject();
      if (byte < 0x80) {
        if (value < min) return this.reject();
        this.pos += i + 1;
        return value;
      }
    }
    return this.reject();
  }

  /** Goes over `length` bytes. */
  skip(length: number): boolean {
    const end = this.pos + length;
    if (end > this.limit) return this.no();
    if (end > this.bytes.length) return this.notYet();
    this.pos = end;
    return true;
  }

  /** Goes over `length` bytes, all of which have to be in `allowed`. */
  run(length: number, allowed: ByteClass): boolean {
    const { bytes, pos } = this;
    const end = pos + length;
    if (end > this.limit) return this.no();
    const stop = Math.min(end, bytes.length);
    for (let i = pos; i < stop; i++) {
      if (allowed[bytes[i]!] === 0) return this.no();
    }
    if (stop < end) return this.notYet();
    this.pos = end;
    return true;
  }

  /** Goes over exactly these bytes. */
  literal(expected: Uint8Array): boolean {
    const { bytes, pos } = this;
    const end = pos + expected.length;
    if (end > this.limit) return this.no();
    const stop = Math.min(end, bytes.length);
    for (let i = pos; i < stop; i++) {
      if (bytes[i] !== expected[i - pos]) return this.no();
    }
    if (stop < end) return this.notYet();
    this.pos = end;
    return true;
  }

  /**
   * Goes to the byte behind the first `stop` and returns the index of that
   * `stop`, or -1. Before it may be at most `max` bytes, all in `allowed`.
   */
  until(stop: number, allowed: ByteClass, max: number): number {
    const { bytes, pos } = this;
    const behind = Math.min(this.limit, pos + max + 1);
    const end = Math.min(behind, bytes.length);
    for (let i = pos; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === stop) {
        this.pos = i + 1;
        return i;
      }
      if (allowed[byte] === 0) return this.reject();
    }
    return end < behind ? this.wait() : this.reject();
  }

  /**
   * Goes over all bytes in `allowed`, at most `max`, up to one that is not, and
   * returns the index of that one, or -1.
   */
  over(allowed: ByteClass, max: number): number {
    const { bytes } = this;
    const behind = Math.min(this.limit, this.pos + max + 1);
    const end = Math.min(behind, bytes.length);
    let i = this.pos;
    while (i < end && allowed[bytes[i]!] === 1) i++;
    if (i === end) return end < behind ? this.wait() : this.reject();
    this.pos = i;
    return i;
  }

  /** Goes over CR LF or LF. */
  endOfLine(): boolean {
    const lf = this.bytes[this.pos] === 0x0d ? this.pos + 1 : this.pos;
    if (lf >= this.limit) return this.no();
    if (lf >= this.bytes.length) return this.notYet();
    if (this.bytes[lf] !== 0x0a) return this.no();
    this.pos = lf + 1;
    return true;
  }
}

/** One entry per byte value; 0 = not in the class. */
export type ByteClass = Uint8Array;

/** The class of the bytes for which `belongs` is true. */
export function byteClass(belongs: (byte: number) => boolean): ByteClass {
  return Uint8Array.from({ length: 256 }, (_, byte) => belongs(byte) ? 1 : 0);
}

/** The class of the bytes of a string. */
export function oneOf(characters: string): ByteClass {
  return byteClass((byte) => characters.includes(String.fromCharCode(byte)));
}

/** US-ASCII without controls and space. */
export const VISIBLE: ByteClass = byteClass((byte) =>
  byte > 0x20 && byte < 0x7f
);
/** US-ASCII without controls. */
export const PRINTABLE: ByteClass = byteClass((byte) =>
  byte >= 0x20 && byte < 0x7f
);
/** Text in any superset of US-ASCII: no controls. */
export const TEXT: ByteClass = byteClass((byte) =>
  byte >= 0x20 && byte !== 0x7f
);
/** What method and field names of HTTP are made of (RFC 9110 section 5.6.2). */
export const TOKEN: ByteClass = byteClass((byte) =>
  PRINTABLE[byte] === 1 &&
  !` "(),/:;<=>?@[\\]{}`.includes(String.fromCharCode(byte))
);
/** Every byte but zero. */
export const NOT_NUL: ByteClass = byteClass((byte) => byte !== 0);

const encoder = new TextEncoder();

/** The bytes of a string, for constants. */
export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One character per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let i = start;
  for (; i + 8 <= end; i += 8) {
    text += String.fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
      bytes[i + 4]!,
      bytes[i + 5]!,
      bytes[i + 6]!,
      bytes[i + 7]!,
    );
  }
  for (; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});
/** What a decoder puts where there is no UTF-8. */
const REPLACEMENT = "\ufffd";
/** From about this length on, the runtime's decoder is faster than a loop. */
const LONG = 40;

/** UTF-8 text; what is not UTF-8 becomes U+FFFD. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return isShortAscii(bytes, start, end)
    ? latin1(bytes, start, end)
    : decoder.decode(bytes.subarray(start, end));
}

/** UTF-8 text, or `null` when it is not UTF-8. */
export function strictUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | null {
  if (isShortAscii(bytes, start, end)) return latin1(bytes, start, end);
  try {
    return strictDecoder.decode(bytes.subarray(start, end));
  } catch { // the one thing that a fatal decoder throws is "not UTF-8"
    return null;
  }
}

/** UTF-8 text; what is not UTF-8 has one character per byte. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (isShortAscii(bytes, start, end)) return latin1(bytes, start, end);
  const text = decoder.decode(bytes.subarray(start, end));
  if (!text.includes(REPLACEMENT)) return text; // most are, and this is faster
  return strictUtf8(bytes, start, end) ?? latin1(bytes, start, end);
}

function isShortAscii(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONG) return false;
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}
