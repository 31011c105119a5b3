/**
 * Checking what a worker reports: the router runs there, and may have found a
 * way to speak for it.
 *
 * @module
 */
import {
  BUCKETS,
  DURATIONS,
  FAILURES,
  MAX_NAMES,
  type Report,
} from "./statistics.ts";

/** Characters of a name, at most: a host name, a port, and what belongs there. */
const MAX_LENGTH = 512;

/**
 * Tells whether a message is a report: numbers that do not count backwards, and
 * no more names than there may be.
 */
export function isReport(message: unknown): message is Report {
  if (!isMapping(message)) return false;
  const { lag, heapUsed, received, sent, histograms, routes, remotes } =
    message;
  return [lag, heapUsed, received, sent].every(isCount) &&
    isMapping(histograms) && DURATIONS.every((duration) => {
      const histogram = histograms[duration];
      return isMapping(histogram) && isCount(histogram.sum) &&
        isCounts(histogram.counts, BUCKETS[duration].length + 1);
    }) &&
    isList(routes, (route) =>
      isName(route.name) &&
      [route.hits, route.failed, route.received, route.sent].every(isCount)) &&
    isList(remotes, (remote) =>
      isName(remote.name) &&
      [remote.connections, remote.connectSeconds, remote.open]
        .every(isCount) &&
      isCounts(remote.failures, FAILURES.length));
}

type Mapping = Readonly<Record<string, unknown>>;

/** Tells whether a value has fields; which, is not known. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null;
}

function isList(value: unknown, check: (item: Mapping) => boolean): boolean {
  // one more for all others
  return Array.isArray(value) && value.length <= MAX_NAMES + 1 &&
    value.every((item) => isMapping(item) && check(item));
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_LENGTH;
}

function isCounts(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length &&
    value.every(isCount);
}

/** Tells whether a value is a number that something can be counted with. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}
