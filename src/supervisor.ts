/**
 * The main thread while the proxy runs: starts the workers, hears signals, and
 * stops.
 *
 * @module
 */
import type { Options } from "./cli.ts";
import { formatAddress } from "./connection/address.ts";
import { type ListenOptions, listenShared } from "./connection/listener.ts";
import type { RouterSource, Serve } from "./messages.ts";
import { countConnections } from "./file_limit.ts";
import type { Gauges } from "./observe/gauges.ts";
import type { LineWriter } from "./observe/line_writer.ts";
import type { Log } from "./observe/log.ts";
import type { Batch } from "./observe/outbox.ts";
import { sandbox } from "./sandbox.ts";
import { WorkerThread } from "./worker_thread.ts";

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

/** The proxy cannot run; exit status 1. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Runs the proxy from start to stop. */
export class Supervisor {
  readonly #options: Options;
  readonly #log: Log;
  readonly #access: LineWriter | undefined;
  readonly #gauges: Gauges;
  readonly #stopped = Promise.withResolvers<void>();
  #workers: WorkerThread[] = [];
  #signals: { dispose(): void } | undefined;
  #running = false;
  /** A signal to stop that came while it started. */
  #early: (() => void) | undefined;
  /** `performance.now()` of the last INT. */
  #interrupted = -Infinity;
  #stopping: "no" | "graceful" | "fast" = "no";

  /**
   * @param options What to run.
   * @param log The operational log.
   * @param access Takes the lines of the access log, if there is one.
   * @param gauges The numbers that all threads share.
   */
  constructor(
    options: Options,
    log: Log,
    access: LineWriter | undefined,
    gauges: Gauges,
  ) {
    this.#options = options;
    this.#log = log;
    this.#access = access;
    this.#gauges = gauges;
  }

  /**
   * Listens, and starts the workers. When it fails, nothing is left running.
   *
   * @param router The router.
   * @returns The addresses that are listened on, one for each listener.
   * @throws {StartError} If an address cannot be listened on.
   * @throws {WorkerError} If the router cannot be loaded.
   */
  async start(router: RouterSource): Promise<readonly Deno.NetAddr[]> {
    const { workers } = this.#options;
    const listen = this.#options.listen;
    this.#signals = this.#hearSignals();
    // opened first, so that the ports are known to be free; they keep the shared
    // sockets open until the workers have their own
    const opened: Deno.TcpListener[] = [];
    try {
      for (const options of listen) opened.push(this.#listen(options));
      const limits = sandbox(this.#options, router);
      this.#workers = Array.from(
        { length: workers },
        (_, index) =>
          new WorkerThread(
            limits,
            `worker ${index + 1}`,
            (batch) => this.#onLines(batch),
          ),
      );
      await Promise.all(
        this.#workers.map((worker) => worker.load(router, limits)),
      );
      this.#fitDescriptors(router);
      const serve: Omit<Serve, "type"> = {
        listen,
        connection: this.#options.connection,
        gauges: this.#gauges.shared,
        logLevel: this.#options.logLevel,
        accessLog: this.#access && this.#options.logFormat,
      };
      await Promise.all(this.#workers.map((worker) => worker.serve(serve)));
      for (const worker of this.#workers) this.#mourn(worker);
      return opened.map(({ addr }) => addr as Deno.NetAddr);
    } catch (error) {
      for (const worker of this.#workers) worker.terminate();
      this.#signals.dispose();
      throw error;
    } finally {
      for (const listener of opened) listener.close();
    }
  }

  /**
   * Waits until a signal has stopped the proxy and the connections have ended
   * as the signal says.
   *
   * @param addresses What `start` has returned.
   */
  async run(addresses: readonly Deno.NetAddr[]): Promise<void> {
    this.#running = true;
    for (const address of addresses) {
      this.#log.info(
        `Listening on ${formatAddress(address)} with ${this.#workers.length} ${
          this.#workers.length === 1 ? "worker" : "workers"
        }`,
      );
    }
    this.#log.info(
      "Send QUIT to quit after waiting for all connections to finish.",
    );
    this.#log.info(
      `Send TERM or INT to quit after waiting for up to ${FAST_SHUTDOWN} seconds for connections to finish.`,
    );
    this.#early?.();
    await this.#stopped.promise;
    this.#signals?.dispose();
    for (const worker of this.#workers) worker.terminate();
  }

  #listen(options: ListenOptions): Deno.TcpListener {
    try {
      return listenShared(options);
    } catch (error) {
      const reason = error instanceof Deno.errors.AddrInUse
        ? "another program listens there"
        : error instanceof Error
        ? error.message
        : error;
      throw new StartError(
        `Cannot listen on ${formatAddress(options)}: ${reason}`,
        { cause: error },
      );
    }
  }

  /**
   * Lowers the limit of connections to what there are descriptors for: were
   * more accepted, none would be left for their remotes.
   */
  #fitDescriptors(router: RouterSource): void {
    const room = countConnections(router.url);
    if (room === undefined || room >= this.#gauges.limit) return;
    this.#gauges.limit = room;
    this.#gauges.maximumLimit = room;
    this.#log.warn(
      `Serving at most ${room} connections at a time, as there are file descriptors for no more (ulimit -n)`,
    );
  }

