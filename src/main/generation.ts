/**
 * The workers that run one and the same configuration.
 *
 * @module
 */
import { Backoff } from "../lib/backoff.ts";
import type { Configuration } from "../config/configuration.ts";
import { messageOf } from "../lib/errors.ts";
import type { Environment } from "./environment.ts";
import { GenerationPools } from "./generation_pools.ts";
import { Listening, type OpenListener } from "./listening.ts";
import type { AbortReason, Serve } from "../worker/messages.ts";
import type { SharedPool } from "../pool/main_thread.ts";
import { type Sandbox, sandbox } from "../config/sandbox.ts";
import type { GenerationStatus } from "../admin/program_status.ts";
import { WorkerThread } from "./worker_thread.ts";

/** Milliseconds to wait for workers to stop accepting. */
const STOP_TIME = 1000;

/**
 * Starts the workers, replaces those that die or get stuck, and ends them all
 * when another generation has taken over.
 */
export class Generation {
  /** 1 for the first of the process. */
  readonly id: number;
  readonly configuration: Configuration;
  readonly #environment: Environment;
  readonly #sandbox: Sandbox;
  readonly #backoff = new Backoff();
  #state: GenerationStatus["state"] = "loading";
  #workers: WorkerThread[] = [];
  readonly #imports = new Set<string>();
  readonly #pools: GenerationPools;
  #hooks: readonly string[] = [];
  #addresses: readonly string[] = [];
  /** How many workers it has had. */
  #count = 0;
  readonly #listening: Listening;
  /** The places of the workers; one that replaces another has the same. */
  readonly #slots = new Map<WorkerThread, number>();
  /** Workers to be started after a pause. */
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>();
  #drainTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    id: number,
    configuration: Configuration,
    environment: Environment,
  ) {
    this.id = id;
    this.configuration = configuration;
    this.#environment = environment;
    const { options, router } = configuration;
    this.#pools = new GenerationPools(router.name);
    const listen = environment.ports.assign(options.listen);
    this.#listening = new Listening(listen, options.workers, environment.files);
    this.#sandbox = sandbox(
      { ...options, listen },
      router,
      this.#listening.bindPaths,
    );
  }

  /** The workers that have not ended. */
  get workers(): readonly WorkerThread[] {
    return this.#workers;
  }

  /** The pools of its router. */
  get pools(): readonly SharedPool[] {
    return this.#pools.all;
  }

  /** Where it listens, one for each listener, once it is loaded. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** The hooks of its router, once it is loaded. */
  get hooks(): readonly string[] {
    return this.#hooks;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#workers.reduce((sum, { share }) => sum + share.open, 0);
  }

  /** Whether all workers have ended, but for those that are stuck. */
  get isDrained(): boolean {
    return this.#state === "draining" &&
      this.#workers.every(({ state }) => state === "stuck");
  }

  /** The URLs of the files that the router consists of, if they are noted. */
  get imports(): readonly string[] {
    return [...this.#imports];
  }

  /**
   * Starts the workers, which load the router and accept nothing yet.
   *
   * @returns What is to be listened on, one for each listener.
   * @throws {StartError} If an address cannot be listened on.
   * @throws {WorkerError} If the router cannot be loaded. `terminate` is to be
   * called then.
   */
  async load(): Promise<readonly OpenListener[]> {
    const { options, warnings } = this.configuration;
    for (const warning of warnings) {
      this.#environment.log.warn("{warning}", { warning });
    }
    // opened first, so that the addresses are known to be free
    await this.#listening.open();
    this.#environment.listeners.add(this, this.#listening.opened);
    const workers = Array.from(
      { length: options.workers },
      (_, slot) => this.#startWorker(slot),
    );
    await Promise.all(workers.map((worker) => this.#load(worker)));
    this.#pools.share(workers, this.#environment.pools());
    this.#addresses = this.#listening.addresses;
    return this.#listening.describe();
  }

  /**
   * Accepts connections.
   *
   * @throws {WorkerError} If a worker cannot listen; the others may have
   * accepted connections by then, so `retire` is to be called.
   */
  async serve(): Promise<void> {
    if (this.#state === "loading") this.#state = "serving";
    try {
      await Promise.all(this.#workers.map((worker) => this.#serve(worker)));
      await this.#listening.publish([...this.#slots.values()]);
    } finally {
      this.#listening.close();
    }
  }

  /**
   * Stops accepting; its connections go on.
   *
   * @param timeout Milliseconds after which they are closed; 0: never.
   * @returns When it accepts no more; a worker that does not answer is waited
   * for only for a moment.
   */
  async retire(timeout: number): Promise<void> {
    if (this.#state === "draining") return;
    this.#state = "draining";
    this.#cancelPauses();
    this.#listening.close();
    const stopped = this.#workers.map((worker) => worker.stop());
    if (timeout > 0) {
      this.#drainTimer = setTimeout(() => this.#endDrain(timeout), timeout);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, STOP_TIME);
    await Promise.race([Promise.all(stopped), promise]);
    clearTimeout(timer);
    this.#environment.listeners.remove(this);
  }

  #endDrain(timeout: number): void {
    if (this.isDrained) return;
    const seconds = timeout / 1000;
    this.#environment.log.warn(
      "Closing {connections} connections of generation {generation} that did not finish in {seconds} seconds after the reload",
      { connections: this.open, generation: this.id, seconds },
    );
    this.abort("drain-timeout");
  }

  /** Closes all connections. */
  abort(reason: AbortReason): void {
    for (const worker of this.#workers) worker.abort(reason);
  }

  /** Ends all workers at once, unless they are stuck. */
  terminate(): void {
    this.#state = "draining";
    this.#cancelPauses();
    clearTimeout(this.#drainTimer);
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
    this.#listening.close();
    this.#environment.listeners.remove(this);
  }

  /** Replaces a worker of this generation that does not answer. */
  onStuck(worker: WorkerThread): void {
    const replaced = worker.state === "serving";
    worker.state = "stuck";
    // it does so when it runs again
    void worker.stop();
    if (replaced && this.#state === "serving") {
      void this.#replace(this.#slots.get(worker) ?? 0);
    }
    this.#environment.onChange();
  }

  /** What there is to know about it. */
  get status(): GenerationStatus {
    return {
      id: this.id,
      state: this.#state,
      workers: this.#workers.map(({ name, state, share }) => ({
        name,
        state,
        connections: share.open,
      })),
    };
  }

  #startWorker(slot: number): WorkerThread {
    const worker = new WorkerThread(
      this.#sandbox,
      `${this.id}.${++this.#count}`,
      this.#environment,
    );
    this.#workers.push(worker);
    this.#slots.set(worker, slot);
    return worker;
  }

  async #load(worker: WorkerThread): Promise<void> {
    const { router } = this.configuration;
    const { reportImports } = this.#environment;
    try {
      this.#hooks = await worker.load(router, this.#sandbox, reportImports);
    } finally {
      for (const url of worker.imports) this.#imports.add(url);
    }
  }

  async #serve(worker: WorkerThread): Promise<void> {
    const { options } = this.configuration;
    const serve: Omit<Serve, "type" | "share"> = {
      listen: this.#listening.hand(this.#slots.get(worker) ?? 0),
      connection: options.connection,
      gauges: this.#environment.gauges.shared,
      addresses: this.#environment.addresses.share(
        options.addresses,
        worker.ended,
      ),
      heartbeat: this.#environment.heartbeat,
      ...this.#pools.lendTo(worker),
      names: this.#environment.names.plan(options.dnsHold),
      listening: this.#environment.listeners.current,
      statistics: this.#environment.statistics,
      logLevel: options.logLevel,
      accessLog: options.accessLog === "off" ? undefined : options.logFormat,
    };
    void worker.ended.then((reason) => this.#onEnd(worker, reason));
    await worker.serve(serve);
  }

  #onEnd(worker: WorkerThread, reason: string | undefined): void {
    const slot = this.#slots.get(worker) ?? 0;
    // the main thread may have ended it itself
    if (!this.#forget(worker)) return;
    const { gauges, log, onChange } = this.#environment;
    // one that has drained may have left tries to connect to themselves
    this.#pools.takeBack(worker);
    if (reason !== undefined) {
      log.error(
        "Worker {worker} has died, and its {connections} connections with it: {error}",
        {
          worker: worker.name,
          connections: worker.share.open,
          error: reason,
          generation: this.id,
        },
      );
      gauges.counters.add("workers-died");
      gauges.giveBack(worker.share);
      if (this.#state === "serving") {
        this.#keepListening();
        this.#replaceLater(slot, this.#backoff.failed());
      }
    }
    if (this.#workers.length === 0) clearTimeout(this.#drainTimer);
    onChange();
  }

  /** Starts another worker in place of one that serves no more. */
  async #replace(slot: number): Promise<void> {
    const worker = this.#startWorker(slot);
    try {
      await this.#load(worker);
      this.#pools.check(worker);
      // it may have been retired meanwhile
      if (this.#state !== "serving") {
        this.#forget(worker);
        return this.#environment.onChange();
      }
      await this.#serve(worker);
      await this.#listening.publish([slot]);
      this.#listening.close();
      this.#environment.log.info(
        "Worker {worker} serves in place of one that does not",
        { worker: worker.name, generation: this.id },
      );
    } catch (error) {
      if (!this.#forget(worker)) return;
      if (this.#state !== "serving") return this.#environment.onChange();
      const pause = this.#backoff.failed();
      this.#environment.log.error(
        "Cannot start another worker, and try again in {seconds} seconds: {error}",
        {
          seconds: pause / 1000,
          error: messageOf(error),
          generation: this.id,
        },
      );
      this.#replaceLater(slot, pause);
    }
  }

  #replaceLater(slot: number, pause: number): void {
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      void this.#replace(slot);
    }, pause);
    this.#pauses.add(timer);
  }

  /** Returns whether the worker was still known. */
  #forget(worker: WorkerThread): boolean {
    const before = this.#workers.length;
    this.#workers = this.#workers.filter((other) => other !== worker);
    this.#slots.delete(worker);
    worker.terminate();
    return this.#workers.length < before;
  }

  #cancelPauses(): void {
    for (const timer of this.#pauses) clearTimeout(timer);
    this.#pauses.clear();
  }

  /** Lets clients wait for the next worker when there is none left. */
  #keepListening(): void {
    if (this.#workers.some(({ accepts }) => accepts)) return;
    try {
      this.#listening.openShared();
    } catch {
      // the next worker listens itself, or says why it cannot
    }
  }
}
