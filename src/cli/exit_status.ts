/**
 * What the program does on a signal, and what its exit statuses mean.
 *
 * @module
 */

/** The signals that the program answers, and what it does then. */
export const SIGNALS: readonly (readonly [names: string, help: string])[] = [
  [
    "QUIT",
    "stop accepting, wait as long as needed for all connections to end",
  ],
  [
    "TERM, INT",
    "stop accepting, wait for at most 10 seconds; a second one exits at once",
  ],
  [
    "HUP",
    "reload the configuration and reopen the access log; open connections go " +
    "on as they are",
  ],
  [
    "USR1, USR2",
    'log the connections: current/maximum/total, and the counters (under "deno run", Deno ' +
    "itself opens its debugger on USR1; USR2 does without)",
  ],
];

/** What the exit statuses mean. */
export const EXIT_STATUS: readonly (readonly [status: number, help: string])[] =
  [
    [0, "stopped as asked"],
    [1, "could not run"],
    [2, "usage or configuration error"],
    [70, "too many stuck workers: start it anew"],
  ];
