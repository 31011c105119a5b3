/**
 * Which of many patterns can match a text at all: those of whose texts it
 * contains four characters in a row.
 *
 * @module
 */

/** Characters that make a gram: four bytes are one 32-bit number. */
const GRAM = 4;

/** Places of the bitmap for each pattern: of 32, one is set. */
const SPARSENESS = 32;

/** A pattern as the filter sees it. */
export interface Filtered {
  /** Every text that the pattern matches contains all of these. */
  readonly literals: readonly string[];
  /** They are in lower case, and the case of the text does not matter. */
  readonly ignoreCase: boolean;
}

/**
 * Picks out of an ordered list of patterns those that may match a text, in one
 * pass over the text however many patterns there are. Of each pattern it knows
 * the four characters that are rarest among all patterns; a pattern without any
 * is always picked.
 */
export class LiteralFilter {
  readonly #exact = new GramIndex();
  readonly #folded = new GramIndex();
  /** Patterns that nothing is known of, in order. */
  readonly #always: number[] = [];

  /** @param patterns The patterns; they are known by their places from here on. */
  constructor(patterns: readonly Filtered[]) {
    for (const ignoreCase of [false, true]) {
      const some = patterns.map((pattern) =>
        pattern.ignoreCase === ignoreCase ? gramsOf(pattern.literals) : []
      );
      const index = ignoreCase ? this.#folded : this.#exact;
      index.fill(some);
    }
    for (const [number, { literals }] of patterns.entries()) {
      if (gramsOf(literals).length === 0) this.#always.push(number);
    }
  }

  /**
   * Finds the first pattern that matches.
   *
   * @param text The text.
   * @param matches Tells whether a pattern matches the text.
   * @param below Only patterns before this place matter.
   * @returns The place of the pattern; `below` if there is none.
   */
  first(
    text: string,
    matches: (pattern: number) => boolean,
    below = Infinity,
  ): number {
    const picked: number[] = [];
    this.#exact.pick(text, picked);
    if (!this.#folded.isEmpty) this.#folded.pick(text.toLowerCase(), picked);
    if (picked.length > 1) picked.sort((a, b) => a - b);
    const always = this.#always;
    let i = 0;
    let j = 0;
    for (;;) {
      const one = picked[i] ?? Infinity;
      const other = always[j] ?? Infinity;
      const next = Math.min(one, other);
      if (next >= below) return below;
      if (one === next) { while (picked[i] === next) i++; }
      else j++;
      if (matches(next)) return next;
    }
  }
}

/** From grams to the patterns that they were chosen for. */
class GramIndex {
  readonly #patterns = new Map<number, number[]>();
  /** By a hash: no gram with this hash is in the map. */
  #bitmap = new Uint8Array(0);
  #shift = 32;

  get isEmpty(): boolean {
    return this.#patterns.size === 0;
  }

  /** @param patterns The grams of each pattern; patterns without are left out. */
  fill(patterns: readonly (readonly number[])[]): void {
    const frequency = new Map<number, number>();
    for (const grams of patterns) {
      for (const gram of grams) {
        frequency.set(gram, (frequency.get(gram) ?? 0) + 1);
      }
    }
    for (const [number, grams] of patterns.entries()) {
      const rarest = grams.reduce<number | undefined>(
        (best, gram) =>
          best === undefined ||
            (frequency.get(gram) ?? 0) < (frequency.get(best) ?? 0)
            ? gram
            : best,
        undefined,
      );
      if (rarest === undefined) continue;
      const known = this.#patterns.get(rarest);
      if (known === undefined) this.#patterns.set(rarest, [number]);
      else known.push(number);
    }
    const bits = Math.ceil(
      Math.log2(Math.max(1, this.#patterns.size) * SPARSENESS),
    );
    this.#shift = 32 - bits;
    this.#bitmap = new Uint8Array(2 ** bits);
    for (const gram of this.#patterns.keys()) {
      this.#bitmap[this.#hash(gram)] = 1;
    }
  }

  /** Adds the patterns whose gram a text has. */
  pick(text: string, picked: number[]): void {
    if (this.isEmpty) return;
    const bitmap = this.#bitmap;
    let gram = 0;
    for (let i = 0; i < text.length; i++) {
      gram = gram << 8 | text.charCodeAt(i) & 0xff;
      if (i < GRAM - 1 || bitmap[this.#hash(gram)] === 0) continue;
      const patterns = this.#patterns.get(gram);
      if (patterns === undefined) continue;
      for (const pattern of patterns) picked.push(pattern);
    }
  }

  #hash(gram: number): number {
    return Math.imul(gram, 0x9e3779b1) >>> this.#shift;
  }
}

/** All grams of some texts, each once. */
function gramsOf(literals: readonly string[]): number[] {
  const grams = new Set<number>();
  for (const literal of literals) {
    for (let end = GRAM; end <= literal.length; end++) {
      let gram = 0;
      for (let i = end - GRAM; i < end; i++) {
        // of characters above U+00FF a part is enough: a filter may let pass
        gram = gram << 8 | literal.charCodeAt(i) & 0xff;
      }
      grams.add(gram);
    }
  }
  return [...grams];
}
