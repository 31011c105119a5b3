/**
 * Whether what was sampled stays flat.
 *
 * @module
 */
import { median } from "../bench/statistics.ts";
import type { Sample } from "./sampler.ts";
import type { Observed, Phase } from "./soak.ts";

/** Something that must stay flat. */
export interface Quantity {
  readonly name: string;
  readonly unit: string;
  /** Digits behind the point, in reports. */
  readonly digits: number;
  /** The value of a sample, in `unit`. */
  of(sample: Sample): number;
  /**
   * Seconds of which the least value counts: garbage, and the workers of before
   * a reload, come and go.
   *
   * @default 0
   */
  readonly floor?: number;
  /** By how much it may grow in a phase, however long that is. */
  readonly drift: number;
  /** By how much it may be more after the load than before. */
  readonly rest: number;
}

/** All that must stay flat. */
export const QUANTITIES: readonly Quantity[] = [
  {
    name: "memory",
    unit: "MB",
    digits: 1,
    of: ({ memory }) => memory / 1e6,
    floor: 30,
    drift: 15,
    rest: 30,
  },
  {
    name: "memory, by the metrics",
    unit: "MB",
    digits: 1,
    of: ({ toldMemory }) => toldMemory / 1e6,
    floor: 30,
    drift: 15,
    rest: 30,
  },
  {
    name: "JavaScript objects, by the metrics",
    unit: "MB",
    digits: 1,
    of: ({ heap }) => heap / 1e6,
    floor: 30,
    drift: 5,
    rest: 10,
  },
  {
    name: "descriptors that are no connection's",
    unit: "",
    digits: 0,
    of: ({ spare }) => spare,
    drift: 4,
    rest: 0,
  },
  {
    name: "threads",
    unit: "",
    digits: 0,
    of: ({ threads }) => threads,
    drift: 2,
    rest: 0,
  },
  {
    name: "event loop lag",
    unit: "ms",
    digits: 2,
    of: ({ lag }) => lag,
    drift: 2,
    rest: 5,
  },
  {
    name: "event loop lag, by the metrics",
    unit: "ms",
    digits: 2,
    of: ({ toldLag }) => toldLag,
    drift: 10,
    rest: 50,
  },
  {
    name: "time of a scrape",
    unit: "ms",
    digits: 1,
    of: ({ scrape }) => scrape,
    drift: 10,
    rest: 50,
  },
];

/** Whether a quantity was flat, in a phase or from before to after the load. */
export interface Verdict {
  readonly quantity: Quantity;
  readonly where: Phase["name"] | "before and after";
  /** At the begin, and at the end. */
  readonly from: number;
  readonly to: number;
  /** By how much it may have grown. */
  readonly bound: number;
  readonly ok: boolean;
}

/** The first part of each phase, which is left out. */
const WARM_UP = 1 / 4;

/** Judges what was observed: growth only, as to become less is no leak. */
export function judge(
  { before, after, samples, phases }: Pick<
    Observed,
    "before" | "after" | "samples" | "phases"
  >,
): readonly Verdict[] {
  return QUANTITIES.flatMap((quantity) => [
    ...phases.map((phase) => inPhase(quantity, phase, samples)),
    verdict(
      quantity,
      "before and after",
      [quantity.of(before), quantity.of(after)],
      quantity.rest,
    ),
  ]);
}

function inPhase(
  quantity: Quantity,
  { name, from, to }: Phase,
  samples: readonly Sample[],
): Verdict {
  const begin = from + (to - from) * WARM_UP;
  const points = samples
    .filter(({ time }) => time >= begin && time <= to)
    .map((sample): Point => [sample.time, quantity.of(sample)]);
  const floor = lowest(points, quantity.floor ?? 0);
  return verdict(quantity, name, trend(floor), quantity.drift);
}

/** At each point that has so many seconds before it, the least value of those. */
function lowest(points: readonly Point[], seconds: number): readonly Point[] {
  if (seconds === 0) return points;
  const first = points[0]?.[0] ?? 0;
  return points.filter(([time]) => time >= first + seconds)
    .map(([time]): Point => [
      time,
      Math.min(
        ...points.filter(([at]) => at >= time - seconds && at <= time)
          .map(([, value]) => value),
      ),
    ]);
}

function verdict(
  quantity: Quantity,
  where: Verdict["where"],
  [from, to]: readonly [number, number],
  bound: number,
): Verdict {
  // so that what could not be measured is not flat
  const ok = to - from <= bound;
  return { quantity, where, from, to, bound, ok };
}

/** A time and a value. */
export type Point = readonly [time: number, value: number];

/**
 * The line through points that outliers do not bend: its slope is the median of
 * the slopes between any two of them (Theil and Sen).
 *
 * @param points In the order of time.
 * @returns Its values at the first and the last time; NaN of fewer than two.
 */
export function trend(points: readonly Point[]): readonly [number, number] {
  const slopes: number[] = [];
  for (const [index, [time, value]] of points.entries()) {
    for (const [later, other] of points.slice(index + 1)) {
      if (later > time) slopes.push((other - value) / (later - time));
    }
  }
  const slope = median(slopes);
  const offset = median(points.map(([time, value]) => value - slope * time));
  const at = (point: Point | undefined) => offset + slope * (point?.[0] ?? NaN);
  return [at(points[0]), at(points.at(-1))];
}
