/**
 * A map that forgets.
 *
 * @module
 */

/**
 * A map with a bound: what was not used for long is forgotten first. Entries are
 * in one of two halves: a new or used one in the young half, and whenever that is
 * full, it becomes the old half, and the old half is dropped. So what is used
 * often costs no more than in a plain map.
 */
export class BoundedMap<Value> {
  readonly #half: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  /** @param size How many entries it has at most, at least 2. */
  constructor(size: number) {
    this.#half = Math.max(1, Math.floor(size / 2));
  }

  /** How many entries it has. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Finds an entry, and uses it. */
  get(key: string): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined || this.#old.size === 0) return value;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** Adds or replaces an entry. */
  set(key: string, value: Value): void {
    this.#old.delete(key);
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Forgets an entry. */
  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Finds an entry without using it. */
  peek(key: string): Value | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }
}
