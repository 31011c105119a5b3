/**
 * What the main thread knows of its workers, for whoever asks.
 *
 * @module
 */

/**
 * What a worker does:
 *
 * - `loading`: it loads the router, and accepts nothing yet;
 * - `serving`: it accepts connections;
 * - `draining`: it accepts no more, and its connections go on;
 * - `stuck`: it does not answer, and may never do so again;
 * - `ended`: it has drained, or has died.
 */
export type WorkerState =
  | "loading"
  | "serving"
  | "draining"
  | "stuck"
  | "ended";

/**
 * What the API and the metrics call a state: `loading` is `starting` there, as
 * it always was.
 */
export function shownState<State extends WorkerState>(
  state: State,
): Exclude<State, "loading"> | "starting" {
  return state === "loading" ? "starting" : state as Exclude<State, "loading">;
}

/** A worker. */
export interface WorkerStatus {
  /** Its generation and number, as the log calls it: `2.1`. */
  readonly name: string;
  readonly state: WorkerState;
  /** Connections that are open now. */
  readonly connections: number;
}

/** The workers that run one configuration. */
export interface GenerationStatus {
  /** 1 for the first of the process. */
  readonly id: number;
  /** `draining`: another one has taken over, or the proxy stops. */
  readonly state: "loading" | "serving" | "draining";
  /** Those that have not ended. */
  readonly workers: readonly WorkerStatus[];
}

/** What has become of reloads. */
export interface ReloadStatus {
  /** How many have succeeded. */
  readonly count: number;
  /** When the last one was tried, as in RFC 3339; `null` if none was. */
  readonly lastAt: string | null;
  /** Why the last one has failed; `null` if it has not. */
  readonly lastError: string | null;
}

/** The whole program. */
export interface ProgramStatus {
  /** When it was started, as in RFC 3339. */
  readonly started: string;
  /** `draining`: it stops. */
  readonly state: "loading" | "serving" | "draining";
  /** From the oldest to the newest, which serves. */
  readonly generations: readonly GenerationStatus[];
  /** Workers that do not answer now. */
  readonly stuck: number;
}
