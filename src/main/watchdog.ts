/**
 * Noticing workers that do not answer any more.
 *
 * @module
 */

/** Signs of life that are expected within the time, so that one may be late. */
const BEATS = 5;

/** Milliseconds between two signs of life, at most. */
const LONGEST = 1000;

/** Something that gives signs of life. */
export interface Watched {
  /** A number that changes as long as it lives. */
  readonly share: { readonly beats: number };
}

/** What was last seen of one. */
interface Seen {
  beats: number;
  /** Milliseconds since the last sign of life that this thread was awake. */
  silence: number;
  stuck: boolean;
}

/**
 * Tells how often a worker has to give a sign of life.
 *
 * @param timeout Milliseconds without one after which it is stuck; 0: never.
 * @returns Milliseconds; 0: never.
 */
export function heartbeat(timeout: number): number {
  return Math.min(LONGEST, timeout / BEATS);
}

/** Looks at all workers regularly. */
export class Watchdog<T extends Watched> {
  readonly #timeout: number;
  readonly #workers: () => Iterable<T>;
  readonly #onStuck: (worker: T) => void;
  readonly #onAwake: (worker: T, silence: number) => void;
  #seen = new Map<T, Seen>();
  #last = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param timeout Milliseconds without a sign of life after which a worker is
   * stuck; 0: never.
   * @param workers The workers that are to give such signs now.
   * @param on Is told that one is stuck; that it lives again, after so many
   * milliseconds.
   */
  constructor(
    timeout: number,
    workers: () => Iterable<T>,
    on: {
      stuck(worker: T): void;
      awake(worker: T, silence: number): void;
    },
  ) {
    this.#timeout = timeout;
    this.#workers = workers;
    this.#onStuck = on.stuck;
    this.#onAwake = on.awake;
  }

  /** Begins to look; `stop` ends it. */
  start(): void {
    if (this.#timeout === 0) return;
    this.#last = performance.now();
    this.#timer = setInterval(
      () => this.look(performance.now()),
      heartbeat(this.#timeout),
    );
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Looks once.
   *
   * @param now The present `performance.now()`.
   */
  look(now: number): void {
    // where this thread itself was suspended, so were the workers: what counts
    // is the time in which they could have been seen
    const passed = Math.min(now - this.#last, 2 * heartbeat(this.#timeout));
    this.#last = now;
    const seen = new Map<T, Seen>();
    for (const worker of this.#workers()) {
      const { beats } = worker.share;
      const one = this.#seen.get(worker);
      seen.set(worker, one ?? { beats, silence: 0, stuck: false });
      if (one === undefined) continue;
      if (beats === one.beats) one.silence += passed;
      else this.#heard(worker, one, beats);
      if (one.stuck || one.silence < this.#timeout) continue;
      one.stuck = true;
      this.#onStuck(worker);
    }
    this.#seen = seen;
  }

  #heard(worker: T, seen: Seen, beats: number): void {
    const { silence, stuck } = seen;
    Object.assign(seen, { beats, silence: 0, stuck: false });
    if (stuck) this.#onAwake(worker, silence);
  }
}
