/**
 * The metrics in the format of Prometheus.
 *
 * @module
 */
import { Counter, Gauge, type Histogram, Registry } from "prom-client";
import { VERSION } from "../help.ts";
import { END_REASONS, LIMIT_COUNTERS } from "../observe/counters.ts";
import { BUCKETS, type Duration, FAILURES } from "../observe/statistics.ts";
import type { HistogramTotals } from "../observe/totals.ts";
import { readPools } from "../pool/share.ts";
import { worstLag } from "./history.ts";
import { openByRemote } from "./remotes.ts";
import type { Source } from "./source.ts";

/** The values of one metric: labels, and the number. */
type Values = Iterable<
  readonly [labels: Readonly<Record<string, string>>, value: number]
>;

/** What each duration is. */
const DURATION_HELP: Readonly<
  Record<Duration, readonly [name: string, help: string]>
> = {
  decision: [
    "proxymachine_decision_seconds",
    "Time from accept to the decision of the router.",
  ],
  connect: [
    "proxymachine_connect_seconds",
    "Time from the decision to a connected remote, all tries together.",
  ],
  total: [
    "proxymachine_connection_seconds",
    "Time from accept to the end of a connection.",
  ],
};

/** The states of a worker, as `/api/status` names them. */
const WORKER_STATES = ["starting", "serving", "draining", "stuck"] as const;

/** The states of a member of a pool. */
const MEMBER_STATES = [
  "up",
  "down",
  "probing",
  "checked-down",
  "draining",
] as const;

