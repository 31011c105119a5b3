/**
 * What becomes of workers that do not answer.
 *
 * @module
 */
import type { Configuration } from "../config/configuration.ts";
import type { Log } from "../log/log.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { Generations } from "./generations.ts";
import type { Shutdown } from "./shutdown.ts";
import { Watchdog } from "./watchdog.ts";
import type { WorkerThread } from "./worker_thread.ts";

/** The exit status when too many workers are stuck: EX_SOFTWARE of sysexits.h. */
const TOO_MANY_STUCK = 70;

/** The program whose workers are watched. */
export interface WatchedProgram {
  /** What runs now. */
  configuration(): Configuration;
  readonly generations: Generations;
  readonly gauges: Gauges;
  readonly log: Log;
  readonly shutdown: Shutdown;
}

/**
 * Has stuck workers replaced; when there are too many of them, ends the program.
 */
export class StuckWorkers {
  readonly #program: WatchedProgram;
  readonly #watchdog: Watchdog<WorkerThread>;

  constructor(program: WatchedProgram) {
    this.#program = program;
    this.#watchdog = new Watchdog(
      program.configuration().options.watchdog,
      () =>
        program.generations.workers
          .filter(({ state }) => state !== "loading"),
      {
        stuck: (worker) => this.#onStuck(worker),
        awake: (worker, silence) => this.#onAwake(worker, silence),
      },
    );
  }

  /** Begins to watch; `stop` ends it. */
  start(): void {
    this.#watchdog.start();
  }

  /** Watches no more. */
  stop(): void {
    this.#watchdog.stop();
  }

  #onStuck(worker: WorkerThread): void {
    const { configuration, generations, gauges, log, shutdown } = this.#program;
    const generation = generations.of(worker);
    if (generation === undefined) return;
    const { watchdog, workers, maxStuckWorkers = workers } =
      configuration().options;
    const stuck = generations.stuck + 1;
    log.error(
      "Worker {worker} has not answered for {seconds} seconds: it is stuck, and {connections} connections with it; {stuck} stuck",
      {
        worker: worker.name,
        seconds: watchdog / 1000,
        connections: worker.share.open,
        stuck,
      },
    );
    if (!shutdown.isUnderWay && stuck > maxStuckWorkers) {
      log.error(
        "Cannot go on as at most {limit} workers may be stuck: exiting with status {status}",
        { limit: maxStuckWorkers, status: TOO_MANY_STUCK, stuck },
      );
      shutdown.begin("fast", TOO_MANY_STUCK);
    }
    gauges.counters.add("workers-stuck");
    generation.onStuck(worker);
  }

  #onAwake(worker: WorkerThread, silence: number): void {
    worker.state = "draining";
    const { generations, log } = this.#program;
    log.warn(
      "Worker {worker} answers again after {seconds} seconds: it accepts no more, and its connections go on; {stuck} stuck",
      {
        worker: worker.name,
        seconds: Math.round(silence / 1000),
        stuck: generations.stuck,
      },
    );
  }
}
