/**
 * Buffers that connections borrow: small ones to wait with, big ones while
 * data flows.
 *
 * @module
 */

/** Bytes of a buffer for what is read before the decision, at first. */
export const FIRST = 2048;

/** Bytes of a buffer that waits for data; an idle connection holds two. */
export const SMALL = 768;

/** Bytes of a buffer for data that fills a small one. */
export const MEDIUM = 65_536;

/** Bytes of a buffer for a flow that fills a medium one. */
export const LARGE = 262_144;

/** How many bytes of each size are kept for the next borrower, at most. */
const KEEP = 4 * 1024 * 1024;

/** Small buffers that share one allocation: each of its own costs 250 bytes more. */
const SLAB = 64;

/** How many large buffers are lent at a time, so that memory stays bounded. */
const LARGE_LENT = 32;

/**
 * From this many big buffers on, a connection gives its own back whenever a
 * read has not filled it; below, it keeps one while data flows.
 */
const MANY = 128;

/** The buffers of one worker. A buffer comes with what its last borrower left. */
export class Buffers {
  readonly #first: Uint8Array[] = [];
  readonly #small: Uint8Array[] = [];
  readonly #medium: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  /** The medium and large ones that are lent. */
  readonly #big = new Set<Uint8Array>();
  #largeLent = 0;

  /**
   * Lends a buffer for what is read before the decision.
   *
   * @returns A buffer, to be given back by `release`.
   */
  first(): Uint8Array {
    return this.#first.pop() ?? new Uint8Array(FIRST);
  }

  /**
   * Lends a small buffer.
   *
   * @returns A buffer, to be given back by `release` or exchanged by `fit`.
   */
  small(): Uint8Array {
    const buffer = this.#small.pop();
    if (buffer !== undefined) return buffer;
    const slab = new Uint8Array(SLAB * SMALL);
    for (let at = SMALL; at < slab.length; at += SMALL) {
      this.#small.push(slab.subarray(at, at + SMALL));
    }
    return slab.subarray(0, SMALL);
  }

  /**
   * Exchanges a buffer for one that fits the flow: the next size up if it was
   * filled, the smallest if it is too big for what comes.
   *
   * @param buffer A lent buffer, with nothing in it that is needed.
   * @param count How many bytes the last read has put into it.
   * @returns The buffer for the next read, perhaps the same.
   */
  fit(buffer: Uint8Array, count: number): Uint8Array {
    if (count === buffer.length) return this.#grow(buffer);
    if (buffer.length === SMALL) return buffer;
    if (count > SMALL && this.#big.size < MANY) return buffer;
    this.release(buffer);
    return this.small();
  }

  /**
   * Takes a buffer back. One that was not lent here is left to the garbage
   * collector.
   *
   * @param buffer Not used any more, by a pending read or write neither.
   */
  release(buffer: Uint8Array): void {
    if (buffer.length === SMALL) return keep(this.#small, buffer);
    if (buffer.length === FIRST) return keep(this.#first, buffer);
    if (!this.#big.delete(buffer)) return;
    if (buffer.length === MEDIUM) return keep(this.#medium, buffer);
    this.#largeLent--;
    keep(this.#large, buffer);
  }

  #grow(buffer: Uint8Array): Uint8Array {
    let bigger: Uint8Array;
    if (buffer.length === SMALL) {
      bigger = this.#medium.pop() ?? new Uint8Array(MEDIUM);
    } else if (buffer.length === MEDIUM && this.#largeLent < LARGE_LENT) {
      bigger = this.#large.pop() ?? new Uint8Array(LARGE);
      this.#largeLent++;
    } else {
      return buffer;
    }
    this.release(buffer);
    this.#big.add(bigger);
    return bigger;
  }
}

function keep(list: Uint8Array[], buffer: Uint8Array): void {
  if (list.length * buffer.length < KEEP) list.push(buffer);
}
