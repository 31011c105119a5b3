/**
 * Handling of signals.
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

/** Calls the handler of a signal. */
type Order = (handlers: SignalHandlers) => void;

/**
 * Listens for signals as soon as it is made. Without a listener, a signal ends
 * the program; so those that come before there are handlers are kept for them.
 * INT and TERM are to end the program, and are left alone until then.
 */
export class Signals implements Disposable {
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #terminal = hasTerminal();
  /** Those that came before there were handlers; each kind once. */
  readonly #early = new Set<Order>();
  #handlers: SignalHandlers | undefined;

  /** Listens for all signals but INT and TERM. */
  constructor() {
    if (Deno.build.os === "windows") return;
    this.#hear("SIGQUIT", (handlers) => handlers.stop("graceful", "QUIT"));
    this.#hear("SIGHUP", (handlers) => {
      // the original meaning of this signal: the terminal has hung up
      if (this.#terminal && !hasTerminal()) handlers.stop("fast", "HUP");
      else handlers.reload("HUP");
    });
    const count: Order = (handlers) => handlers.count();
    this.#hear("SIGUSR1", count);
    // under `deno run`, the runtime opens its debugger on USR1, too
    this.#hear("SIGUSR2", count);
  }

  /**
   * Listens for INT and TERM, too, and has all signals handled.
   *
   * @param handlers Are called at once for those that came before.
   */
  handle(handlers: SignalHandlers): void {
    this.#handlers = handlers;
    this.#hear("SIGINT", (handlers) => handlers.stop("fast", "INT"));
    if (Deno.build.os !== "windows") {
      this.#hear("SIGTERM", (handlers) => handlers.stop("fast", "TERM"));
    }
    for (const order of this.#early) order(handlers);
    this.#early.clear();
  }

  /** Stops listening: signals do what they do to any program. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners.splice(0)) {
      Deno.removeSignalListener(signal, listener);
    }
  }

  #hear(signal: Deno.Signal, order: Order): void {
    const listener = () => {
      if (this.#handlers === undefined) this.#early.add(order);
      else order(this.#handlers);
    };
    Deno.addSignalListener(signal, listener);
    this.#listeners.push([signal, listener]);
  }
}

/** Whether there is a terminal that has not hung up. */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr]
    .some((stream) => stream.isTerminal());
}
