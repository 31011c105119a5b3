/**
 * What has happened in the last minutes, second by second.
 *
 * @module
 */
import { END_REASONS } from "../stats/end_reason.ts";
import { FAILED } from "../stats/statistics.ts";
import type { History as Samples, Sample } from "./json_types.ts";
import type { Source } from "./program.ts";

/** Seconds between two samples. */
const INTERVAL = 1;

/** How many samples are kept. */
const MOST = 300;

/** Numbers that only ever grow. */
interface Grown {
  readonly accepted: number;
  readonly ended: number;
  readonly failed: number;
  readonly in: number;
  readonly out: number;
}

/** Looks at the numbers regularly, and keeps what has changed. */
export class History {
  readonly #source: Source;
  readonly #samples: Sample[] = [];
  #last: Grown;
  #time = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(source: Source) {
    this.#source = source;
    this.#last = read(source);
  }

  /** Begins to look; `stop` ends it. */
  start(): void {
    this.#timer = setInterval(
      () => this.look(performance.now()),
      INTERVAL * 1000,
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
    const source = this.#source;
    const numbers = read(source);
    const seconds = Math.max(0.001, (now - this.#time) / 1000);
    const rate = (key: keyof Grown) =>
      Math.round((numbers[key] - this.#last[key]) / seconds * 10) / 10;
    this.#samples.push({
      time: new Date().toISOString(),
      connections: source.gauges.open,
      accepted: rate("accepted"),
      ended: rate("ended"),
      failed: rate("failed"),
      in: rate("in"),
      out: rate("out"),
      lag: worstLag(source),
    });
    if (this.#samples.length > MOST) this.#samples.shift();
    this.#last = numbers;
    this.#time = now;
  }

  /** What is kept, the oldest first. */
  list(): Samples {
    return { interval: INTERVAL, samples: this.#samples };
  }
}

function read({ gauges, totals }: Source): Grown {
  const counts = gauges.counters.snapshot();
  const sum = (reasons: readonly (keyof typeof counts)[]) =>
    reasons.reduce((sum, reason) => sum + counts[reason], 0);
  return {
    accepted: totals.connections(gauges.total),
    ended: sum(END_REASONS),
    failed: sum(FAILED),
    in: totals.received,
    out: totals.sent,
  };
}

/**
 * The lag of the worker whose event loop is the latest.
 *
 * @returns Seconds.
 */
export function worstLag({ workers }: Source): number {
  return Math.max(0, ...workers.map(({ lag }) => lag));
}
