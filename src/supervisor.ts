/**
 * The main thread while the proxy runs: starts the workers, hears signals,
 * reloads, and stops.
 *
 * @module
 */
import type { AdminOptions } from "./admin/options.ts";
import type { Source } from "./admin/source.ts";
import { AddressShares } from "./address_shares.ts";
import { DEFAULT_ROUTE, routeName } from "./config/compile.ts";
import type { Configuration } from "./configuration.ts";
import { formatAddress } from "./connection/address.ts";
import { countConnections, type Room } from "./file_limit.ts";
import { FreePorts } from "./free_ports.ts";
import { type Environment, Generation } from "./generation.ts";
import type { Gauges } from "./observe/gauges.ts";
import type { Batch } from "./observe/outbox.ts";
import type { Outputs } from "./observe/outputs.ts";
import type { Troubles } from "./observe/troubles.ts";
import type { SharedPool } from "./pool/share.ts";
import { Totals } from "./observe/totals.ts";
import { hearSignals } from "./signals.ts";
import { SocketFiles } from "./socket_files.ts";
import type { ReloadStatus, Status } from "./status.ts";
import { filesIn, filesOf, FileWatch } from "./watch.ts";
import { heartbeat, Watchdog } from "./watchdog.ts";
import type { WorkerThread } from "./worker_thread.ts";

/** Seconds that TERM and INT leave the connections to end. */
const FAST_SHUTDOWN = 10;

/** Milliseconds for the workers to close their connections after that. */
const ABORT_TIME = 500;

/** Milliseconds between two lines that say what is waited for. */
const WAITING_INTERVAL = 1000;

/**
 * Milliseconds in which a second INT is the same Ctrl-C: a terminal sends it to
 * `deno task`, too, which passes it on.
 */
const SAME_KEYSTROKE = 100;

/** The exit status when too many workers are stuck: EX_SOFTWARE of sysexits.h. */
const TOO_MANY_STUCK = 70;

/** Runs the proxy from start to stop. */
export class Supervisor implements Source {
  readonly #reread: () => Promise<Configuration>;
  readonly #outputs: Outputs;
  /** The numbers that all threads share. */
  readonly gauges: Gauges;
  /** What the workers have counted, if there is an admin server. */
  readonly totals: Totals = new Totals();
  readonly #watchdog: Watchdog<WorkerThread>;
  readonly #environment: Environment;
  readonly #watch: FileWatch | undefined;
  readonly #started = new Date();
  readonly #stopped = Promise.withResolvers<number>();
  readonly #files = new SocketFiles();
  /** What runs, or is to run first. */
  #configuration: Configuration;
  /** Where the admin server listens. */
  readonly #adminPlace: string;
  /** Those that serve or drain, from the oldest to the newest. */
  #generations: Generation[] = [];
  /** The one that loads its router. */
  #next: Generation | undefined;
  /** How many there were. */
  #count = 0;
  /** Connections that there are file descriptors for, if that is known. */
  #room: Room | undefined;
  #signals: { dispose(): void } | undefined;
  #running = false;
  /** A signal to stop that came while it started. */
  #early: (() => void) | undefined;
  /** A signal to reload that came while it started. */
  #earlyReload: (() => void) | undefined;
  #reloadsWanted = 0;
  #reloadError: string | undefined;
  #reloadedAt: string | null = null;
  /** `performance.now()` of the last INT. */
  #interrupted = -Infinity;
  #stopping: "no" | "graceful" | "fast" = "no";
  #exitStatus = 0;

