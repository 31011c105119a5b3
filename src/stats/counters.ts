/**
 * Counters that all threads share: how connections have ended, and how often a
 * limit was met.
 *
 * @module
 */
import { END_REASONS } from "./end_reason.ts";

/** What is counted. To count something more, add its name. */
export const COUNTERS = [
  // connections, by why they have ended
  ...END_REASONS,
  // how often, and how many milliseconds, there was no place for a connection
  "max-connections",
  "max-connections-ms",
  // connections that no limit per address was applied to, for want of memory
  "address-table-full",
  // an operation that found no file descriptor
  "descriptors-exhausted",
  // look-ups of names, by what came of them; connections to old addresses
  "lookups-found",
  "lookups-missing",
  "lookups-failed",
  "stale-addresses",
  // tries to connect after a failed one, with a pause before
  "connect-retries",
  // connections to the proxy itself that were not made
  "loops-refused",
  // what has become of workers, and of reloads
  "workers-died",
  "workers-stuck",
  "reloads",
  "reloads-failed",
  // lines of the logs that were not written
  "lines-dropped",
] as const;

/** One of {@linkcode COUNTERS}. */
export type Counter = typeof COUNTERS[number];

/** Those that count how often a limit was met. */
export const LIMIT_COUNTERS = [
  "preread-limit",
  "preread-timeout",
  "proxy-timeout",
  "inactivity-timeout",
  "half-close-timeout",
  "idle-timeout",
  "max-duration",
  "client-stalled",
  "drain-timeout",
  "max-connections",
  "too-many-from-address",
  "rate-limited",
  "address-table-full",
  "descriptors-exhausted",
  "loops-refused",
  "lines-dropped",
] as const satisfies readonly Counter[];

/** A metric that is one counter. */
export interface CounterMetric {
  readonly counter: Counter;
  /** The name in the format of Prometheus. */
  readonly name: string;
  readonly help: string;
  /**
   * How many of the counter are one of the metric.
   *
   * @default 1
   */
  readonly divisor?: number;
}

/** The metrics that are one counter each, in the order in which they are shown. */
export const COUNTER_METRICS: readonly CounterMetric[] = [
  {
    counter: "max-connections-ms",
    name: "proxymachine_connections_full_seconds_total",
    help: "Time in which there was no place for another connection.",
    divisor: 1000,
  },
  {
    counter: "lookups-found",
    name: "proxymachine_lookups_found_total",
    help: "Look-ups of names that have brought addresses.",
  },
  {
    counter: "lookups-missing",
    name: "proxymachine_lookups_missing_total",
    help: "Look-ups of names that do not exist, or have no address.",
  },
  {
    counter: "lookups-failed",
    name: "proxymachine_lookups_failed_total",
    help: "Look-ups of names that no name server has answered.",
  },
  {
    counter: "stale-addresses",
    name: "proxymachine_stale_addresses_total",
    help: "Connections that were given the last known addresses of a name.",
  },
  {
    counter: "connect-retries",
    name: "proxymachine_connect_retries_total",
    help: "Tries to connect that were made again after a pause.",
  },
  {
    counter: "loops-refused",
    name: "proxymachine_loops_refused_total",
    help: "Remotes that were listeners of the proxy itself.",
  },
  {
    counter: "lines-dropped",
    name: "proxymachine_log_lines_dropped_total",
    help: "Lines of the logs that were not written.",
  },
];

/** The values of all counters. */
export type Counts = Readonly<Record<Counter, number>>;

const CELLS = Object.fromEntries(
  COUNTERS.map((name, index) => [name, index]),
) as Readonly<Record<Counter, number>>;

/** Counters in shared memory; they only ever grow. */
export class Counters {
  /** How many bytes they take. */
  static readonly BYTES: number = COUNTERS.length *
    BigInt64Array.BYTES_PER_ELEMENT;
  readonly #cells: BigInt64Array;

  /**
   * @param shared Where they are; all zero at first.
   * @param offset At which byte, a multiple of 8, they begin.
   */
  constructor(shared: SharedArrayBuffer, offset = 0) {
    this.#cells = new BigInt64Array(shared, offset, COUNTERS.length);
  }

  /**
   * Counts.
   *
   * @param times How often; a whole number.
   */
  add(name: Counter, times = 1): void {
    Atomics.add(this.#cells, CELLS[name], times === 1 ? 1n : BigInt(times));
  }

  /** Reads all counters. */
  snapshot(): Counts {
    return Object.fromEntries(
      COUNTERS.map((
        name,
        index,
      ) => [name, Number(Atomics.load(this.#cells, index))]),
    ) as Counts;
  }

  /** Those that are not zero, such as `done 3, client-left 1`. */
  toString(): string {
    return Object.entries(this.snapshot())
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  }
}
