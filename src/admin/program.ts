/**
 * What the admin server is told about the program.
 *
 * @module
 */
import type { Configuration } from "../config/configuration.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { Totals } from "../stats/totals.ts";
import type { WorkerThread } from "../main/worker_thread.ts";
import type { Troubles } from "../log/recent_problems.ts";
import type { SharedPool } from "../pool/main_thread.ts";
import type { ReloadStatus, Status } from "./program_status.ts";

/** A worker, as far as it matters here. */
export type AdminWorker = Pick<
  WorkerThread,
  "name" | "lag" | "report" | "list" | "close"
>;

/** The part of the supervisor that the admin server needs; it changes nothing. */
export interface Source {
  /** What runs now. */
  readonly configuration: Configuration;
  /** The hooks of the router that serves. */
  readonly hooks: readonly string[];
  /** The pools that it has made. */
  readonly pools: readonly SharedPool[];
  /** What is known of the workers. */
  readonly status: Status;
  /** What has become of reloads. */
  readonly reloads: ReloadStatus;
  /** Where it listens, in the order of the listeners; empty until it does. */
  readonly addresses: readonly string[];
  /** The numbers that all threads share. */
  readonly gauges: Gauges;
  /** What the workers have counted. */
  readonly totals: Totals;
  /** Those that have not ended. */
  readonly workers: readonly AdminWorker[];
  /** The last warnings and errors of the log. */
  readonly troubles: Troubles;
}
