/**
 * What to do when there are no file descriptors left: nothing is accepted, and
 * no remote is connected, until a connection has ended.
 *
 * @module
 */
import type { Gauges } from "../stats/gauges.ts";
import type { Log } from "../log/log.ts";

/** Milliseconds to wait for a descriptor of another thread, or of the router. */
const PATIENCE = 100;

/** Milliseconds after which a lowered limit is raised a little. */
const RECOVERY = 10_000;

/** The file descriptors of the process, as one worker sees them. */
export class Descriptors {
  readonly #gauges: Gauges;
  readonly #log: Log;
  readonly #waiting: (() => void)[] = [];
  #lowered = 0;

  /**
   * @param gauges Has the limit of connections, which all workers share.
   * @param log Is told when the limit is lowered.
   */
  constructor(gauges: Gauges, log: Log) {
    this.#gauges = gauges;
    this.#log = log;
  }

  /** Tells that a descriptor of this worker was closed. */
  released(): void {
    this.#waiting.shift()?.();
  }

  /**
   * Waits until a descriptor may be free: one of this worker was closed, or a
   * moment has passed, as another thread may have closed one.
   */
  freed(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        const index = this.#waiting.indexOf(done);
        if (index >= 0) this.#waiting.splice(index, 1);
        resolve();
      }, PATIENCE);
      this.#waiting.push(done);
    });
  }

  /**
   * Learns from a failure how many connections there are descriptors for, so
   * that no more are accepted than can have a remote, too.
   */
  exhausted(): void {
    this.#gauges.counters.add("descriptors-exhausted");
    const { open, connectedNow, limit } = this.#gauges;
    const room = Math.max(1, Math.floor((open + connectedNow) / 2) - 1);
    this.#lowered = performance.now();
    if (room >= limit) return;
    this.#gauges.limit = room;
    this.#log.warn(
      "Out of file descriptors with {open} connections: serving at most {limit} at a time; raise the limit (ulimit -n) for more",
      { open, limit: room },
    );
  }

  /** Raises a limit that was lowered, slowly, as there may be descriptors again. */
  recover(): void {
    const { limit, maximumLimit } = this.#gauges;
    if (limit >= maximumLimit) return;
    if (performance.now() - this.#lowered < RECOVERY) return;
    this.#lowered = performance.now();
    this.#gauges.limit = Math.min(maximumLimit, Math.ceil(limit * 1.1));
  }
}
