/**
 * The metrics of the program.
 *
 * @module
 */
import { BUCKETS, type Duration, DURATIONS } from "../stats/statistics.ts";
import { MetricSet } from "./metric_set.ts";
import {
  addConnections,
  addProgram,
  addWorkers,
} from "./metrics_of_program.ts";
import { addPools, addRemotes, addRoutes } from "./metrics_of_remotes.ts";
import type { Source } from "./program.ts";

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

/** Makes the metrics of the program. */
export function metricsOf(source: Source): MetricSet {
  const metrics = new MetricSet();
  addProgram(metrics, source);
  addConnections(metrics, source);
  for (const duration of DURATIONS) {
    const [name, help] = DURATION_HELP[duration];
    metrics.histogram(
      name,
      help,
      BUCKETS[duration],
      () => source.totals.histograms[duration],
    );
  }
  addRoutes(metrics, source);
  addRemotes(metrics, source);
  addPools(metrics, source);
  addWorkers(metrics, source);
  return metrics;
}
