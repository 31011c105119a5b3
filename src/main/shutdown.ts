/**
 * Stopping: no more connections are accepted, and those that there are end by
 * themselves, or are closed.
 *
 * @module
 */
import type { Log } from "../log/log.ts";

/** Seconds that TERM and INT leave the connections to end. */
export const FAST_SHUTDOWN = 10;

/** Milliseconds for the workers to close their connections after that. */
const ABORT_TIME = 500;

/** Milliseconds between two lines that say what is waited for. */
const WAITING_INTERVAL = 1000;

/**
 * Milliseconds in which a second INT is the same Ctrl-C: a terminal sends it to
 * `deno task`, too, which passes it on.
 */
const SAME_KEYSTROKE = 100;

/** How to stop: `graceful` waits as long as needed. */
export type Manner = "graceful" | "fast";

/** What is stopped. */
export interface Stoppable {
  /** Connections that are open now. */
  readonly open: number;
  /** The operational log as it is now. */
  readonly log: Log;
  /** Accepts no more connections; the last one that ends calls `finish`. */
  drain(): void;
  /** Closes all connections. */
  abort(): void;
}

/** Stops once; a faster way to do it may be asked for later. */
export class Shutdown {
  readonly #proxy: Stoppable;
  readonly #ended = Promise.withResolvers<number>();
  #manner: Manner | undefined;
  #exitStatus = 0;
  /** `performance.now()` of the last INT. */
  #interrupted = -Infinity;

  constructor(proxy: Stoppable) {
    this.#proxy = proxy;
  }

  /** Whether it has begun. */
  get isUnderWay(): boolean {
    return this.#manner !== undefined;
  }

  /** Resolves with the exit status when all is over. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /**
   * Does what a signal asks for.
   *
   * @param signal Its name, without `SIG`.
   */
  onSignal(manner: Manner, signal: string): void {
    const { log } = this.#proxy;
    if (signal === "INT") {
      const now = performance.now();
      if (now - this.#interrupted < SAME_KEYSTROKE) return;
      this.#interrupted = now;
    }
    if (this.#manner === "fast") {
      if (manner === "fast") {
        log.info("Received {signal} signal again. Quitting at once.", {
          signal,
        });
        this.finish();
      }
      return;
    }
    log.info(
      "Received {signal} signal. No longer accepting new connections.",
      { signal },
    );
    this.begin(manner);
  }

  /** Stops. */
  begin(manner: Manner, exitStatus = 0): void {
    const isFirst = !this.isUnderWay;
    this.#manner = manner;
    this.#exitStatus = exitStatus;
    if (manner === "fast") {
      this.#proxy.log.info(
        "Maximum time to wait for connections is {seconds} seconds.",
        { seconds: FAST_SHUTDOWN },
      );
      setTimeout(() => this.#abort(), FAST_SHUTDOWN * 1000);
    }
    if (!isFirst) return;
    this.#report();
    this.#proxy.drain();
  }

  /** All is over. */
  finish(): void {
    this.#ended.resolve(this.#exitStatus);
  }

  /** Says how many connections there are, now and whenever that has changed. */
  #report(): void {
    let last = this.#proxy.open;
    this.#logWaiting(last);
    const timer = setInterval(() => {
      const { open } = this.#proxy;
      if (open === last) return;
      last = open;
      this.#logWaiting(open);
    }, WAITING_INTERVAL);
    void this.ended.then(() => clearInterval(timer));
  }

  #logWaiting(open: number): void {
    this.#proxy.log.info("Waiting for {connections} connections to finish.", {
      connections: open,
    });
  }

  /** Closes what has not ended in time. */
  #abort(): void {
    this.#proxy.log.warn(
      "Closing {connections} connections that did not finish in {seconds} seconds.",
      { connections: this.#proxy.open, seconds: FAST_SHUTDOWN },
    );
    this.#proxy.abort();
    // a worker that is stuck in a loop cannot close its own
    setTimeout(() => this.finish(), ABORT_TIME);
  }
}
