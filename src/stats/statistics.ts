/**
 * What a worker counts while there is an admin server: plain numbers, which are
 * sent to the main thread once per second.
 *
 * @module
 */
import type { EndReason } from "./end_reason.ts";

/** What is measured of each connection. */
export const DURATIONS = ["decision", "connect", "total"] as const;

/** One of {@linkcode DURATIONS}. */
export type Duration = typeof DURATIONS[number];

/** The upper bounds of the buckets of each histogram, in seconds. */
export const BUCKETS: Readonly<Record<Duration, readonly number[]>> = {
  decision: [
    ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
    ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ],
  connect: [
    ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
    ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ],
  total: [
    ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ...[10, 30, 60, 300, 900, 3600, 14_400],
  ],
};

/** How a remote can fail. */
export const FAILURES = [
  "connect-failed",
  "remote-left",
  "remote-reset",
  "inactivity-timeout",
] as const satisfies readonly EndReason[];

/** One of {@linkcode FAILURES}. */
export type Failure = typeof FAILURES[number];

/** How a connection ends that was to be served, and was not. */
export const FAILED: readonly EndReason[] = [
  ...FAILURES,
  "router-error",
  "worker-died",
  "internal-error",
];

/** What names stand for of which there are too many. */
export const OTHER = "(other)";

/** The route of connections whose router gives it no name. */
const UNNAMED = "(none)";

/** Names of each kind in a report, at most. */
export const MAX_NAMES = 1000;

/** What was measured, since the last report: how often, by bucket. */
export interface HistogramReport {
  /** One more than there are bounds; each without those below it. */
  readonly counts: readonly number[];
  /** Seconds. */
  readonly sum: number;
}

/** What has become of the connections of a route since the last report. */
export interface RouteReport {
  readonly name: string;
  /** Decisions. */
  readonly hits: number;
  /** Connections that have ended as {@linkcode FAILED} says. */
  readonly failed: number;
  /** Bytes received from clients. */
  readonly received: number;
  /** Bytes sent to clients. */
  readonly sent: number;
}

/** What has become of the connections to a remote since the last report. */
export interface RemoteReport {
  readonly name: string;
  /** How often it was connected to. */
  readonly connections: number;
  /** Seconds that this took, together. */
  readonly connectSeconds: number;
  /** How often it has failed, in the order of {@linkcode FAILURES}. */
  readonly failures: readonly number[];
  /** Connections that are open now; not since the last report. */
  readonly open: number;
}

/** What a worker has counted since its last report. */
export interface Report {
  readonly type: "report";
  /** Seconds by which the event loop was late, at most. */
  readonly lag: number;
  /** Bytes of JavaScript objects. */
  readonly heapUsed: number;
  /** Bytes received from clients. */
  readonly received: number;
  /** Bytes sent to clients. */
  readonly sent: number;
  readonly histograms: Readonly<Record<Duration, HistogramReport>>;
  readonly routes: readonly RouteReport[];
  readonly remotes: readonly RemoteReport[];
}

/** What is noted of one connection, from the decision on. */
export interface Measured {
  /** `performance.now()` at the decision. */
  readonly decided: number;
  /** `performance.now()` at the beginning of the present try to connect. */
  tried: number;
  /** Bytes received that were counted. */
  received: number;
  /** Bytes sent that were counted. */
  sent: number;
}

/** A connection, as the statistics see it. */
export interface MeasuredConnection {
  /** `performance.now()` at accept. */
  readonly started: number;
  /** Set by {@linkcode Statistics.decided}. */
  measured: Measured | undefined;
  readonly route: string | undefined;
  readonly remote: string | undefined;
  /** The socket of the remote, if it has one. */
  readonly server: unknown;
  readonly endReason: EndReason | undefined;
  /** Bytes received from the client. */
  readonly received: number;
  /** Bytes sent to the client. */
  readonly sent: number;
  isClosed(): boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Counts what the connections of one worker do. */
export class Statistics {
  readonly #connections: Iterable<MeasuredConnection>;
  #histograms = newHistograms();
  #routes = new Map<string, Writable<RouteReport>>();
  #remotes = new Map<string, Writable<RemoteReport>>();
  #received = 0;
  #sent = 0;

  /** @param connections Those that are open, as they change. */
  constructor(connections: Iterable<MeasuredConnection>) {
    this.#connections = connections;
  }

  /**
   * Counts a decision of a route that is not the last one: a step of a dialogue.
   */
  hit(route: string | undefined): void {
    this.#route(route).hits++;
  }

  /**
   * Counts a decision.
   *
   * @param connection Its `route` is known.
   */
  decided(connection: MeasuredConnection): void {
    this.#route(connection.route).hits++;
    if (connection.measured !== undefined) return; // a hook has another remote
    const now = performance.now();
    connection.measured = { decided: now, tried: now, received: 0, sent: 0 };
    this.#measure("decision", now - connection.started);
  }