/** Writes the metrics. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #source: Source;

  /**
   * @param source Has the numbers.
   */
  constructor(source: Source) {
    this.#source = source;
    this.#addProgram();
    this.#addConnections();
    this.#addRoutes();
    this.#addRemotes();
    this.#addPools();
    this.#addWorkers();
    for (const [duration, [name, help]] of Object.entries(DURATION_HELP)) {
      this.#registry.registerMetric(
        measured(
          name,
          help,
          BUCKETS[duration as Duration],
          () => source.totals.histograms[duration as Duration],
        ),
      );
    }
  }

  /** The media type of `write`. */
  get type(): string {
    return this.#registry.contentType;
  }

  /** Writes all metrics as they are now. */
  write(): Promise<string> {
    return this.#registry.metrics();
  }

  #addProgram(): void {
    const { status } = this.#source;
    this.#gauge(
      "proxymachine_build_info",
      "Version of the program and its runtime; always 1.",
      ["version", "runtime"],
      () => [[{ version: VERSION, runtime: `Deno ${Deno.version.deno}` }, 1]],
    );
    this.#gauge(
      "process_start_time_seconds",
      "Start time of the process since the Unix epoch in seconds.",
      [],
      () => one(Date.parse(status.started) / 1000),
    );
    this.#gauge(
      "process_resident_memory_bytes",
      "Resident memory size in bytes.",
      [],
      () => one(Deno.memoryUsage().rss),
    );
  }

  #addConnections(): void {
    const { gauges, totals } = this.#source;
    const count = () => gauges.counters.snapshot();
    this.#gauge(
      "proxymachine_connections",
      "Connections of clients that are open.",
      [],
      () => one(gauges.open),
    );
    this.#gauge(
      "proxymachine_connections_joined",
      "Connections of clients that have a remote.",
      [],
      () => one(gauges.connectedNow),
    );
    this.#gauge(
      "proxymachine_connections_limit",
      "Connections of clients that may be open.",
      [],
      () => {
        const { limit } = gauges.snapshot();
        return Number.isFinite(limit) ? one(limit) : [];
      },
    );
    this.#counter(
      "proxymachine_connections_total",
      "Connections of clients that were accepted.",
      [],
      () => one(totals.connections(gauges.total)),
    );
    this.#counter(
      "proxymachine_connections_ended_total",
      "Connections of clients that have ended, by reason.",
      ["reason"],
      () => {
        const counts = count();
        return END_REASONS.map((reason) => [{ reason }, counts[reason]]);
      },
    );
    this.#counter(
      "proxymachine_bytes_total",
      "Bytes received from clients (in) and sent to them (out).",
      ["direction"],
      () => [[{ direction: "in" }, totals.received], [
        { direction: "out" },
        totals.sent,
      ]],
    );
    this.#counter(
      "proxymachine_limit_hits_total",
      "How often a limit was met.",
      ["limit"],
      () => {
        const counts = count();
        return LIMIT_COUNTERS.map((limit) => [{ limit }, counts[limit]]);
      },
    );
    this.#counter(
      "proxymachine_connections_full_seconds_total",
      "Time in which there was no place for another connection.",
      [],
      () => one(count()["max-connections-ms"] / 1000),
    );
    this.#counter(
      "proxymachine_connect_retries_total",
      "Tries to connect that were made again after a pause.",
      [],
      () => one(count()["connect-retries"]),
    );
  }

  #addRoutes(): void {
    const { routes } = this.#source.totals;
    this.#counter(
      "proxymachine_route_decisions_total",
      "Decisions, by route.",
      ["route"],
      () => [...routes].map(([route, { hits }]) => [{ route }, hits]),
    );
    this.#counter(
      "proxymachine_route_failures_total",
      "Connections that the router or the remote failed, by route.",
      ["route"],
      () => [...routes].map(([route, { failed }]) => [{ route }, failed]),
    );
    this.#counter(
      "proxymachine_route_bytes_total",
      "Bytes received from clients (in) and sent to them (out), by route.",
      ["route", "direction"],
      () =>
        [...routes].flatMap(([route, { received, sent }]) => [
          [{ route, direction: "in" }, received],
          [{ route, direction: "out" }, sent],
        ]),
    );
  }

  #addRemotes(): void {
    const { remotes } = this.#source.totals;
    this.#gauge(
      "proxymachine_remote_connections",
      "Connections to a remote that are open.",
      ["remote"],
      () =>
        [...openByRemote(this.#source)]
          .map(([remote, open]) => [{ remote }, open]),
    );
    this.#counter(
      "proxymachine_remote_connections_total",
      "Connections to a remote that were made.",
      ["remote"],
      () =>
        [...remotes]
          .map(([remote, { connections }]) => [{ remote }, connections]),
    );
    this.#counter(
      "proxymachine_remote_connect_seconds_total",
      "Time that it took to make them.",
      ["remote"],
      () =>
        [...remotes].map((
          [remote, { connectSeconds }],
        ) => [{ remote }, connectSeconds]),
    );
    this.#counter(
      "proxymachine_remote_failures_total",
      "Failures of a remote, each try to connect counted, by reason.",
      ["remote", "reason"],
      () =>
        [...remotes].flatMap(([remote, { failures }]) =>
          FAILURES.map((reason, index) =>
            [{ remote, reason }, failures[index] ?? 0] as const
          )
        ),
    );
  }

  #addPools(): void {
    const members = () =>
      readPools(this.#source.pools).flatMap(({ name, members }) =>
        members.map((member) =>
          [{ pool: name, remote: member.remote }, member] as const
        )
      );
    this.#gauge(
      "proxymachine_pool_member_state",
      "1 for the state that a member of a pool is in.",
      ["pool", "remote", "state"],
      () =>
        members().flatMap(([labels, member]) =>
          MEMBER_STATES.map((state) =>
            [{ ...labels, state }, Number(member.state === state)] as const
          )
        ),
    );
    this.#gauge(
      "proxymachine_pool_member_connections",
      "Connections that a member of a pool has.",
      ["pool", "remote"],
      () => members().map(([labels, { active }]) => [labels, active]),
    );
    this.#counter(
      "proxymachine_pool_member_picks_total",
      "How often a member of a pool was chosen.",
      ["pool", "remote"],
      () => members().map(([labels, { picks }]) => [labels, picks]),
    );
    this.#counter(
      "proxymachine_pool_member_failures_total",
      "How often it has failed before a byte came.",
      ["pool", "remote"],
      () => members().map(([labels, { failed }]) => [labels, failed]),
    );
  }

  #addWorkers(): void {
    const source = this.#source;
    this.#gauge(
      "proxymachine_workers",
      "Worker threads, by state.",
      ["state"],
      () => {
        const states = source.status.generations
          .flatMap(({ workers }) => workers)
          .map(({ state }) => state === "loading" ? "starting" : state);
        return WORKER_STATES.map((state) => [
          { state },
          states.filter((one) => one === state).length,
        ]);
      },
    );
    this.#counter(
      "proxymachine_worker_failures_total",
      "Workers that have died, or did not answer in time.",
      ["kind"],
      () => {
        const counts = source.gauges.counters.snapshot();
        return [
          [{ kind: "died" }, counts["workers-died"]],
          [{ kind: "stuck" }, counts["workers-stuck"]],
        ];
      },
    );
    this.#gauge(
      "proxymachine_generations",
      "Generations of workers that have not ended.",
      [],
      () => one(source.status.generations.length),
    );
    this.#counter(
      "proxymachine_reloads_total",
      "Reloads, by result.",
      ["result"],
      () => {
        const counts = source.gauges.counters.snapshot();
        return [
          [{ result: "success" }, counts.reloads],
          [{ result: "failure" }, counts["reloads-failed"]],
        ];
      },
    );
    this.#gauge(
      "proxymachine_event_loop_lag_seconds",
      "How late the event loop of the worker is that is the latest.",
      [],
      () => one(worstLag(source)),
    );
    this.#gauge(
      "proxymachine_worker_heap_bytes",
      "JavaScript objects of all workers.",
      [],
      () =>
        one(
          source.workers
            .reduce((sum, { report }) => sum + (report?.heapUsed ?? 0), 0),
        ),
    );
    this.#counter(
      "proxymachine_log_lines_dropped_total",
      "Lines of the logs that were not written.",
      [],
      () => one(source.gauges.counters.snapshot()["lines-dropped"]),
    );
  }

  #gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Values,
  ): void {
    const registers = [this.#registry];
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        // the value of one without labels must not stay
        if (labelNames.length === 0) this.remove();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  }

  #counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Values,
  ): void {
    const registers = [this.#registry];
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }
}

/** The value of a metric without labels. */
function one(value: number): Values {
  return [[{}, value]];
}

/**
 * A histogram that was counted elsewhere: the library's own cannot be set.
 *
 * @param name Its name.
 * @param help What it is.
 * @param bounds The upper bounds of its buckets, but for the last.
 * @param read Gives its present numbers.
 * @returns What a registry needs of a histogram.
 */
function measured(
  name: string,
  help: string,
  bounds: readonly number[],
  read: () => HistogramTotals,
): Histogram {
  const get = () => {
    const { counts, sum } = read();
    let below = 0;
    const buckets = counts.map((count, index) => {
      below += count;
      const le = bounds[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { le }, value: below };
    });
    const values = [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: below },
    ];
    return Promise.resolve({ name, help, type: "histogram", values });
  };
  return { name, help, get } as unknown as Histogram;
}
