/**
 * A Redis server of a test.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Folder } from "./folder.ts";
import { Lines } from "./lines.ts";
import { unusedPort } from "./ports.ts";
import { need, run } from "./run.ts";

/** redis-server on a port of 127.0.0.1, which a test starts and stops. */
export class Redis implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number = unusedPort();
  readonly #folder: Folder;
  readonly #args: readonly string[];
  #child: Deno.ChildProcess | undefined;
  #log: Lines | undefined;

  private constructor(folder: Folder, args: readonly string[]) {
    this.#folder = folder;
    this.#args = args;
  }

  /**
   * Starts a server, which has nothing and keeps nothing.
   *
   * @param args More arguments, such as `--requirepass`, `secret`.
   */
  static async start(...args: readonly string[]): Promise<Redis> {
    const redis = new Redis(await Folder.make(), args);
    await redis.start();
    return redis;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `redis://127.0.0.1:port`. */
  get url(): string {
    return `redis://${this.address}`;
  }

  /** Starts it once more, at the same port. */
  async start(): Promise<void> {
    need("redis-server", "redis-server");
    const child = new Deno.Command("redis-server", {
      args: [
        ...["--port", String(this.port), "--bind", "127.0.0.1"],
        ...["--save", "", "--dir", this.#folder.path],
        ...this.#args,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#child = child;
    this.#log = new Lines(child.stdout);
    await this.#log.find("Ready to accept connections");
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#child?.kill(signal);
  }

  /** Kills it, so that it closes its connections without a word. */
  async stop(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.status;
    await this.#log?.ended;
    this.#child = undefined;
  }

  /** Runs a command by redis-cli; gives what it prints. */
  async command(...words: readonly string[]): Promise<string> {
    need("redis-cli", "redis-tools");
    return await this.commands(words);
  }

  /** Runs commands by one redis-cli; words have no quotes. */
  async commands(...lines: readonly (readonly string[])[]): Promise<string> {
    const text = lines.map((words) =>
      `${words.map((word) => JSON.stringify(word)).join(" ")}\n`
    );
    const { code, stdout, stderr } = await run(
      ["redis-cli", "-p", String(this.port), "-e"],
      text.join(""),
    );
    assertEquals(code, 0, stdout + stderr);
    return stdout;
  }

  /** Stops it, and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.stop();
    await this.#folder[Symbol.asyncDispose]();
  }
}
