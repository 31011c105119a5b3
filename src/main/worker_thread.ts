/**
 * A worker thread, as the main thread sees it.
 *
 * @module
 */
import { isConnectionList, isMessage } from "./check_messages.ts";
import type { NameChange } from "../net/names.ts";
import type { Listening } from "../net/own_listeners.ts";
import type { SystemNames } from "../net/resolver_files.ts";
import type {
  AbortReason,
  FromWorker,
  Hello,
  Question,
  Serve,
  ToWorker,
} from "../worker/messages.ts";
import type { ListenOptions } from "../net/listen.ts";
import { oneLine } from "../lib/errors.ts";
import type {
  ConnectionList,
  ConnectionQuery,
} from "../stats/connection_list.ts";
import type { Batch } from "../log/outbox.ts";
import type { Report } from "../stats/statistics.ts";
import { Share } from "../stats/worker_counts.ts";
import type { PoolReport } from "../pool/main_thread.ts";
import { Questions } from "./questions.ts";
import type { Hook } from "../router/contract.ts";
import type { RouterSource } from "../config/router_source.ts";
import type { Sandbox } from "../config/sandbox.ts";
import type { WorkerState } from "../admin/program_status.ts";

/** Milliseconds that a router may take to load. */
const LOAD_TIMEOUT = 30_000;

/** Milliseconds after which the next report should have come. */
const REPORT_TIME = 1500;

/** A worker that could not do what it was told; the message says why. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

/** What a worker says by itself. */
export interface WorkerEvents {
  /** Takes what it has for the logs, and its name. */
  onLines(batch: Batch, worker: string): void;
  /** Called when it needs a higher limit of connections. */
  onFull?(): void;
  /** Takes what it has learned of a name. */
  onName?(change: NameChange): void;
  /** Takes what it has counted. */
  onReport?(report: Report): void;
}

/** Starts, instructs and ends one worker. */
export class WorkerThread {
  /** What logs and debuggers call it. */
  readonly name: string;
  /** What it counts. */
  readonly share: Share = new Share();
  state: WorkerState = "loading";
  /** Whether it has said that it accepts connections, and was not told to stop. */
  accepts = false;
  /** The URLs of the files that its router consists of, if they are reported. */
  imports: readonly string[] = [];
  /** The pools that the router has made. */
  pools: readonly PoolReport[] = [];
  readonly #worker: Worker;
  readonly #port: MessagePort;
  /** What it has last counted, if it was asked to. */
  report: Report | undefined;
  /** `performance.now()` when that came, or the first was asked for. */
  #reported: number | undefined;
  readonly #events: WorkerEvents;
  readonly #questions = new Questions((question) => this.#send(question));
  readonly #stopped = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string | undefined>();
  /** Who waits for the answer to the last instruction. */
  #pending: PromiseWithResolvers<FromWorker> | undefined;
  #onDryRunLine: (text: string) => void = () => {};

