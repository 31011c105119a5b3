/**
 * The metrics of the program as a whole: its connections and its threads.
 *
 * @module
 */
import { VERSION } from "../lib/version.ts";
import { COUNTER_METRICS, LIMIT_COUNTERS } from "../stats/counters.ts";
import { END_REASONS } from "../stats/end_reason.ts";
import { worstLag } from "./history.ts";
import { type MetricSet, one } from "./metric_set.ts";
import type { Source } from "./program.ts";
import { shownState } from "./program_status.ts";

/** The states of a worker, as `/api/status` names them. */
const WORKER_STATES = ["starting", "serving", "draining", "stuck"] as const;

/** Adds the version, and what the process takes. */
export function addProgram(metrics: MetricSet, source: Source): void {
  const { status } = source;
  metrics.gauge(
    "proxymachine_build_info",
    "Version of the program and its runtime; always 1.",
    ["version", "runtime"],
    () => [[{ version: VERSION, runtime: `Deno ${Deno.version.deno}` }, 1]],
  );
  metrics.gauge(
    "process_start_time_seconds",
    "Start time of the process since the Unix epoch in seconds.",
    [],
    () => one(Date.parse(status.started) / 1000),
  );
  metrics.gauge(
    "process_resident_memory_bytes",
    "Resident memory size in bytes.",
    [],
    () => one(Deno.memoryUsage().rss),
  );
}

/** Adds the connections of clients. */
export function addConnections(metrics: MetricSet, source: Source): void {
  const { gauges, totals } = source;
  const count = () => gauges.counters.snapshot();
  metrics.gauge(
    "proxymachine_connections",
    "Connections of clients that are open.",
    [],
    () => one(gauges.open),
  );
  metrics.gauge(
    "proxymachine_connections_joined",
    "Connections of clients that have a remote.",
    [],
    () => one(gauges.connectedNow),
  );
  metrics.gauge(
    "proxymachine_connections_limit",
    "Connections of clients that may be open.",
    [],
    () => {
      const { limit } = gauges.snapshot();
      return Number.isFinite(limit) ? one(limit) : [];
    },
  );
  metrics.counter(
    "proxymachine_connections_total",
    "Connections of clients that were accepted.",
    [],
    () => one(totals.connections(gauges.total)),
  );
  metrics.counter(
    "proxymachine_connections_ended_total",
    "Connections of clients that have ended, by reason.",
    ["reason"],
    () => {
      const counts = count();
      return END_REASONS.map((reason) => [{ reason }, counts[reason]]);
    },
  );
  metrics.counter(
    "proxymachine_bytes_total",
    "Bytes received from clients (in) and sent to them (out).",
    ["direction"],
    () => [[{ direction: "in" }, totals.received], [
      { direction: "out" },
      totals.sent,
    ]],
  );
  metrics.counter(
    "proxymachine_limit_hits_total",
    "How often a limit was met.",
    ["limit"],
    () => {
      const counts = count();
      return LIMIT_COUNTERS.map((limit) => [{ limit }, counts[limit]]);
    },
  );
  for (const { counter, name, help, divisor = 1 } of COUNTER_METRICS) {
    metrics.counter(name, help, [], () => one(count()[counter] / divisor));
  }
}

/** Adds the workers. */
export function addWorkers(metrics: MetricSet, source: Source): void {
  metrics.gauge(
    "proxymachine_workers",
    "Worker threads, by state.",
    ["state"],
    () => {
      const states = source.status.generations
        .flatMap(({ workers }) => workers)
        .map(({ state }) => shownState(state));
      return WORKER_STATES.map((state) => [
        { state },
        states.filter((one) => one === state).length,
      ]);
    },
  );
  metrics.counter(
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
  metrics.gauge(
    "proxymachine_generations",
    "Generations of workers that have not ended.",
    [],
    () => one(source.status.generations.length),
  );
  metrics.counter(
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
  metrics.gauge(
    "proxymachine_event_loop_lag_seconds",
    "How late the event loop of the worker is that is the latest.",
    [],
    () => one(worstLag(source)),
  );
  metrics.gauge(
    "proxymachine_worker_heap_bytes",
    "JavaScript objects of all workers.",
    [],
    () =>
      one(
        source.workers
          .reduce((sum, { report }) => sum + (report?.heapUsed ?? 0), 0),
      ),
  );
}
