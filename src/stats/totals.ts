/**
 * What all workers have counted together since the start, those included that
 * have ended. For the main thread only.
 *
 * @module
 */
import {
  BUCKETS,
  type Duration,
  FAILURES,
  OTHER,
  type RemoteReport,
  type Report,
  type RouteReport,
} from "./statistics.ts";

/** Names of each kind that are told apart; all others are one. */
const MAX_NAMES = 200;

/** What was measured since the start. */
export interface HistogramTotals {
  /** One more than there are bounds; each without those below it. */
  readonly counts: number[];
  /** Seconds. */
  sum: number;
}

type Sums<T> = { -readonly [K in Exclude<keyof T, "name">]: T[K] };

/** What has become of the connections of a route since the start. */
export type RouteTotals = Sums<RouteReport>;

/** What has become of the connections to a remote since the start. */
export type RemoteTotals =
  & Omit<Sums<RemoteReport>, "open" | "failures">
  & {
    /** In the order of `FAILURES`. */
    readonly failures: number[];
  };

/** Adds reports up. Its numbers never go back. */
export class Totals {
  /** Bytes received from clients. */
  received = 0;
  /** Bytes sent to clients. */
  sent = 0;
  readonly histograms: Readonly<Record<Duration, HistogramTotals>> = {
    decision: empty("decision"),
    connect: empty("connect"),
    total: empty("total"),
  };
  /** By name, in the order in which they were seen. */
  readonly routes = new Map<string, RouteTotals>();
  /** By name, in the order in which they were seen. */
  readonly remotes = new Map<string, RemoteTotals>();
  #connections = 0;

  /** Names routes that may not have been seen yet, so that they are shown. */
  expect(names: Iterable<string>): void {
    for (const name of names) this.#route(name);
  }

  /**
   * Adds what a worker has counted since its last report.
   *
   * @param report One that was checked.
   */
  add(report: Report): void {
    this.received += report.received;
    this.sent += report.sent;
    for (const [duration, total] of Object.entries(this.histograms)) {
      const { counts, sum } = report.histograms[duration as Duration];
      addAll(total.counts, counts);
      total.sum += sum;
    }
    for (const { name, hits, failed, received, sent } of report.routes) {
      const route = this.#route(name);
      route.hits += hits;
      route.failed += failed;
      route.received += received;
      route.sent += sent;
    }
    for (
      const { name, connections, connectSeconds, failures } of report.remotes
    ) {
      const remote = this.#remote(name);
      remote.connections += connections;
      remote.connectSeconds += connectSeconds;
      addAll(remote.failures, failures);
    }
  }

  /**
   * Counts connections.
   *
   * @param total The number of connections since the start, modulo 2^32.
   * @returns The number of connections since the start.
   */
  connections(total: number): number {
    this.#connections += (total - this.#connections) >>> 0;
    return this.#connections;
  }

  /** The name under which a remote is counted. */
  nameOf(name: string): string {
    return this.remotes.has(name) ? name : OTHER;
  }

  #route(name: string): RouteTotals {
    return known(
      this.routes,
      name,
      () => ({ hits: 0, failed: 0, received: 0, sent: 0 }),
    );
  }

  #remote(name: string): RemoteTotals {
    return known(this.remotes, name, () => ({
      connections: 0,
      connectSeconds: 0,
      failures: FAILURES.map(() => 0),
    }));
  }
}

/** Gives what belongs to a name, or to all for which there is no place. */
function known<T>(map: Map<string, T>, name: string, make: () => T): T {
  const present = map.get(name);
  if (present !== undefined) return present;
  const key = map.size - Number(map.has(OTHER)) < MAX_NAMES ? name : OTHER;
  const other = map.get(key);
  if (other !== undefined) return other;
  const made = make();
  map.set(key, made);
  return made;
}

function empty(duration: Duration): HistogramTotals {
  return { counts: [...BUCKETS[duration], Infinity].map(() => 0), sum: 0 };
}

function addAll(totals: number[], counts: readonly number[]): void {
  counts.forEach((count, index) =>
    totals[index] = (totals[index] ?? 0) + count
  );
}
