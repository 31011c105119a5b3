/**
 * Where the main thread writes: the operational log, and the access log.
 *
 * @module
 */
import { ConfigError } from "../lib/config_error.ts";
import { messageOf } from "../lib/errors.ts";
import { LineWriter, type Sink } from "./line_writer.ts";
import type { Format } from "./access_log.ts";
import type { Level } from "./log.ts";
import { Troubles } from "./recent_problems.ts";
import { type MainLog, mainLog } from "./main_log.ts";
import type { Batch } from "./outbox.ts";

/** Milliseconds to wait at the end for a log that is stuck. */
const FLUSH_TIME = 1000;

/** Milliseconds that it may take to open the access log. */
const OPEN_TIME = 5000;

/** Where and how to write. */
export interface LogOptions {
  readonly logLevel: Level;
  readonly logFormat: Format;
  /** A path, `-` for standard output, or `off`. */
  readonly accessLog: string;
}

/** A sink, and how to be rid of it. */
interface Output extends Sink {
  close?(): void;
}

/** An access log that nobody wants. */
const NOWHERE: Output = {
  write: (bytes) => Promise.resolve(bytes.length),
};

/** The logs of the program. Once per process. */
export class Outputs {
  /** The operational log. */
  log: MainLog;
  /** Its last warnings and errors. */
  readonly troubles: Troubles = new Troubles();
  readonly #onDropped: (lines: number) => void;
  readonly #errors: LineWriter;
  readonly #access: LineWriter;
  #options: LogOptions;
  #output: Output;

  private constructor(
    options: LogOptions,
    output: Output,
    onDropped: (lines: number) => void,
  ) {
    this.#onDropped = onDropped;
    this.#errors = new LineWriter(Deno.stderr, { onDropped });
    this.#options = options;
    this.#output = output;
    this.log = this.#makeLog(options);
    this.#access = new LineWriter(output, {
      onTrouble: (message) =>
        this.log.warn("Access log: {message}", { message }),
      onDropped,
    });
  }

  /**
   * Opens the logs.
   *
   * @param options Where to, and how.
   * @param onDropped Counts the lines that were dropped.
   * @throws {ConfigError} If the access log cannot be opened.
   */
  static async open(
    options: LogOptions,
    onDropped: (lines: number) => void,
  ): Promise<Outputs> {
    return new Outputs(options, await openOutput(options.accessLog), onDropped);
  }

  /** Writes what a worker has for both logs. */
  take({ log, access, dropped }: Batch, worker: string): void {
    // the clock of a worker may be no later than now, whatever it says
    const now = Date.now();
    for (const line of log) {
      const time = Math.min(line.time, now);
      this.log.line({ ...line, time, fields: { ...line.fields, worker } });
    }
    if (access !== "") this.#access.write(access);
    if (dropped <= 0) return;
    this.#onDropped(dropped);
    this.log.warn(
      "Dropped {lines} lines of worker {worker} as there were too many",
      { lines: dropped, worker },
    );
  }

  /**
   * Opens the access log once more, as its file may have been moved away. If
   * that fails, it goes on with the one that it has, and logs why.
   */
  async reopen(): Promise<void> {
    const { accessLog } = this.#options;
    if (accessLog === "off" || accessLog === "-") return;
    try {
      this.#use(await openOutput(accessLog));
      this.log.info("Opened the access log {file} once more", {
        file: accessLog,
      });
    } catch (error) {
      this.log.error(
        "{error}; going on with the file that is open",
        { error: messageOf(error) },
      );
    }
  }

  /**
   * Prepares other options: opens what they name.
   *
   * @returns What is to be called to write as they say, or to leave it.
   * @throws {ConfigError} If the access log cannot be opened.
   */
  async prepare(
    options: LogOptions,
  ): Promise<{ commit(): void; cancel(): void }> {
    const output = options.accessLog === this.#options.accessLog
      ? undefined
      : await openOutput(options.accessLog);
    return {
      commit: () => {
        const { logLevel, logFormat } = this.#options;
        this.#options = options;
        if (options.logLevel !== logLevel || options.logFormat !== logFormat) {
          this.log = this.#makeLog(options);
        }
        if (output !== undefined) this.#use(output);
      },
      cancel: () => output?.close?.(),
    };
  }

  /** Writes what is left, unless a log is stuck or full; says what was not. */
  async flush(): Promise<void> {
    const lost = await this.#access.flush(FLUSH_TIME);
    if (lost > 0) {
      this.log.warn("Access log: {lines} lines could not be written", {
        lines: lost,
      });
    }
    await this.#errors.flush(FLUSH_TIME);
  }

  #makeLog({ logLevel, logFormat }: LogOptions): MainLog {
    return mainLog(logLevel, logFormat, this.#errors, this.troubles);
  }

  #use(output: Output): void {
    const before = this.#output;
    this.#output = output;
    // one that is stuck stays open: nothing waits for it
    void this.#access.replace(output).then(() => before.close?.());
  }
}

/** A file, unless it takes too long to open it: a pipe waits for its reader. */
async function inTime(opening: Promise<Deno.FsFile>): Promise<Deno.FsFile> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(
      new Error(
        `it must be opened within ${
          OPEN_TIME / 1000
        } seconds, so a pipe needs a reader`,
      ),
    );
    opening.then((file) => file.close(), () => {}); // nobody waits for it
  }, OPEN_TIME);
  try {
    return await Promise.race([opening, promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function openOutput(path: string): Promise<Output> {
  if (path === "off") return NOWHERE;
  // not to be closed: Deno.stdout itself is never given away
  if (path === "-") return { write: (bytes) => Deno.stdout.write(bytes) };
  try {
    return await inTime(Deno.open(path, { append: true, create: true }));
  } catch (error) {
    throw new ConfigError(
      `Cannot open the access log ${path}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
