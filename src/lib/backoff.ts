/**
 * Pauses that grow while something keeps failing.
 *
 * @module
 */

/** Milliseconds before the second attempt; doubled for each more. */
const FIRST = 100;

/** Milliseconds between two attempts, at most. */
const LONGEST = 30_000;

/** Milliseconds without a failure after which earlier ones no longer count. */
const QUIET = 60_000;

/** How long to wait before something that has failed is tried once more. */
export class Backoff {
  #failures = 0;
  #last = -Infinity;

  /**
   * Counts a failure.
   *
   * @param now The present `performance.now()`.
   * @returns Milliseconds to wait: none after the first failure in a while.
   */
  failed(now = performance.now()): number {
    if (now - this.#last > QUIET + this.#pause()) this.#failures = 0;
    const pause = this.#pause();
    this.#failures++;
    this.#last = now;
    return pause;
  }

  #pause(): number {
    if (this.#failures === 0) return 0;
    return Math.min(LONGEST, FIRST * 2 ** (this.#failures - 1));
  }
}
