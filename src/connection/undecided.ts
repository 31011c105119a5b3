/**
 * Promises of hooks that are waited for, but not longer than they matter.
 *
 * @module
 */

/** The hooks of one connection whose promises are pending. */
export class Undecided {
  readonly #forget = new Set<() => void>();

  /**
   * Waits for what a hook says.
   *
   * @returns The value of that, or `undefined` once it is given up.
   */
  wait(said: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const forget = () => resolve(undefined);
    this.#forget.add(forget);
    Promise.resolve(said).then(resolve, reject)
      .finally(() => this.#forget.delete(forget));
    return promise;
  }

  /** Gives up all that is waited for. */
  giveUp(): void {
    for (const forget of this.#forget) forget();
  }
}
