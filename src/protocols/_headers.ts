import type { Field } from "./_hpack.ts";

/**
 * Header fields of a request: a read-only lookup like `Headers`, in which
 * names have no case. A field that came several times is one value, joined by
 * `, ` (`cookie` by `; `). Values have one character per byte.
 */
export interface HttpHeaders {
  /** The value of a field, or `null`. */
  get(name: string): string | null;
  /** Whether there is such a field. */
  has(name: string): boolean;
  /**
   * All names (lower case) and values, in the order in which the names first
   * came.
   */
  entries(): IterableIterator<[name: string, value: string]>;
  /** The same as `entries()`. */
  [Symbol.iterator](): IterableIterator<[name: string, value: string]>;
}

const NOT_ASCII = /[\x80-\xff]/;

/** The fields as a map, made at the first look-up. */
abstract class LazyHeaders implements HttpHeaders {
  #fields: Map<string, string> | undefined;

  /** Adds every field to the map. */
  protected abstract fill(fields: Map<string, string>): void;

  get(name: string): string | null {
    return this.#map().get(lowerCase(name)) ?? null;
  }

  has(name: string): boolean {
    return this.#map().has(lowerCase(name));
  }

  entries(): IterableIterator<[name: string, value: string]> {
    return this.#map().entries();
  }

  [Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    return this.entries();
  }

  #map(): Map<string, string> {
    if (this.#fields === undefined) {
      this.#fields = new Map();
      this.fill(this.#fields);
    }
    return this.#fields;
  }
}

/** The fields in the text of a head that is known to be well-formed. */
export class HeadFields extends LazyHeaders {
  #text: string;
  #start: number;

  constructor(text: string, start: number) {
    super();
    this.#text = text;
    this.#start = start;
  }

  protected override fill(fields: Map<string, string>): void {
    const text = this.#text;
    let pos = this.#start;
    while (text[pos] !== "\r" && text[pos] !== "\n") {
      const lineEnd = text.indexOf("\n", pos);
      let end = lineEnd;
      while (text[end + 1] === " " || text[end + 1] === "\t") {
        end = text.indexOf("\n", end + 1);
      }
      const line = text.slice(pos, lineEnd);
      const colon = line.indexOf(":");
      const nameEnd = colon < 0 ? lineEnd : pos + colon;
      const name = lowerCase(trim(text.slice(pos, nameEnd)));
      addField(fields, name, unfold(text.slice(nameEnd + 1, end)));
      pos = end + 1;
    }
  }
}

/** The fields of a decoded header list. */
export class FieldList extends LazyHeaders {
  #fields: readonly Field[];

  constructor(fields: readonly Field[]) {
    super();
    this.#fields = fields;
  }

  protected override fill(map: Map<string, string>): void {
    for (const { name, value } of this.#fields) {
      if (!name.startsWith(":")) addField(map, name, value);
    }
  }
}

/** Adds a field, of which there may be one already. */
function addField(
  fields: Map<string, string>,
  name: string,
  value: string,
): void {
  const before = fields.get(name);
  if (before === undefined) fields.set(name, value);
  else fields.set(name, `${before}${name === "cookie" ? "; " : ", "}${value}`);
}

/** In lower case, but only US-ASCII: other characters are bytes of UTF-8. */
function lowerCase(name: string): string {
  return NOT_ASCII.test(name)
    ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : name.toLowerCase();
}

/**
 * The value without the space around it, and its lines, if it is folded, as
 * one.
 */
function unfold(value: string): string {
  if (!value.includes("\n")) return trim(value);
  return value.split("\n").map(trim).filter((line) => line !== "").join(" ");
}

/**
 * Without leading and trailing SP, TAB and CR; `String.trim()` would take
 * U+00A0 too.
 */
function trim(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}
