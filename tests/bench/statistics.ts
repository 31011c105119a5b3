/**
 * Medians, and ratios of them.
 *
 * @module
 */

import type { Result } from "./run.ts";

/** Results by the name of their case. */
export type Results = ReadonlyMap<string, readonly Result[]>;

/** A quotient of two medians, and how far it went in single rounds. */
export interface Ratio {
  value: number;
  /** Least and greatest quotient of two measurements of the same round. */
  range: readonly [number, number];
}

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return (low + high) / 2;
}

/**
 * All values of a metric that an entry was measured to have; none if it failed.
 */
export function valuesOf(result: Result | undefined, metric: string): number[] {
  if (result === undefined || result.failure !== undefined) return [];
  return result.samples.map((sample) => sample[metric] ?? NaN).filter((value) =>
    !isNaN(value)
  );
}

/** The result of one entry of one case, if it was run. */
export function find(
  results: Results,
  workload: string,
  entry: string,
): Result | undefined {
  return results.get(workload)?.find((result) => result.entry.name === entry);
}

/**
 * How many times the other's `metric` is this one's; `undefined` if either has
 * none.
 */
export function ratioOf(
  one: Result | undefined,
  other: Result | undefined,
  metric: string,
): Ratio | undefined {
  const [over, under] = [valuesOf(one, metric), valuesOf(other, metric)];
  if (over.length === 0 || over.length !== under.length) return undefined;
  const rounds = over.map((value, round) => value / (under[round] ?? NaN));
  return {
    value: median(over) / median(under),
    range: [Math.min(...rounds), Math.max(...rounds)],
  };
}