  /** Notes that another try to connect begins. */
  tries(connection: MeasuredConnection): void {
    const { measured } = connection;
    if (measured !== undefined) measured.tried = performance.now();
  }

  /**
   * Counts a connection to a remote.
   *
   * @param connection Its `remote` is connected.
   */
  connected(connection: MeasuredConnection): void {
    const { measured, remote } = connection;
    if (measured === undefined || remote === undefined) return;
    const now = performance.now();
    const counted = this.#remote(remote);
    counted.connections++;
    counted.connectSeconds += (now - measured.tried) / 1000;
    this.#measure("connect", now - measured.decided);
  }

  /** Counts a failure of a remote. */
  failed(remote: string, how: Failure): void {
    const { failures } = this.#remote(remote);
    (failures as number[])[FAILURES.indexOf(how)]! += 1;
  }

  /**
   * Counts the end of a connection.
   *
   * @param connection Its `endReason` is known.
   */
  ended(connection: MeasuredConnection): void {
    this.#measure("total", performance.now() - connection.started);
    const { endReason, measured, remote } = connection;
    if (measured === undefined) {
      this.#received += connection.received;
      this.#sent += connection.sent;
      return;
    }
    this.#countBytes(connection, measured);
    if (endReason === undefined || !FAILED.includes(endReason)) return;
    this.#route(connection.route).failed++;
    if (endReason === "remote-reset" && remote !== undefined) {
      this.failed(remote, endReason);
    }
  }

  /** Counts a connection that was over before it was accepted. */
  gone(): void {
    this.#measure("total", 0);
  }

  /**
   * Takes what was counted since the last time.
   *
   * @param lag Seconds by which the event loop was late, at most.
   */
  collect(lag: number): Report {
    for (const connection of this.#connections) {
      const { measured, server, remote } = connection;
      // those that are closed were counted at their end
      if (measured === undefined || connection.isClosed()) continue;
      this.#countBytes(connection, measured);
      if (server !== undefined && remote !== undefined) {
        this.#remote(remote).open++;
      }
    }
    const report: Report = {
      type: "report",
      lag,
      heapUsed: Deno.memoryUsage().heapUsed,
      received: this.#received,
      sent: this.#sent,
      histograms: this.#histograms,
      routes: [...this.#routes.values()],
      remotes: [...this.#remotes.values()],
    };
    this.#histograms = newHistograms();
    this.#routes = new Map();
    this.#remotes = new Map();
    this.#received = 0;
    this.#sent = 0;
    return report;
  }

  /** Counts what a connection has moved since the last time. */
  #countBytes(connection: MeasuredConnection, measured: Measured): void {
    const received = connection.received - measured.received;
    const sent = connection.sent - measured.sent;
    if (received + sent === 0) return;
    measured.received = connection.received;
    measured.sent = connection.sent;
    this.#received += received;
    this.#sent += sent;
    const route = this.#route(connection.route);
    route.received += received;
    route.sent += sent;
  }

  #measure(duration: Duration, milliseconds: number): void {
    const seconds = milliseconds / 1000;
    const bounds = BUCKETS[duration];
    const histogram = this.#histograms[duration];
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) {
      bucket++;
    }
    (histogram.counts[bucket] as number) += 1;
    histogram.sum += seconds;
  }

  #route(route = UNNAMED): Writable<RouteReport> {
    return this.#routes.get(route) ??
      add(this.#routes, route, (name) => ({
        name,
        hits: 0,
        failed: 0,
        received: 0,
        sent: 0,
      }));
  }

  #remote(remote: string): Writable<RemoteReport> {
    return this.#remotes.get(remote) ??
      add(this.#remotes, remote, (name) => ({
        name,
        connections: 0,
        connectSeconds: 0,
        failures: FAILURES.map(() => 0),
        open: 0,
      }));
  }
}

/** Adds a name, or the one that stands for all others. */
function add<T>(
  map: Map<string, T>,
  name: string,
  make: (name: string) => T,
): T {
  const known = map.size < MAX_NAMES ? name : OTHER;
  const present = map.get(known);
  if (present !== undefined) return present;
  const made = make(known);
  map.set(known, made);
  return made;
}

function newHistograms(): Record<
  Duration,
  { counts: number[]; sum: number }
> {
  const empty = (duration: Duration) => ({
    counts: [...BUCKETS[duration], Infinity].map(() => 0),
    sum: 0,
  });
  return {
    decision: empty("decision"),
    connect: empty("connect"),
    total: empty("total"),
  };
}
