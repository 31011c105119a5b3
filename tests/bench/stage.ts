/**
 * The processes, files and ports of one run, and the promise that none of them
 * outlives it.
 *
 * @module
 */

import {
  firstEphemeralPort,
  isListening,
  isRunning,
  processTree,
} from "./proc.ts";
import { delay } from "../support/delay.ts";

/**
 * A process that this run started, with what is needed to talk about it and to
 * end it.
 */
export interface Child {
  readonly pid: number;
  readonly name: string;
  /** How and why it ended, or `undefined` while it runs. */
  ended(): string | undefined;
  /**
   * Ends it and everything that it started at once; resolves when all of them
   * are gone.
   */
  kill(): Promise<void>;
  /** Asks it to stop with SIGTERM and waits; it is killed after `seconds`. */
  terminate(seconds: number): Promise<void>;
}

/** What a command printed. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * How much of a child's standard error is kept for the message in which it may
 * be needed.
 */
const KEPT_STDERR = 2_000;

/**
 * Owns a temporary directory and every child. Dispose of it, or call {@linkcode
 * Stage.clear} where nothing can be awaited any more (a signal), and all of it
 * is gone.
 */
export class Stage implements AsyncDisposable {
  readonly dir: string = Deno.makeTempDirSync({
    prefix: "proxymachine-bench-",
  });
  readonly #children = new Map<number, Child>();
  readonly #taken = new Set<number>();

  constructor() {
    // A peer may run under another user (nginx drops root) and must still reach
    // its files.
    Deno.chmodSync(this.dir, 0o755);
  }

  /** Writes a configuration file for a peer and returns its path. */
  write(name: string, text: string): string {
    const path = `${this.dir}/${name}`;
    Deno.writeTextFileSync(path, text);
    return path;
  }

  /**
   * A port that is free now, below those that outgoing connections are given.
   */
  port(): number {
    const end = firstEphemeralPort();
    for (let attempt = 0; attempt < 1_000; attempt++) {
      const port = 10_000 + Math.floor(Math.random() * (end - 10_000));
      if (this.#taken.has(port)) continue;
      try {
        Deno.listen({ hostname: "127.0.0.1", port }).close();
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) continue;
        throw error;
      }
      this.#taken.add(port);
      return port;
    }
    throw new Error(`Cannot find a free port between 10000 and ${end}`);
  }

  /** Starts a process that lives until it is killed or the stage is cleared. */
  spawn(name: string, command: readonly string[]): Child {
    const { process } = this.#start(name, command, "null");
    return this.#adopt(name, process);
  }

  /** Starts a process whose standard input and output the caller talks to. */
  converse(
    name: string,
    command: readonly string[],
  ): { child: Child; process: Deno.ChildProcess } {
    const { process } = this.#start(name, command, "piped");
    return { child: this.#adopt(name, process), process };
  }

  /**
   * Runs a command to its end. It is killed with the stage like any other
   * child.
   */
  async run(command: readonly string[]): Promise<Output> {
    const [program = "", ...args] = command;
    const process = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#children.set(
      process.pid,
      killable(process, program, () => undefined),
    );
    try {
      const { code, stdout, stderr } = await process.output();
      const decoder = new TextDecoder();
      return {
        code,
        stdout: decoder.decode(stdout),
        stderr: decoder.decode(stderr),
      };
    } finally {
      this.#children.delete(process.pid);
    }
  }

  /**
   * Waits until something listens on `port`.
   *
   * @throws If the child ends first, with what it said; or after ten seconds.
   */
  async listening(child: Child, port: number): Promise<void> {
    for (let waited = 0; waited < 10_000; waited += 20) {
      if (isListening(port)) return;
      const reason = child.ended();
      if (reason !== undefined) {
        throw new Error(`${child.name} ended at once: ${reason}`);
      }
      await delay(20);
    }
    throw new Error(`${child.name} does not listen on port ${port} after 10 s`);
  }

  /**
   * Kills every child and removes the directory, without waiting for anything.
   */
  clear(): void {
    for (const pid of this.#children.keys()) killTree(pid);
    this.#children.clear();
    try {
      Deno.removeSync(this.dir, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      Array.from(this.#children.values(), (child) => child.kill()),
    );
    this.clear();
  }

  #start(name: string, command: readonly string[], stdio: "null" | "piped") {
    const [program = "", ...args] = command;
    try {
      const process = new Deno.Command(program, {
        args,
        stdin: stdio,
        stdout: stdio,
        stderr: "piped",
        env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      }).spawn();
      return { process };
    } catch (cause) {
      throw new Error(`Cannot start ${name} as \`${command.join(" ")}\``, {
        cause,
      });
    }
  }

  #adopt(name: string, process: Deno.ChildProcess): Child {
    let stderr = "";
    let status: Deno.CommandStatus | undefined;
    process.status.then((value) => {
      status = value;
      // From now on the number may belong to a stranger.
      this.#children.delete(process.pid);
    });
    const kept = new WritableStream<string>({
      write(text) {
        stderr = (stderr + text).slice(-KEPT_STDERR);
      },
    });
    // The pipe breaks when the child is killed, and that is no news.
    process.stderr.pipeThrough(new TextDecoderStream()).pipeTo(kept).catch(
      () => {},
    );
    const child = killable(process, name, () => {
      return status &&
        `${status.signal ?? `status ${status.code}`} ${stderr.trim()}`;
    });
    this.#children.set(process.pid, child);
    return child;
  }
}

function killable(
  process: Deno.ChildProcess,
  name: string,
  ended: () => string | undefined,
): Child {
  const kill = async () => {
    const members = ended() === undefined ? killTree(process.pid) : [];
    await process.status;
    while (members.some(isRunning)) {
      await delay(10);
    }
  };
  const terminate = async (seconds: number) => {
    if (ended() === undefined) process.kill("SIGTERM");
    const timer = setTimeout(() => killTree(process.pid), seconds * 1_000);
    await process.status;
    clearTimeout(timer);
  };
  return { pid: process.pid, name, ended, kill, terminate };
}

/**
 * Kills parents before children, so that a master cannot replace its worker.
 */
function killTree(pid: number): number[] {
  const members = processTree(pid);
  for (const member of members) {
    if (!isRunning(member)) continue;
    try {
      Deno.kill(member, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && isRunning(member)) {
        throw error;
      }
    }
  }
  return members;
}
