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

/** What a signal does to whoever handles it. */
type Order = (handlers: SignalHandlers) => void;

/**
 * Hears signals from the moment on that it is made. Those that come before
 * anyone handles them are kept for them, as their first meaning is to end the
 * program; but for INT and TERM, which mean just that.
 */
export class Signals implements Disposable {
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #terminal = hasTerminal();
  /** Those that came before there were handlers; each kind once. */
  readonly #early = new Set<Order>();
  #handlers: SignalHandlers | undefined;

  /** Hears all but INT and TERM. */
  constructor() {
    if (Deno.build.os === "windows") return;
    this.#hear("SIGQUIT", (handlers) => handlers.stop("graceful", "QUIT"));
    this.#hear("SIGHUP", (handlers) => {
      // the first meaning of this signal: nobody sees this program any more
      if (this.#terminal && !hasTerminal()) handlers.stop("fast", "HUP");
      else handlers.reload("HUP");
    });
    const count: Order = (handlers) => handlers.count();
    this.#hear("SIGUSR1", count);
    // under `deno run`, the runtime opens its debugger on USR1, too
    this.#hear("SIGUSR2", count);
  }

  /**
   * Hears INT and TERM, too, and has all handled.
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

  /** Hears none any more: they do what they do to any program. */
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

/** Whether there is a terminal; one that has hung up is none any more. */
function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr]
    .some((stream) => stream.isTerminal());
}