  /**
   * @param configuration What to run.
   * @param reread Reads it once more.
   * @param outputs The logs.
   * @param gauges The numbers that all threads share.
   */
  constructor(
    configuration: Configuration,
    reread: () => Promise<Configuration>,
    outputs: Outputs,
    gauges: Gauges,
  ) {
    const { options } = configuration;
    this.#configuration = configuration;
    this.#adminPlace = placeOf(options.admin);
    this.#reread = reread;
    this.#outputs = outputs;
    this.gauges = gauges;
    this.#watchdog = new Watchdog(
      options.watchdog,
      () =>
        this.#generations.flatMap(({ workers }) => workers)
          .filter(({ state }) => state !== "loading"),
      {
        stuck: (worker) => this.#onStuck(worker),
        awake: (worker, silence) => this.#onAwake(worker, silence),
      },
    );
    if (options.watch) {
      this.#watch = new FileWatch((path) => this.#reload(`${path} changed`));
    }
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
      onReport: (report) => this.totals.add(report),
      pools: () => this.pools,
      onLines: (batch) => this.#onLines(batch),
      onFull: () => this.#onFull(),
      onChange: () => this.#onChange(),
    };
  }

  /**
   * Listens, and starts the workers. When it fails, nothing is left running.
   *
   * @returns What is listened on, one for each listener.
   * @throws {StartError} If an address cannot be listened on.
   * @throws {WorkerError} If the router cannot be loaded.
   */
  async start(): Promise<readonly string[]> {
    this.#signals = hearSignals({
      stop: (how, signal) => this.#onStop(how, signal),
      reload: (signal) => this.#onReload(signal),
      count: () => this.#logCounters(),
    });
    const since = Date.now();
    const first = this.#newGeneration(this.#configuration);
    try {
      const listening = await first.load();
      this.#expectRoutes(this.#configuration);
      this.#fitDescriptors();
      await first.serve();
      this.#generations.push(first);
      await this.#watchFiles(first, since);
      return listening;
    } catch (error) {
      first.terminate();
      this.#files.removeAll();
      this.#signals.dispose();
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
  async run(listeners: readonly string[]): Promise<number> {
    this.#running = true;
    const { log } = this.#outputs;
    for (const listener of listeners) log.info(`Listening on ${listener}`);
    log.info("Send QUIT to quit after waiting for all connections to finish.");
    log.info(
      `Send TERM or INT to quit after waiting for up to ${FAST_SHUTDOWN} seconds for connections to finish.`,
    );
    this.#watchdog.start();
    this.#earlyReload?.();
    this.#early?.();
    const status = await this.#stopped.promise;
    this.#files.removeAll();
    this.#watchdog.stop();
    this.#watch?.stop();
    this.#signals?.dispose();
    this.#next?.terminate();
    for (const generation of this.#generations) generation.terminate();
    return status;
  }

  /** What there is to know about the workers. */
  get status(): Status {
    return {
      started: this.#started.toISOString(),
      state: !this.#running
        ? "starting"
        : this.#stopping === "no"
        ? "serving"
        : "stopping",
      generations: [...this.#generations, ...this.#next ? [this.#next] : []]
        .map(({ status }) => status),
      stuck: this.#countStuck(),
      reloadError: this.#reloadError,
    };
  }

  /** What runs, or is to run first. */
  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Those that have not ended. */
  get workers(): readonly WorkerThread[] {
    return this.#generations.flatMap(({ workers }) => workers);
  }

  /** The hooks of the router that serves. */
  get hooks(): readonly string[] {
    return this.#generations.at(-1)?.hooks ?? [];
  }

  /** What has become of reloads. */
  get reloads(): ReloadStatus {
    return {
      count: this.gauges.counters.snapshot().reloads,
      lastAt: this.#reloadedAt,
      lastError: this.#reloadError ?? null,
    };
  }

  /** The pools of the router that serves. */
  get pools(): readonly SharedPool[] {
    return this.#generations.at(-1)?.pools ?? [];
  }

  /** Where it listens; empty until it does. */
  get addresses(): readonly string[] {
    return this.#generations.at(-1)?.addresses ?? [];
  }

  /** The last warnings and errors of the log. */
  get troubles(): Troubles {
    return this.#outputs.troubles;
  }

  #newGeneration(configuration: Configuration): Generation {
    return new Generation(++this.#count, configuration, this.#environment);
  }

  /**
   * Limits the connections to what there are descriptors for, as far as they
   * are counted: were more accepted, none would be left for their remotes.
   */
  #fitDescriptors(): void {
    const { open, connectedNow } = this.gauges;
    const { router, options: { maxConnections } } = this.#configuration;
    this.#room = countConnections(open + connectedNow, router.url);
    this.#limitConnections(maxConnections);
    if (!this.#room?.isAll) return;
    const { connections } = this.#room;
    if (connections >= (maxConnections ?? Infinity)) return;
    this.#outputs.log.warn(
      `Serving at most ${connections} connections at a time, as there are file descriptors for no more (ulimit -n)`,
    );
  }

  #limitConnections(most = Infinity): void {
    const room = this.#room;
    this.gauges.setMaximum(Math.min(most, room?.connections ?? Infinity));
    this.gauges.setMore(
      room !== undefined && !room.isAll && room.connections < most,
    );
  }

  /** A worker has no place for another connection: there may be room for more. */
  #onFull(): void {
    if (this.gauges.mayHaveMore) this.#fitDescriptors();
  }

  #onReload(signal: string): void {
    if (!this.#running) {
      this.#earlyReload ??= () => this.#onReload(signal);
      return;
    }
    if (this.#stopping !== "no") {
      this.#outputs.log.info(
        `Received ${signal} signal. Not reloading, as the proxy is stopping.`,
      );
      return;
    }
    void this.#outputs.reopen()
      .then(() => this.#reload(`received ${signal} signal`));
  }

  /** Reloads, now or after the reload that is under way. */
  #reload(reason: string): void {
    if (this.#stopping !== "no") return;
    this.#reloadsWanted++;
    if (this.#reloadsWanted > 1) return;
    void this.#reloadAll(reason);
  }

  async #reloadAll(reason: string): Promise<void> {
    for (;;) {
      // those that come meanwhile are one more reload, as the files may have
      // been read already
      this.#reloadsWanted = 1;
      await this.#reloadOnce(reason);
      if (this.#stopping !== "no" || this.#reloadsWanted === 1) break;
      reason = "it was asked for meanwhile";
    }
    this.#reloadsWanted = 0;
  }

  /** Starts a new generation; with any error, the one that runs goes on. */
  async #reloadOnce(reason: string): Promise<void> {
    this.#outputs.log.info(`Reloading: ${reason}`);
    if (this.#configuration.options.config === "-") {
      this.#outputs.log.warn(
        "The router stays the same, as standard input cannot be read again",
      );
    }
    const since = Date.now();
    this.#reloadedAt = new Date(since).toISOString();
    let next: Generation | undefined;
    try {
      const configuration = await this.#reread();
      const outputs = await this.#outputs.prepare(configuration.options);
      this.#next = next = this.#newGeneration(configuration);
      try {
        await next.load();
      } catch (error) {
        next.terminate();
        outputs.cancel();
        throw error;
      }
      if (this.#stopping !== "no") {
        outputs.cancel();
        return next.terminate();
      }
      outputs.commit();
      await this.#takeOver(next);
      this.gauges.counters.add("reloads");
      this.#reloadError = undefined;
    } catch (error) {
      if (this.#stopping !== "no") return;
      this.gauges.counters.add("reloads-failed");
      this.#reloadError = error instanceof Error
        ? error.message
        : String(error);
      this.#outputs.log.error(
        `Cannot reload, and go on as before: ${this.#reloadError}`,
      );
    } finally {
      this.#next = undefined;
      if (next !== undefined) {
        await this.#watchFiles(next, since, this.#reloadError);
      }
    }
  }

  /** Lets a generation that is loaded serve in place of those before. */
  async #takeOver(next: Generation): Promise<void> {
    const before = this.#generations;
    const { options } = next.configuration;
    // from now on it stops with all others
    this.#generations = [...before, next];
    this.#next = undefined;
    try {
      await next.serve();
    } catch (error) {
      await next.retire(options.drainTimeout);
      this.#onChange();
      throw error;
    }
    const { maxConnections } = next.configuration.options;
    if (maxConnections !== this.#configuration.options.maxConnections) {
      this.#limitConnections(maxConnections);
    }
    this.#expectRoutes(next.configuration);
    this.#keepAdmin(next.configuration);
    this.#configuration = next.configuration;
    // whoever stops it retires all
    if (this.#stopping !== "no") return;
    this.#files.remove(
      options.listen.flatMap((one) => "path" in one ? [one.path] : []),
    );
    await Promise.all(
      before.map((generation) => generation.retire(options.drainTimeout)),
    );
    const open = before.reduce((sum, generation) => sum + generation.open, 0);
    this.#outputs.log.info(
      `Reloaded: generation ${next.id} serves with ${this.#countWorkers()}; ${open} connections from before go on`,
    );
    this.#onChange();
  }

  /** Routes are shown before the first connection. */
  #expectRoutes({ router: { table } }: Configuration): void {
    if (table === undefined) return;
    this.totals.expect(table.routes.map((_, index) => routeName(table, index)));
    this.totals.expect([DEFAULT_ROUTE]);
  }

  /** The admin server stays where it is, so that it can be relied on. */
  #keepAdmin({ options: { admin } }: Configuration): void {
    const place = placeOf(admin);
    if (place === this.#adminPlace) return;
    this.#outputs.log.warn(
      `The admin server stays as it is, ${this.#adminPlace}, as it needs a restart to be another: ${place}`,
    );
  }

  /**
   * Looks at the files of a generation from now on.
   *
   * @param since When it began to read them (`Date.now()`).
   * @param error Why it could not be started: the files of before stay of
   * interest then.
   */
  async #watchFiles(
    { configuration: { files }, imports }: Generation,
    since: number,
    error?: string,
  ): Promise<void> {
    await this.#watch?.follow(
      [...files, ...filesOf(imports), ...filesIn(error ?? "")],
      since,
      error !== undefined,
    );
  }

  #logCounters(): void {
    this.#outputs.log.info(
      `Connections: ${this.gauges} (current/maximum/total), ${this.gauges.connectedNow} with a remote`,
    );
    const counters = String(this.gauges.counters);
    if (counters !== "") this.#outputs.log.info(`Counters: ${counters}`);
  }

  #onStop(how: "graceful" | "fast", signal: string): void {
    if (!this.#running) {
      // while it starts: the first is obeyed when it runs, a second at once
      if (this.#early !== undefined) {
        this.#files.removeAll();
        Deno.exit(0);
      }
      this.#early = () => this.#onStop(how, signal);
      return;
    }
    const { log } = this.#outputs;
    if (signal === "INT") {
      const now = performance.now();
      if (now - this.#interrupted < SAME_KEYSTROKE) return;
      this.#interrupted = now;
    }
    if (this.#stopping === "fast") {
      if (how === "fast") {
        log.info(`Received ${signal} signal again. Quitting at once.`);
        this.#stopped.resolve(this.#exitStatus);
      }
      return;
    }
    log.info(`Received ${signal} signal. No longer accepting new connections.`);
    this.#stop(how);
  }

  #stop(how: "graceful" | "fast"): void {
    const first = this.#stopping === "no";
    this.#stopping = how;
    if (how === "fast") {
      this.#outputs.log.info(
        `Maximum time to wait for connections is ${FAST_SHUTDOWN} seconds.`,
      );
      setTimeout(() => this.#abort(), FAST_SHUTDOWN * 1000);
    }
    if (first) this.#drain();
  }

  /** Stops accepting, and waits for the connections. */
  #drain(): void {
    // before the workers stop: who finds a socket file yet is accepted yet
    this.#files.remove();
    let last = this.gauges.open;
    this.#logWaiting(last);
    const timer = setInterval(() => {
      const { open } = this.gauges;
      if (open === last) return;
      last = open;
      this.#logWaiting(open);
    }, WAITING_INTERVAL);
    void this.#stopped.promise.then(() => clearInterval(timer));
    this.#watch?.stop();
    this.#next?.terminate();
    for (const generation of this.#generations) void generation.retire(0);
    this.#onChange();
  }

  #logWaiting(open: number): void {
    this.#outputs.log.info(`Waiting for ${open} connections to finish.`);
  }

  /** Closes what has not ended in time. */
  #abort(): void {
    this.#outputs.log.warn(
      `Closing ${this.gauges.open} connections that did not finish in ${FAST_SHUTDOWN} seconds.`,
    );
    for (const generation of this.#generations) generation.abort("shutdown");
    // a worker that is stuck in a loop cannot close its own
    setTimeout(() => this.#stopped.resolve(this.#exitStatus), ABORT_TIME);
  }

  /** A worker has ended, or it is stuck. */
  #onChange(): void {
    this.#generations = this.#generations
      .filter(({ workers, isDrained }) => !isDrained || workers.length > 0);
    if (this.#stopping === "no") return;
    if (!this.#generations.every(({ isDrained }) => isDrained)) return;
    if (this.#countStuck() > 0) {
      this.#outputs.log.warn(
        `Giving up ${this.gauges.open} connections of stuck workers`,
      );
    }
    this.#stopped.resolve(this.#exitStatus);
  }

  #onStuck(worker: WorkerThread): void {
    const generation = this.#generations
      .find(({ workers }) => workers.includes(worker));
    if (generation === undefined) return;
    const { watchdog, workers, maxStuckWorkers = workers } =
      this.#configuration.options;
    const stuck = this.#countStuck() + 1;
    const { log } = this.#outputs;
    log.error(
      `Worker ${worker.name} has not answered for ${
        watchdog / 1000
      } seconds: it is stuck, and ${worker.share.open} connections with it; ${stuck} stuck`,
    );
    if (this.#stopping === "no" && stuck > maxStuckWorkers) {
      log.error(
        `Cannot go on as at most ${maxStuckWorkers} workers may be stuck: exiting with status ${TOO_MANY_STUCK}`,
      );
      this.#exitStatus = TOO_MANY_STUCK;
      this.#stop("fast");
    }
    this.gauges.counters.add("workers-stuck");
    generation.onStuck(worker);
  }

  #onAwake(worker: WorkerThread, silence: number): void {
    worker.state = "draining";
    this.#outputs.log.warn(
      `Worker ${worker.name} answers again after ${
        Math.round(silence / 1000)
      } seconds: it accepts no more, and its connections go on; ${this.#countStuck()} stuck`,
    );
  }

  #countStuck(): number {
    return this.#generations.flatMap(({ workers }) => workers)
      .filter(({ state }) => state === "stuck").length;
  }

  #countWorkers(): string {
    const { workers } = this.#configuration.options;
    return `${workers} ${workers === 1 ? "worker" : "workers"}`;
  }

  #onLines(batch: Batch): void {
    const { log } = this.#outputs;
    for (const [level, message] of batch.log) log[level](message);
    if (batch.access !== "") this.#outputs.access(batch.access);
    if (batch.dropped > 0) {
      this.gauges.counters.add("lines-dropped", batch.dropped);
      log.warn(
        `Dropped ${batch.dropped} lines of a worker as there were too many`,
      );
    }
  }
}

function placeOf(admin: AdminOptions | undefined): string {
  return admin === undefined ? "off" : formatAddress(admin);
}
