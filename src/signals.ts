/**
 * Hearing signals.
 *
 * @module
 */

/** What signals ask for. */
export interface SignalHandlers {
  /** To stop: `graceful` waits as long as needed. */
  stop(how: "graceful" | "fast", signal: string): void;
  /** To read the configuration once more. */
  reload(signal: string): void;
  /** To log the counters. */
  count(): void;
}

/**
 * Hears signals from now on.
 *
 * @param handlers Are called for them.
 * @returns To hear them no more.
 */
export function hearSignals(handlers: SignalHandlers): { dispose(): void } {
  const terminal = hasTerminal();
  const listeners: [Deno.Signal, () => void][] = [
    ["SIGINT", () => handlers.stop("fast", "INT")],
  ];
  if (Deno.build.os !== "windows") {
    listeners.push(
      ["SIGTERM", () => handlers.stop("fast", "TERM")],
      ["SIGQUIT", () => handlers.stop("graceful", "QUIT")],
      ["SIGHUP", () => {
        // the first meaning of this signal: nobody sees this program any more
        if (terminal && !hasTerminal()) handlers.stop("fast", "HUP");
        else handlers.reload("HUP");
      }],
      ["SIGUSR1", () => handlers.count()],
      // under `deno run`, the runtime opens its debugger on USR1, too
      ["SIGUSR2", () => handlers.count()],
    );
  }
  for (const [signal, handler] of listeners) {
    Deno.addSignalListener(signal, handler);
  }
  return {
    dispose() {
      for (const [signal, handler] of listeners) {
        Deno.removeSignalListener(signal, handler);
      }
    },
  };
}

/** Whether there is a terminal; one that has hung up is none any more. */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr]
    .some((stream) => stream.isTerminal());
}
