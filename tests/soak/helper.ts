/**
 * A process of the soak test beside the proxy. It ends with its standard input,
 * so it never outlives the test.
 *
 * @module
 */
import { Lines } from "../support/lines.ts";

/** A module of this folder that runs as a process of its own. */
export class Helper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: Lines;

  /**
   * Starts a module.
   *
   * @param file Its name in this folder.
   * @param task What it has to do, as JSON in its first argument.
   */
  constructor(file: string, task: unknown) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--no-check"],
        ...["--allow-net", "--allow-read", "--allow-env"],
        new URL(file, import.meta.url).pathname,
        JSON.stringify(task),
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = new Lines(this.#child.stdout);
  }

  /**
   * Waits for a line of JSON with this `type`.
   *
   * @returns The first one.
   */
  async hear<Message extends { type: string }>(
    type: Message["type"],
  ): Promise<Message> {
    return JSON.parse(await this.#lines.find(`{"type":"${type}"`));
  }

  /** Tells it to come to its end, which it does in its own time. */
  async stop(): Promise<void> {
    await this.#child.stdin.close();
  }

  /** Resolves when the process has ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Ends it at once, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await this.#lines.ended;
    await this.#child.stdin.close().catch(() => {}); // it was told to stop
  }
}

/** Says something to the process that has started this one. */
export function tell(message: { type: string }): void {
  console.log(JSON.stringify(message));
}

/** Resolves when the process that has started this one wants it to end. */
export async function untilStopped(): Promise<void> {
  await Deno.stdin.readable.pipeTo(new WritableStream());
}
