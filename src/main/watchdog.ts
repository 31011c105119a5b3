/**
 * Detects workers that do not answer any more.
 *
 * @module
 */

/** Heartbeats within the time limit, so that one may be late. */
const BEATS = 5;

/** Milliseconds between two heartbeats, at most. */
const LONGEST = 1000;

/** Something that has a heartbeat. */
export interface Watched {
  /** A number that changes with each heartbeat. */
  readonly share: { readonly beats: number };
}

/** What was last seen of a worker. */
interface Seen {
  beats: number;
  /** Milliseconds since the last heartbeat in which this thread was awake. */
  silence: number;
  stuck: boolean;
}

/**
 * Tells how often the heart of a worker has to beat.
 *
 * @param timeout Milliseconds without a beat after which it is stuck; 0: never.
 * @returns Milliseconds between two beats; 0: never.
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
   * @param timeout Milliseconds without a heartbeat after which a worker is stuck;
   * 0: never.
   * @param on Is told that a worker is stuck, or that it runs again after so many
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

  /** Looks once; `now` is the present `performance.now()`. */
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
