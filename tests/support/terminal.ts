/**
 * A program at a terminal.
 *
 * @module
 */
import { Lines } from "./lines.ts";
import { need } from "./run.ts";

/** A program at a terminal of its own. */
export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  /** What it has shown. */
  readonly screen: Lines;

  /**
   * Starts the program.
   *
   * @param command The program and its arguments.
   */
  constructor(command: readonly string[]) {
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    this.#child = new Deno.Command(need("script", "bsdutils"), {
      // exec: a shell that waits for it would die of a Ctrl+C, too
      args: ["-qefc", `exec ${quoted.join(" ")}`, "/dev/null"],
      env: { SHELL: "/bin/sh" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.screen = new Lines(this.#child.stdout);
  }

  /** Resolves when the program has ended; its exit status. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Types a text, which nobody reads if the program has ended. */
  async type(text: string): Promise<void> {
    try {
      await this.#keyboard.write(new TextEncoder().encode(text));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  /**
   * Answers a prompt until a line comes: Deno drops what was typed before it
   * has begun to read the answer, and does not show when that is.
   *
   * @param answer What to type.
   * @param pattern What the line contains, or matches.
   */
  async answerUntil(
    answer: string,
    pattern: string | RegExp,
  ): Promise<string> {
    const timer = setInterval(() => this.type(`${answer}\n`), 100);
    try {
      return await this.screen.find(pattern);
    } finally {
      clearInterval(timer);
    }
  }

  /** Hangs up, which ends the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#keyboard.close().catch(() => {});
    await this.#child.status;
    await this.screen.ended;
  }
}
