/**
 * One worker thread: it imports the router under restricted permissions, and
 * serves connections from the queue that all workers share.
 *
 * @module
 */
import { describeError, messageOf } from "../lib/errors.ts";
import type { Log } from "../log/log.ts";
import { Outbox } from "../log/outbox.ts";
import { sealPools } from "../pool/router_pool.ts";
import { Notices } from "../redis/notices.ts";
import { noticeTables } from "../redis/registry.ts";
import type { Router } from "../router/contract.ts";
import { type CompiledTable, compileTable } from "../routes/compile.ts";
import { DEFAULT_ROUTE } from "../routes/route_table.ts";
import { dryRun } from "./dry_run.ts";
import { confineImports, reportImports } from "./import_hooks.ts";
import { HOOKS, loadRouter } from "./load_router.ts";
import type {
  FromWorker,
  Hello,
  Load,
  Question,
  Serve,
  ToWorker,
} from "./messages.ts";
import { redirectConsole } from "./router_console.ts";
import { restrictGlobals } from "./restrict_globals.ts";
import { Serving } from "./serving.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  addEventListener(
    type: "message" | "error" | "unhandledrejection",
    listener: (event: never) => void,
    options?: { once: boolean },
  ): void;
}

/** What a worker has, from its start to its end. */
class RouterThread {
  readonly #send: (message: FromWorker) => void;
  #log: Outbox;
  #router: Router | undefined;
  /** The table that the router was made of, if it was. */
  #table: CompiledTable | undefined;
  /** The URLs of the files that were imported, if anyone wants to know. */
  #imports: ReadonlySet<string> = new Set();
  #serving: Serving | undefined;

  /**
   * @param send Takes messages to the main thread.
   */
  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
    this.#log = new Outbox(send, "info");
    noticeTables(new Notices(this.#log, undefined));
  }

  /** Does what the main thread says. */
  receive(message: ToWorker): void {
    switch (message.type) {
      case "load":
        return void this.#load(message);
      case "serve":
        return this.#serve(message);
      case "dry-run":
        return void dryRun(
          this.#router as Router,
          this.#table,
          message,
          (line) => {
            this.#log.flush(); // what the router has written comes before
            this.#send(line);
          },
        );
      case "stop":
        return this.#stop();
      case "abort":
        return this.#serving?.abort(message.reason);
      case "names":
        return this.#serving?.rename(message.system);
      case "listening":
        return this.#serving?.relisten(message.listening);
      case "list":
      case "close":
        return void this.#answer(message);
    }
  }

  /** Takes lines for the log at the level that it has now. */
  get log(): Log {
    return this.#log;
  }

  async #load(message: Load): Promise<void> {
    const { url, name, table } = message.router;
    const granted = message.mayRead;
    let readable = [...granted ?? [], ...message.revokeRead];
    if (Deno.build.standalone && granted !== undefined) {
      confineImports(() => readable);
    }
    if (message.reportImports) this.#imports = reportImports();
    redirectConsole(name, () => this.#log);
    try {
      const module = url === undefined
        ? undefined
        : await loadRouter(url, name);
      if (table !== undefined) this.#table = compileTable(table, module);
      const router = this.#router = this.#table?.router ?? module;
      for (const path of message.revokeRead) {
        await Deno.permissions.revoke({ name: "read", path });
      }
      readable = [...granted ?? []];
      this.#log.flush();
      this.#send({
        type: "loaded",
        hooks: HOOKS.filter((hook) => router?.[hook] !== undefined),
        imports: [...this.#imports],
        pools: sealPools(),
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #serve(message: Serve): void {
    this.#log = new Outbox(this.#send, message.logLevel);
    try {
      this.#serving = new Serving(
        this.#router as Router,
        this.#table && DEFAULT_ROUTE,
        message,
        this.#log,
        this.#send,
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #stop(): void {
    if (this.#serving !== undefined) return this.#serving.stop();
    // one that could not even listen has drained
    this.#send({ type: "stopped" });
    this.#send({ type: "drained" });
  }

  async #answer(question: Question): Promise<void> {
    const answer = await this.#serving?.answer(question) ?? false;
    this.#send({ type: "answer", request: question.request, answer });
  }

  #fail(error: unknown): void {
    this.#log.flush();
    this.#send({
      type: "failed",
      message: messageOf(error),
      imports: [...this.#imports],
    });
  }
}

const scope = self as unknown as WorkerScope;

restrictGlobals();

// comes before the router, which so can neither hear nor imitate what follows
scope.addEventListener("message", ({ data: { port } }: MessageEvent<Hello>) => {
  // kept from a router that would replace them
  const thread = new RouterThread(port.postMessage.bind(port));
  port.dispatchEvent = port.dispatchEvent.bind(port);
  port.addEventListener(
    "message",
    ({ data }) => thread.receive(data as ToWorker),
  );
  port.start();
  // a mistake of the router outside its hooks must not end the thread
  scope.addEventListener("error", (event: ErrorEvent) => {
    event.preventDefault();
    thread.log.error("The router threw outside its hooks: {error}", {
      error: describeError(event.error),
    });
  });
  scope.addEventListener(
    "unhandledrejection",
    (event: PromiseRejectionEvent) => {
      event.preventDefault();
      thread.log.error("The router left a rejected promise: {error}", {
        error: describeError(event.reason),
      });
    },
  );
}, { once: true });
