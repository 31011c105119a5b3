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
  /** All names (lower case) and values, in the order in which the names first came. */
  entries(): IterableIterator<[name: string, value: string]>;
  /** The same as `entries()`. */
  [Symbol.iterator](): IterableIterator<[name: string, value: string]>;
}

/** The fields as a map, made at the first look-up. */
export abstract class LazyHeaders implements HttpHeaders {
  #fields: Map<string, string> | undefined;

  /** Adds every field to the map. */
  protected abstract fill(fields: Map<string, string>): void;

  get(name: string): string | null {
    return this.#map().get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#map().has(name.toLowerCase());
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

/** Adds a field, of which there may be one already. */
export function addField(
  fields: Map<string, string>,
  name: string,
  value: string,
): void {
  const before = fields.get(name);
  if (before === undefined) fields.set(name, value);
  else fields.set(name, `${before}${name === "cookie" ? "; " : ", "}${value}`);
}
