/**
 * The main thread while the proxy runs: starts the workers, hears signals,
 * reloads, and stops.
 *
 * @module
 */
import type { AdminOptions } from "../options/admin.ts";
import type { Source } from "../admin/program.ts";
import { announceNumbers, announceStart } from "./announce.ts";
import { AddressShares } from "./address_shares.ts";
import { routeNames } from "../routes/route_table.ts";
import type { Configuration } from "../config/configuration.ts";
import { formatAddress } from "../net/address.ts";
import { ConnectionLimit } from "./connection_limit.ts";
import { FreePorts } from "./free_ports.ts";
import type { Environment } from "./environment.ts";
import { Generation } from "./generation.ts";
import { KnownListeners } from "./known_listeners.ts";
import { KnownNames } from "./known_names.ts";
import { Generations } from "./generations.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { Outputs } from "../log/outputs.ts";
import type { Troubles } from "../log/recent_problems.ts";
import type { SharedPool } from "../pool/main_thread.ts";
import type { OpenListener } from "./listening.ts";
import { ProcessTitle } from "./title.ts";
import { Totals } from "../stats/totals.ts";
import { Reloads } from "./reloads.ts";
import { type Manner, Shutdown } from "./shutdown.ts";
import type { Signals } from "./signals.ts";
import { SocketFiles } from "./socket_files.ts";
import type { ProgramStatus, ReloadStatus } from "../admin/program_status.ts";
import { StuckWorkers } from "./stuck_workers.ts";
import { heartbeat } from "./watchdog.ts";
import type { WorkerThread } from "./worker_thread.ts";

/** Runs the proxy from start to stop. */
export class Supervisor implements Source {
  readonly #outputs: Outputs;
  /** The numbers that all threads share. */
  readonly gauges: Gauges;
  /** What the workers have counted, if there is an admin server. */
  readonly totals: Totals = new Totals();
  readonly #limit: ConnectionLimit;
  readonly #stuckWorkers: StuckWorkers;
  readonly #environment: Environment;
  readonly #reloads: Reloads;
  readonly #shutdown: Shutdown;
  readonly #started = new Date();
  readonly #files = new SocketFiles();
  /** What runs, or is to run first. */
  #configuration: Configuration;
  /** Where the admin server listens. */
  readonly #adminPlace: string;
  readonly #generations = new Generations();
  /** How many generations there were. */
  #count = 0;
  readonly #names: KnownNames;
  /** Where it listens, in all generations. */
  readonly listeners: KnownListeners = new KnownListeners((listening) => {
    for (const worker of this.workers) worker.relisten(listening);
  });
  #running = false;
  /** A signal to stop that came while it started. */
  #early: (() => void) | undefined;
  /** A signal to reload that came while it started. */
  #earlyReload: (() => void) | undefined;

