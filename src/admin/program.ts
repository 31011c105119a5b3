/**
 * What the admin server is told about the program.
 *
 * @module
 */
import type { Configuration } from "../config/configuration.ts";
import type { Gauges } from "../stats/gauges.ts";
import type {
  ConnectionList,
  ConnectionQuery,
} from "../stats/connection_list.ts";
import type { Report } from "../stats/statistics.ts";
import type { Totals } from "../stats/totals.ts";
import type { Troubles } from "../log/recent_problems.ts";
import type { SharedPool } from "../pool/main_thread.ts";
import type { ProgramStatus, ReloadStatus } from "./program_status.ts";

/** What the admin server needs of a worker. */
export interface AdminWorker {
  /** What the log calls it. */
  readonly name: string;
  /** Seconds by which its event loop is late. */
  readonly lag: number;
  /** What it has last counted. */
  readonly report: Report | undefined;
  /** Lists its connections; `undefined` if it does not answer in time. */
  list(query: ConnectionQuery): Promise<ConnectionList | undefined>;
  /** Closes a connection; `false` if it has none of that number. */
  close(id: number): Promise<boolean>;
}

/** What the admin server needs of the program; it changes nothing. */
export interface Source {
  /** What runs now. */
  readonly configuration: Configuration;
  /** The hooks of the router that serves. */
  readonly hooks: readonly string[];
  /** The pools that it has made. */
  readonly pools: readonly SharedPool[];
  /** What is known of the workers. */
  readonly status: ProgramStatus;
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
