/**
 * The real program as a child process.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { delay } from "./delay.ts";
import { Lines } from "./lines.ts";
import { PROGRAM, ROUTER_EXTENSION } from "./program.ts";
import { PIPED } from "./run.ts";
import type { Upstream } from "./servers.ts";
import { receive, send } from "./sockets.ts";

/** How the program is started. */
export interface ProxyOptions {
  /**
   * More arguments.
   *
   * @default []
   */
  readonly args?: readonly string[];
  /**
   * The program and its first arguments.
   *
   * @default {@linkcode PROGRAM}
   */
  readonly program?: readonly string[];
  /**
   * Run a shell command first, such as `ulimit -n 256`.
   *
   * @default ""
   */
  readonly setup?: string;
  /**
   * What the file with the text is called, such as `routes.yaml`.
   *
   * @default a module in the language of the tests
   */
  readonly file?: string;
  /**
   * More files beside it, by name.
   *
   * @default {}
   */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * Where to listen.
   *
   * @default ["-h", "127.0.0.1", "-p", "0"]
   */
  readonly listen?: readonly string[];
}

/** A client and a server that the proxy has joined. */
export interface Joined extends Disposable {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/** The program, running and listening. */
export class Proxy implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  /** The operational log: standard error. */
  readonly log: Lines;
  /** The access log: standard output. */
  readonly access: Lines;
  /** Where it listens on 127.0.0.1. */
  port = 0;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.log = new Lines(child.stderr);
    this.access = new Lines(child.stdout);
  }

  /**
   * Starts the program with a router, and waits until it listens.
   *
   * @param router The text of a module or a route table, or a `file:` URL of
   * one.
   * @param options How to start it; one worker unless `args` say otherwise.
   */
  static async start(
    router: string | URL,
    options: ProxyOptions = {},
  ): Promise<Proxy> {
    const folder = await Deno.makeTempDir({ prefix: "proxymachine-test-" });
    let file = join(folder, options.file ?? `router.${ROUTER_EXTENSION}`);
    if (router instanceof URL) file = fileURLToPath(router);
    else await Deno.writeTextFile(file, router);
    for (const [name, text] of Object.entries(options.files ?? {})) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const [command = "", ...first] = options.program ?? PROGRAM;
    const args = [
      ...first,
      "-c",
      file,
      ...(options.listen ?? ["-h", "127.0.0.1", "-p", "0"]),
      ...(options.args ?? ["-w", "1"]),
    ];
    const child = options.setup === undefined
      ? new Deno.Command(command, { args, ...PIPED }).spawn()
      : new Deno.Command("bash", {
        args: ["-c", `${options.setup}; exec "$0" "$@"`, command, ...args],
        ...PIPED,
      }).spawn();
    const proxy = new Proxy(child, folder);
    try {
      const line = await proxy.log.find("Listening on");
      proxy.port = Number(/:(\d+) with/.exec(line)?.[1]);
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  /** The process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves when the process has ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Connects as a client. */
  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  /**
   * Connects as a client that the router sends to an upstream, and sends one
   * byte each way.
   *
   * @returns The sockets, which are closed with the result.
   */
  async join(upstream: Upstream): Promise<Joined> {
    const client = await this.connect();
    await send(client, "a");
    const server = await upstream.accept();
    if (await receive(server, 1) !== "a") throw new Error("not joined");
    await send(server, "b");
    if (await receive(client, 1) !== "b") throw new Error("not joined");
    return {
      client,
      server,
      [Symbol.dispose]() {
        client[Symbol.dispose]();
        server[Symbol.dispose]();
      },
    };
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /**
   * Waits until the process has ended, and all of its lines have come.
   *
   * @returns The exit status; `undefined` if a signal has ended it.
   */
  async ended(): Promise<number | undefined> {
    const { code, signal } = await this.status;
    await Promise.all([this.log.ended, this.access.ended]);
    return signal === null ? code : undefined;
  }

  /** Suspends the process until `SIGCONT`, and waits until it stands still. */
  async suspend(): Promise<void> {
    this.kill("SIGSTOP");
    const tasks = `/proc/${this.pid}/task`;
    const isRunning = ({ name }: Deno.DirEntry) =>
      !/^\d+ \(.*\) T/.test(Deno.readTextFileSync(`${tasks}/${name}/stat`));
    while ([...Deno.readDirSync(tasks)].some(isRunning)) {
      await delay(1);
    }
  }

  /** Memory that the process holds in bytes (resident set). */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024;
  }

  /** How many descriptors the process has open. */
  get descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.pid}/fd`)].length;
  }

  /** Waits until the process has at most so many descriptors open. */
  async hasDescriptors(most: number): Promise<void> {
    while (this.descriptors > most) {
      await delay(10);
    }
  }

  /** Ends the process, if it still runs, and removes its router. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await Promise.all([this.log.ended, this.access.ended]);
    await Deno.remove(this.#folder, { recursive: true });
  }
}
