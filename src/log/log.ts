/**
 * The operational log: what the proxy does and what has gone wrong.
 *
 * @module
 */

/** How important a line is, from the most to the least. */
export const LEVELS = ["error", "warn", "info", "debug"] as const;

/** One of {@linkcode LEVELS}. */
export type Level = typeof LEVELS[number];

/** Takes lines for the log. No method blocks or throws. */
export interface Log {
  /** Something failed: a remote, the router, the proxy. */
  error(message: string): void;
  /** Something is wrong but the proxy can go on: a retry, a limit. */
  warn(message: string): void;
  /** What an operator wants to see: started, stopping. */
  info(message: string): void;
  /** What helps to find a mistake in a router: every decision. */
  debug(message: string): void;
  /** Whether `debug` lines are wanted; ask before building an expensive one. */
  readonly verbose: boolean;
}
