/**
 * A worker thread, as the main thread sees it.
 *
 * @module
 */
import type { FromWorker, RouterSource, Serve, ToWorker } from "./messages.ts";
import type { ListenOptions } from "./connection/listener.ts";
import { oneLine } from "./errors.ts";
import { LEVELS } from "./observe/log.ts";
import type { Batch } from "./observe/outbox.ts";
import type { Hook } from "./connection/decision.ts";
import type { Sandbox } from "./sandbox.ts";

/** Milliseconds that a router may take to load. */
const LOAD_TIMEOUT = 30_000;

/** A worker that could not do what it was told; the message says why. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

/** Starts, instructs and ends one worker. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #onLines: (batch: Batch) => void;
  readonly #drained = Promise.withResolvers<void>();
  readonly #died = Promise.withResolvers<string>();
  /** Who waits for the answer to the last instruction. */
  #pending: PromiseWithResolvers<FromWorker> | undefined;
  #onDryRunLine: (text: string) => void = () => {};

  /**
   * Starts a thread; it does nothing yet.
   *
   * @param sandbox Its permissions.
   * @param name Shown by debuggers.
   * @param onLines Takes what it has for the logs.
   */
  constructor(
    sandbox: Sandbox,
    name: string,
    onLines: (batch: Batch) => void,
  ) {
    this.#onLines = onLines;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url).href, {
      type: "module",
      name,
      deno: { permissions: sandbox.permissions },
    });
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) =>
      this.#receive(event.data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#pending?.reject(new WorkerError(event.message));
      this.#died.resolve(oneLine(event.message));
      this.#drained.resolve();
    };
  }

  /** Resolves with the reason when the thread has ended by an error. */
  get died(): Promise<string> {
    return this.#died.promise;
  }

  /** Resolves when the worker has stopped and its last connection has ended. */
  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  /**
   * Loads the router.
   *
   * @param router The module, the table, or both.
   * @param limits What it may read, and what of that it gives up afterwards.
   * @returns The hooks that the router has.
   * @throws {WorkerError} If it cannot be loaded, or not in time.
   */
  async load(
    router: RouterSource,
    limits: Pick<Sandbox, "revokeRead" | "mayRead">,
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
      });
      return answer.type === "loaded" ? answer.hooks : [];
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Accepts connections from now on.
   *
   * @param options How to serve them.
   * @throws {WorkerError} If it cannot listen.
   */
  async serve(options: Omit<Serve, "type">): Promise<void> {
    await this.#ask({ type: "serve", ...options });
  }

  /**
   * Feeds bytes to the router.
   *
   * @param bytes The bytes of a client.
   * @param maxPreread How many the router may ask for.
   * @param listen The listener that the client is said to have connected to.
   * @param print Takes the lines of the result.
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

  /** Stops accepting; `drained` tells when all is over. */
  stop(): void {
    this.#send({ type: "stop" });
  }

  /** Closes all connections. */
  abort(): void {
    this.#send({ type: "abort" });
  }

  /** Ends the thread, unless it is stuck in a loop. */
  terminate(): void {
    this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
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
        return this.#onLines(message);
      case "drained":
        return this.#drained.resolve();
      case "dry-run-line":
        return this.#onDryRunLine(message.text);
      case "failed":
        return this.#pending?.reject(new WorkerError(message.message));
      case "loaded":
      case "serving":
      case "dry-run-end":
        return this.#pending?.resolve(message);
    }
  }
}

/**
 * Checks what is used of a message: the router runs in the worker, and may have
 * found a way to send one.
 */
function isMessage(message: unknown): message is FromWorker {
  if (typeof message !== "object" || message === null) return false;
  const { type, log, access, dropped, text, message: failure, hooks } =
    message as Record<string, unknown>;
  switch (type) {
    case "lines":
      return typeof access === "string" && typeof dropped === "number" &&
        Array.isArray(log) && log.every(isLine);
    case "failed":
      return typeof failure === "string";
    case "dry-run-line":
      return typeof text === "string";
    case "loaded":
      return Array.isArray(hooks);
    default:
      return typeof type === "string";
  }
}

function isLine(line: unknown): boolean {
  return Array.isArray(line) && typeof line[1] === "string" &&
    (LEVELS as readonly unknown[]).includes(line[0]);
}
