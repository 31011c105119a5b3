/**
 * Signals that come before the program serves, and when it has stopped.
 */
import assert from "node:assert/strict";
import {
  Folder,
  Lines,
  PROGRAM,
  Proxy,
  ROUTER_EXTENSION,
  test,
} from "../fixtures.ts";

const ROUTER = `router.${ROUTER_EXTENSION}`;
const CLOSING = `export default () => ({ close: true });`;

/** The bit of USR2 in the masks of /proc. */
const USR2 = 1n << 11n;

/** The program from its first moment on, with one worker. */
class Starting implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly log: Lines;
  readonly #output: Lines;

  constructor(router: string) {
    const [command = "", ...args] = PROGRAM;
    this.#child = new Deno.Command(command, {
      args: [...args, "-c", router, "-h", "127.0.0.1", "-p", "0", "-w", "1"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.log = new Lines(this.#child.stderr);
    this.#output = new Lines(this.#child.stdout);
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits until it hears signals: USR2 is the last, and the runtime has none. */
  async hears(): Promise<void> {
    for (let caught = 0n; (caught & USR2) === 0n;) {
      const text = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
      caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(text)?.[1]}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await Promise.all([this.log.ended, this.#output.ended]);
  }
}

if (Deno.build.os === "linux") {
  test("HUP that comes while the program loads is a reload once it serves", async () => {
    await using folder = await Folder.make({ [ROUTER]: CLOSING });
    await using proxy = new Starting(folder.file(ROUTER));
    await proxy.hears();
    proxy.kill("SIGHUP");
    await proxy.log.find("Listening on");
    await proxy.log.find("Reloaded: generation 2");
    assert.equal(proxy.log.count("Reloading: received HUP signal"), 1);
  });

  test("QUIT that comes while the program loads stops it with status 0", async () => {
    await using folder = await Folder.make({ [ROUTER]: CLOSING });
    await using proxy = new Starting(folder.file(ROUTER));
    await proxy.hears();
    proxy.kill("SIGQUIT");
    const { code, signal } = await proxy.status;
    assert.deepEqual([code, signal], [0, null]);
    await proxy.log.find("Received QUIT signal");
  });

  test("USR2 that comes while the program loads logs the counters", async () => {
    await using folder = await Folder.make({ [ROUTER]: CLOSING });
    await using proxy = new Starting(folder.file(ROUTER));
    await proxy.hears();
    proxy.kill("SIGUSR2");
    await proxy.log.find("Connections: 0/0/0 (current/maximum/total)");
    await proxy.log.find("Listening on");
  });

  test("a broken router is an error of one line whatever signal has come", async () => {
    await using folder = await Folder.make({ [ROUTER]: "export const a = 1;" });
    await using proxy = new Starting(folder.file(ROUTER));
    await proxy.hears();
    proxy.kill("SIGHUP");
    assert.equal((await proxy.status).code, 2);
    await proxy.log.ended;
    assert.equal(proxy.log.all.length, 1, proxy.log.all.join("\n"));
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
    await new Promise((resolve) => setTimeout(resolve));
  }
  const { code, signal } = await ended;
  assert.deepEqual([code, signal], [0, null]);
});
