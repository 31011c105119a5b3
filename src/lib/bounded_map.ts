/**
 * A map of bounded size.
 *
 * @module
 */

/**
 * A map of bounded size that drops entries which were not used for long. Each
 * entry is in one of two halves: new and used entries go to the young half; when
 * that is full, it becomes the old half, and the old half is dropped. So entries
 * that are used often cost no more than in a plain map.
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

  /** Finds an entry, and counts that as a use. */
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

  /** Removes an entry. */
  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Finds an entry without counting that as a use. */
  peek(key: string): Value | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** All entries, without using them. */
  *values(): Generator<Value> {
    yield* this.#young.values();
    yield* this.#old.values();
  }
}