  /**
   * Starts a thread; it does nothing yet.
   *
   * @param name What logs and debuggers call it.
   */
  constructor(
    sandbox: Sandbox,
    name: string,
    events: WorkerEvents,
  ) {
    this.name = name;
    this.#events = events;
    this.#worker = new Worker(
      new URL("../worker/worker.ts", import.meta.url).href,
      {
        type: "module",
        name,
        deno: { permissions: sandbox.permissions },
      },
    );
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = (event: MessageEvent<FromWorker>) =>
      this.#receive(event.data);
    this.#worker.postMessage({ port: port2 } satisfies Hello, [port2]);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#pending?.reject(new WorkerError(event.message));
      this.#stopped.resolve();
      this.#ended.resolve(oneLine(event.message));
    };
  }

  /**
   * Resolves when the worker has stopped and its last connection has ended; or,
   * with the reason, when the thread has died of an error.
   */
  get ended(): Promise<string | undefined> {
    return this.#ended.promise;
  }

  /**
   * Loads the router.
   *
   * @param reportImports Whether to set `imports`.
   * @returns The hooks that the router has; its pools are in `pools`.
   * @throws {WorkerError} If it cannot be loaded, or not in time.
   */
  async load(
    router: RouterSource,
    limits: Pick<Sandbox, "revokeRead" | "mayRead">,
    reportImports = false,
  ): Promise<readonly Hook[]> {
    const timer = setTimeout(
      () =>
        this.#pending?.reject(
          new WorkerError(
            `Cannot load the router ${router.name} as a module must finish loading within ${
              LOAD_TIMEOUT / 1000
            } seconds`,
          ),
        ),
      LOAD_TIMEOUT,
    );
    try {
      const answer = await this.#ask({
        type: "load",
        router,
        revokeRead: limits.revokeRead,
        mayRead: limits.mayRead,
        reportImports,
      });
      return answer.type === "loaded" ? answer.hooks : [];
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Accepts connections from now on.
   *
   * @throws {WorkerError} If it cannot listen.
   */
  async serve(options: Omit<Serve, "type" | "share">): Promise<void> {
    this.state = "serving";
    if (options.statistics) this.#reported = performance.now();
    await this.#ask({ type: "serve", ...options, share: this.share.shared });
    this.accepts = this.state === "serving";
  }

  /** Listeners of the program have been opened or closed. */
  relisten(listening: Listening): void {
    this.#send({ type: "listening", listening });
  }

  /** The files of the system that say how names are looked up have changed. */
  rename(system: SystemNames): void {
    this.#send({ type: "names", system });
  }

  /**
   * Feeds bytes to the router.
   *
   * @param listen The listener that the client is said to have connected to.
   * @returns Whether the router made no mistake.
   */
  async dryRun(
    bytes: Uint8Array,
    maxPreread: number,
    listen: ListenOptions,
    print: (text: string) => void,
  ): Promise<boolean> {
    this.#onDryRunLine = print;
    const answer = await this.#ask({
      type: "dry-run",
      bytes,
      maxPreread,
      listen,
    });
    return answer.type === "dry-run-end" && !answer.failed;
  }

  /**
   * Stops accepting; resolves when it accepts no more, and `ended` when its last
   * connection has ended. A worker that is stuck stops when it runs again.
   */
  stop(): Promise<void> {
    this.accepts = false;
    if (this.state === "serving") this.state = "draining";
    this.#send({ type: "stop" });
    return this.#stopped.promise;
  }

  /** Closes all connections. */
  abort(reason: AbortReason): void {
    this.#send({ type: "abort", reason });
  }

  /** Seconds by which its event loop is late, if it was asked to count. */
  get lag(): number {
    if (this.#reported === undefined) return 0;
    const overdue = (performance.now() - this.#reported - REPORT_TIME) / 1000;
    return Math.max(0, overdue, this.report?.lag ?? 0);
  }

  /**
   * Lists its connections.
   *
   * @returns `undefined` if it does not answer in time.
   */
  async list(query: ConnectionQuery): Promise<ConnectionList | undefined> {
    const answer = await this.#question((request) => ({
      type: "list",
      request,
      query,
    }));
    return isConnectionList(answer, query) ? answer : undefined;
  }

  /**
   * Closes a connection.
   *
   * @returns Whether it had it; `false`, too, if it does not answer in time.
   */
  async close(id: number): Promise<boolean> {
    const answer = await this.#question((request) => ({
      type: "close",
      request,
      id,
    }));
    return answer === true;
  }

  async #question(make: (request: number) => Question): Promise<unknown> {
    if (this.state !== "serving" && this.state !== "draining") return undefined;
    return await this.#questions.ask(make);
  }

  /** Ends the thread, unless it is stuck in a loop. */
  terminate(): void {
    this.state = "ended";
    this.#questions.end();
    this.#worker.terminate();
    this.#port.close();
    this.#pending?.reject(new WorkerError("The worker was ended"));
  }

  #send(message: ToWorker): void {
    this.#port.postMessage(message);
  }

  #ask(message: ToWorker): Promise<FromWorker> {
    this.#pending = Promise.withResolvers<FromWorker>();
    this.#send(message);
    return this.#pending.promise;
  }

  #receive(message: FromWorker): void {
    if (!isMessage(message)) return;
    switch (message.type) {
      case "lines":
        return this.#events.onLines(message, this.name);
      case "full":
        return this.#events.onFull?.();
      case "name":
        return this.#events.onName?.(message);
      case "report":
        this.report = message;
        this.#reported = performance.now();
        return this.#events.onReport?.(message);
      case "answer":
        return this.#questions.answer(message.request, message.answer);
      case "stopped":
        return this.#stopped.resolve();
      case "drained":
        return this.#ended.resolve(undefined);
      case "dry-run-line":
        return this.#onDryRunLine(message.text);
      case "failed":
        this.imports = message.imports;
        return this.#pending?.reject(new WorkerError(message.message));
      case "loaded":
        this.imports = message.imports;
        this.pools = message.pools;
        return this.#pending?.resolve(message);
      case "serving":
      case "dry-run-end":
        return this.#pending?.resolve(message);
    }
  }
}