  #hearSignals(): { dispose(): void } {
    const handlers: [Deno.Signal, () => void][] = [
      ["SIGINT", () => this.#stop("fast", "INT")],
    ];
    if (Deno.build.os !== "windows") {
      handlers.push(
        ["SIGTERM", () => this.#stop("fast", "TERM")],
        ["SIGQUIT", () => this.#stop("graceful", "QUIT")],
        ["SIGUSR1", () => this.#logCounters()],
        // under `deno run`, the runtime opens its debugger on USR1, too
        ["SIGUSR2", () => this.#logCounters()],
      );
    }
    for (const [signal, handler] of handlers) {
      Deno.addSignalListener(signal, handler);
    }
    return {
      dispose() {
        for (const [signal, handler] of handlers) {
          Deno.removeSignalListener(signal, handler);
        }
      },
    };
  }

  /** Goes on with the other workers when one has died, as long as there are any. */
  #mourn(worker: WorkerThread): void {
    worker.died.then((reason) => {
      this.#workers = this.#workers.filter((other) => other !== worker);
      const left = this.#workers.length;
      this.#log.error(
        `A worker has died, and its connections with it; ${left} left: ${reason}`,
      );
      if (left > 0 || this.#stopping !== "no") return;
      this.#stopped.reject(
        new StartError("Cannot go on as no worker is left"),
      );
    });
  }

  #logCounters(): void {
    this.#log.info(
      `Connections: ${this.#gauges} (current/maximum/total), ${this.#gauges.connectedNow} with a remote`,
    );
    const counters = String(this.#gauges.counters);
    if (counters !== "") this.#log.info(`Counters: ${counters}`);
  }

  #stop(how: "graceful" | "fast", signal: string): void {
    if (!this.#running) {
      // while it starts: the first is obeyed when it runs, a second at once
      if (this.#early !== undefined) Deno.exit(0);
      this.#early = () => this.#stop(how, signal);
      return;
    }
    if (signal === "INT") {
      const now = performance.now();
      if (now - this.#interrupted < SAME_KEYSTROKE) return;
      this.#interrupted = now;
    }
    if (this.#stopping === "fast") {
      if (how === "fast") {
        this.#log.info(`Received ${signal} signal again. Quitting at once.`);
        this.#stopped.resolve();
      }
      return;
    }
    const first = this.#stopping === "no";
    this.#stopping = how;
    this.#log.info(
      `Received ${signal} signal. No longer accepting new connections.`,
    );
    if (how === "fast") {
      this.#log.info(
        `Maximum time to wait for connections is ${FAST_SHUTDOWN} seconds.`,
      );
      setTimeout(() => this.#abort(), FAST_SHUTDOWN * 1000);
    }
    if (first) this.#drain();
  }

  /** Stops accepting, and waits for the connections. */
  #drain(): void {
    let last = this.#gauges.open;
    this.#logWaiting(last);
    const timer = setInterval(() => {
      const { open } = this.#gauges;
      if (open === last) return;
      last = open;
      this.#logWaiting(open);
    }, WAITING_INTERVAL);
    for (const worker of this.#workers) worker.stop();
    Promise.all(this.#workers.map((worker) => worker.drained)).then(() => {
      clearInterval(timer);
      this.#stopped.resolve();
    });
  }

  #logWaiting(open: number): void {
    this.#log.info(`Waiting for ${open} connections to finish.`);
  }

  /** Closes what has not ended in time. */
  #abort(): void {
    this.#log.warn(
      `Closing ${this.#gauges.open} connections that did not finish in ${FAST_SHUTDOWN} seconds.`,
    );
    for (const worker of this.#workers) worker.abort();
    // a worker that is stuck in a loop cannot close its own
    setTimeout(() => this.#stopped.resolve(), ABORT_TIME);
  }

  #onLines(batch: Batch): void {
    for (const [level, message] of batch.log) this.#log[level](message);
    if (batch.access !== "") this.#access?.write(batch.access);
    if (batch.dropped > 0) {
      this.#gauges.counters.add("lines-dropped", batch.dropped);
      this.#log.warn(
        `Dropped ${batch.dropped} lines of a worker as there were too many`,
      );
    }
  }
}
