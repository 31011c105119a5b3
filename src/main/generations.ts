/**
 * All workers of the process, by the configurations that they run.
 *
 * @module
 */
import type { Generation } from "./generation.ts";
import type { WorkerThread } from "./worker_thread.ts";

/** The generations that serve or drain, from the oldest to the newest. */
export class Generations {
  #all: readonly Generation[] = [];

  /** All of them. */
  get all(): readonly Generation[] {
    return this.#all;
  }

  /** The one that serves; those before it drain. */
  get newest(): Generation | undefined {
    return this.#all.at(-1);
  }

  /** The workers that have not ended. */
  get workers(): readonly WorkerThread[] {
    return this.#all.flatMap(({ workers }) => workers);
  }

  /** How many workers do not answer now. */
  get stuck(): number {
    return this.workers.filter(({ state }) => state === "stuck").length;
  }

  /** Whether all have drained. */
  get areDrained(): boolean {
    return this.#all.every(({ isDrained }) => isDrained);
  }

  /** Adds one that is to serve in place of those before. */
  add(generation: Generation): void {
    this.#all = [...this.#all, generation];
  }

  /** Forgets those whose last worker has ended. */
  prune(): void {
    this.#all = this.#all
      .filter(({ workers, isDrained }) => !isDrained || workers.length > 0);
  }

  /** The one that a worker belongs to. */
  of(worker: WorkerThread): Generation | undefined {
    return this.#all.find(({ workers }) => workers.includes(worker));
  }
}
