/**
 * Signals that come before the program serves, and when it has stopped.
 */
import { assertEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { PROGRAM, ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

const ROUTER = `router.${ROUTER_EXTENSION}`;
const CLOSING = `export default () => ({ close: true });`;

/** The bit of USR2 in the masks of /proc. */
const USR2 = 1n << 11n;

/** The program from its first moment on, with one worker. */
class Starting implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: Folder;
  /** Where the router waits while it loads. */
  readonly #gate: Backend;
  readonly #loading = Promise.withResolvers<void>();
  readonly #goOn = Promise.withResolvers<void>();
  readonly log: Lines;
  readonly #output: Lines;

  private constructor(folder: Folder, gate: Backend) {
    this.#folder = folder;
    this.#gate = gate;
    const [command = "", ...args] = PROGRAM;
    const router = folder.file(ROUTER);
    this.#child = new Deno.Command(command, {
      args: [...args, "-c", router, "-h", "127.0.0.1", "-p", "0", "-w", "1"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.log = new Lines(this.#child.stderr);
    this.#output = new Lines(this.#child.stdout);
  }

  /** Starts it with a router that loads until it may go on. */
  static async load(router: string): Promise<Starting> {
    const gate: Backend = new Backend((): Promise<void> => {
      starting.#loading.resolve();
      return starting.#goOn.promise;
    });
    const folder = await Folder.make({
      [ROUTER]:
        `const gate = await Deno.connect({ hostname: "127.0.0.1", port: ${gate.port} });
        await gate.read(new Uint8Array(1));
        ${router}`,
    });
    const starting = new Starting(folder, gate);
    return starting;
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /**
   * Sends a signal as soon as it hears signals (USR2 is the last, and the
   * runtime has none), and lets the router load.
   */
  async killAndGoOn(signal: Deno.Signal): Promise<void> {
    await this.#loading.promise;
    for (let caught = 0n; (caught & USR2) === 0n;) {
      const text = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
      caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(text)?.[1]}`);
    }
    this.#child.kill(signal);
    this.#goOn.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await Promise.all([this.log.ended, this.#output.ended]);
    await this.#gate[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

if (Deno.build.os === "linux") {
  test("HUP that comes while the program loads is a reload once it serves", async () => {
    await using proxy = await Starting.load(CLOSING);
    await proxy.killAndGoOn("SIGHUP");
    await proxy.log.find("Listening on");
    await proxy.log.find("Reloaded: generation 2");
    assertEquals(proxy.log.count("Reloading: received HUP signal"), 1);
  });

  test("QUIT that comes while the program loads stops it with status 0", async () => {
    await using proxy = await Starting.load(CLOSING);
    await proxy.killAndGoOn("SIGQUIT");
    const { code, signal } = await proxy.status;
    assertEquals([code, signal], [0, null]);
    await proxy.log.find("Received QUIT signal");
  });

  test("USR2 that comes while the program loads logs the counters", async () => {
    await using proxy = await Starting.load(CLOSING);
    await proxy.killAndGoOn("SIGUSR2");
    await proxy.log.find("Connections: 0/0/0 (current/maximum/total)");
    await proxy.log.find("Listening on");
  });

  test("a broken router is an error of one line whatever signal has come", async () => {
    await using proxy = await Starting.load("export const a = 1;");
    await proxy.killAndGoOn("SIGHUP");
    assertEquals((await proxy.status).code, 2);
    await proxy.log.ended;
    assertEquals(proxy.log.all.length, 1, proxy.log.all.join("\n"));
  });
}

test("HUP, QUIT and USR2 that come when it has stopped change nothing", async () => {
  await using proxy = await Proxy.start(CLOSING);
  let over = false;
  const ended = proxy.status.then((status) => {
    over = true;
    return status;
  });
  proxy.kill("SIGTERM");
  while (!over) {
    for (const signal of ["SIGHUP", "SIGQUIT", "SIGUSR2"] as const) {
      try {
        proxy.kill(signal);
      } catch {
        break; // it is over
      }
    }
    await delay();
  }
  const { code, signal } = await ended;
  assertEquals([code, signal], [0, null]);
});