  constructor(
    configuration: Configuration,
    reread: () => Promise<Configuration>,
    outputs: Outputs,
    gauges: Gauges,
  ) {
    const { options } = configuration;
    this.#configuration = configuration;
    this.#adminPlace = placeOf(options.admin);
    this.#outputs = outputs;
    this.gauges = gauges;
    this.#limit = new ConnectionLimit(gauges);
    const shutdown = this.#shutdown = new Shutdown({
      get open() {
        return gauges.open;
      },
      get log() {
        return outputs.log;
      },
      drain: () => this.#drain(),
      abort: () => this.#abort(),
    });
    this.#reloads = new Reloads(
      {
        get isStopping() {
          return shutdown.isUnderWay;
        },
        reread,
        newGeneration: (next) => this.#newGeneration(next),
        takeOver: (next) => this.#takeOver(next),
      },
      options,
      outputs,
      gauges.counters,
    );
    this.#stuckWorkers = new StuckWorkers({
      configuration: () => this.#configuration,
      generations: this.#generations,
      gauges,
      get log() {
        return outputs.log;
      },
      shutdown,
    });
    this.#names = new KnownNames(() => outputs.log, (system) => {
      for (const worker of this.workers) worker.rename(system);
    });
    this.#environment = {
      files: this.#files,
      ports: new FreePorts(),
      gauges: this.gauges,
      addresses: new AddressShares(),
      get log() {
        return outputs.log;
      },
      heartbeat: heartbeat(options.watchdog),
      reportImports: options.watch,
      statistics: options.admin !== undefined,
      listeners: this.listeners,
      names: this.#names,
      onReport: (report) => this.totals.add(report),
      pools: () => this.pools,
      onLines: (batch, worker) => outputs.take(batch, worker),
      onName: (change) => this.#names.learn(change),
      onFull: () => this.#onFull(),
      onChange: () => this.#onChange(),
    };
  }

  /**
   * Listens, and starts the workers. When it fails, nothing is left running.
   *
   * @param signals Are handled from now on.
   * @returns What is listened on, one for each listener.
   * @throws {StartError} If an address cannot be listened on.
   * @throws {WorkerError} If the router cannot be loaded.
   */
  async start(signals: Signals): Promise<readonly OpenListener[]> {
    signals.handle({
      stop: (manner, signal) => this.#onStop(manner, signal),
      reload: (signal) => this.#onReload(signal),
      count: () => announceNumbers(this.#outputs.log, this.gauges),
    });
    const since = Date.now();
    const first = this.#newGeneration(this.#configuration);
    try {
      const listening = await first.load();
      this.#expectRoutes(this.#configuration);
      this.#limit.fit(this.#configuration, this.#outputs.log);
      await first.serve();
      this.#generations.add(first);
      await this.#reloads.watch(first, since);
      return listening;
    } catch (error) {
      first.terminate();
      this.#files.removeAll();
      throw error;
    }
  }

  /**
   * Waits until a signal has stopped the proxy and the connections have ended
   * as the signal says.
   *
   * @param listeners What `start` has returned.
   * @returns The exit status: 0 as asked, 70 when too many workers are stuck.
   */
  async run(listeners: readonly OpenListener[]): Promise<number> {
    this.#running = true;
    using _title = new ProcessTitle(this.gauges);
    announceStart(this.#outputs.log, listeners);
    this.#stuckWorkers.start();
    this.#earlyReload?.();
    this.#early?.();
    const status = await this.#shutdown.ended;
    this.#files.removeAll();
    this.#stuckWorkers.stop();
    this.#reloads.stop();
    for (const generation of this.#generations.all) generation.terminate();
    return status;
  }

  /** What there is to know about the workers. */
  get status(): ProgramStatus {
    const { next } = this.#reloads;
    return {
      started: this.#started.toISOString(),
      state: !this.#running
        ? "loading"
        : this.#shutdown.isUnderWay
        ? "draining"
        : "serving",
      generations: [...this.#generations.all, ...next ? [next] : []]
        .map(({ status }) => status),
      stuck: this.#generations.stuck,
    };
  }

  /** What runs, or is to run first. */
  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Those that have not ended. */
  get workers(): readonly WorkerThread[] {
    return this.#generations.workers;
  }

  /** The hooks of the router that serves. */
  get hooks(): readonly string[] {
    return this.#generations.newest?.hooks ?? [];
  }

  /** What has become of reloads. */
  get reloads(): ReloadStatus {
    return this.#reloads.status;
  }

  /** The pools of the router that serves. */
  get pools(): readonly SharedPool[] {
    return this.#generations.newest?.pools ?? [];
  }

  /** Where it listens; empty until it does. */
  get addresses(): readonly string[] {
    return this.#generations.newest?.addresses ?? [];
  }

  /** The last warnings and errors of the log. */
  get troubles(): Troubles {
    return this.#outputs.troubles;
  }

  #newGeneration(configuration: Configuration): Generation {
    return new Generation(++this.#count, configuration, this.#environment);
  }

  /** A worker has no place for another connection: there may be room for more. */
  #onFull(): void {
    if (!this.gauges.mayHaveMore) return;
    this.#limit.fit(this.#configuration, this.#outputs.log);
  }

  #onReload(signal: string): void {
    if (!this.#running) {
      this.#earlyReload ??= () => this.#onReload(signal);
      return;
    }
    if (this.#shutdown.isUnderWay) {
      this.#outputs.log.info(
        "Received {signal} signal. Not reloading, as the proxy is stopping.",
        { signal },
      );
      return;
    }
    void this.#outputs.reopen()
      .then(() => this.#reloads.reload(`received ${signal} signal`));
  }

  /** Lets a generation that is loaded serve in place of those before. */
  async #takeOver(next: Generation): Promise<void> {
    const before = this.#generations.all;
    const { options } = next.configuration;
    this.#generations.add(next);
    try {
      await next.serve();
    } catch (error) {
      await next.retire(options.drainTimeout);
      this.#onChange();
      throw error;
    }
    const { maxConnections } = options;
    if (maxConnections !== this.#configuration.options.maxConnections) {
      this.#limit.set(maxConnections);
    }
    this.#expectRoutes(next.configuration);
    this.#keepAdmin(next.configuration);
    this.#configuration = next.configuration;
    // whoever stops it retires all
    if (this.#shutdown.isUnderWay) return;
    this.#files.remove(
      options.listen.flatMap((one) => "path" in one ? [one.path] : []),
    );
    await Promise.all(
      before.map((generation) => generation.retire(options.drainTimeout)),
    );
    const open = before.reduce((sum, generation) => sum + generation.open, 0);
    this.#outputs.log.info(
      options.workers === 1
        ? "Reloaded: generation {generation} serves with {workers} worker; {connections} connections from before go on"
        : "Reloaded: generation {generation} serves with {workers} workers; {connections} connections from before go on",
      { generation: next.id, workers: options.workers, connections: open },
    );
    this.#onChange();
  }

  /** Routes are shown before the first connection. */
  #expectRoutes({ router: { table } }: Configuration): void {
    if (table !== undefined) this.totals.expect(routeNames(table));
  }

  /** The admin server stays where it is, so that it can be relied on. */
  #keepAdmin({ options: { admin } }: Configuration): void {
    const place = placeOf(admin);
    if (place === this.#adminPlace) return;
    this.#outputs.log.warn(
      "The admin server stays as it is, {current}, as it needs a restart to be another: {wanted}",
      { current: this.#adminPlace, wanted: place },
    );
  }

  #onStop(manner: Manner, signal: string): void {
    if (this.#running) return this.#shutdown.onSignal(manner, signal);
    // while it starts: the first is obeyed when it runs, a second at once
    if (this.#early !== undefined) {
      this.#files.removeAll();
      Deno.exit(0);
    }
    this.#early = () => this.#onStop(manner, signal);
  }

  /** Stops accepting; each connection that ends may be the last. */
  #drain(): void {
    // before the workers stop: who finds a socket file yet is accepted yet
    this.#files.remove();
    this.#reloads.stop();
    for (const generation of this.#generations.all) void generation.retire(0);
    this.#onChange();
  }

  #abort(): void {
    for (const generation of this.#generations.all) {
      generation.abort("shutdown");
    }
  }

  /** A worker has ended, or it is stuck. */
  #onChange(): void {
    this.#generations.prune();
    if (!this.#shutdown.isUnderWay) return;
    if (!this.#generations.areDrained) return;
    if (this.#generations.stuck > 0) {
      this.#outputs.log.warn(
        "Giving up {connections} connections of stuck workers",
        { connections: this.gauges.open },
      );
    }
    this.#shutdown.finish();
  }
}

function placeOf(admin: AdminOptions | undefined): string {
  return admin === undefined ? "off" : formatAddress(admin);
}
