/**
 * The lines of a worker for both logs, sent to the main thread in batches, so
 * that no line costs the data path more than an element of an array.
 *
 * @module
 */
import { type FieldValue, type Level, type Line, makeLog } from "./log.ts";
import type { Log, LogMethod } from "./log.ts";

/** Lines of a worker since its last batch. */
export interface Batch {
  readonly type: "lines";
  /** Lines for the operational log. */
  readonly log: readonly Line[];
  /** Lines for the access log, each with its newline; empty for none. */
  readonly access: string;
  /** How many lines were dropped as there were too many. */
  readonly dropped: number;
}

/** Milliseconds between two batches. */
const INTERVAL = 50;

/**
 * Lines of the log within an interval that are sent at once: they are in order
 * with those of other threads, and known even if the worker is stuck right after.
 */
const PROMPT_LINES = 10;

/** Lines of each kind in a batch, at most; more are dropped and counted. */
const MAX_LINES = 20_000;

/** Characters of the text of a line, and of its fields together, at most. */
export const MAX_LENGTH = 4096;

/** Collects lines and sends them. */
export class Outbox implements Log {
  readonly error: LogMethod;
  readonly warn: LogMethod;
  readonly info: LogMethod;
  readonly debug: LogMethod;
  readonly verbose: boolean;
  readonly #send: (batch: Batch) => void;
  #log: Line[] = [];
  #access = "";
  #accessLines = 0;
  #dropped = 0;
  /** Lines of the log since the last interval. */
  #prompt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param send Takes a batch to the main thread.
   * @param level The least important level to send.
   */
  constructor(send: (batch: Batch) => void, level: Level) {
    this.#send = send;
    ({
      error: this.error,
      warn: this.warn,
      info: this.info,
      debug: this.debug,
      verbose: this.verbose,
    } = makeLog(level, (line) => this.#add(line)));
  }

  /**
   * Adds a line to the access log.
   *
   * @param line With its newline.
   */
  access(line: string): void {
    if (this.#accessLines === MAX_LINES) {
      this.#dropped++;
      return;
    }
    this.#accessLines++;
    this.#access += line;
    this.#schedule();
  }

  /** Sends what there is, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#prompt = 0;
    this.#sendAll();
  }

  #sendAll(): void {
    if (this.#log.length + this.#accessLines === 0) return;
    this.#send({
      type: "lines",
      log: this.#log,
      access: this.#access,
      dropped: this.#dropped,
    });
    this.#log = [];
    this.#access = "";
    this.#accessLines = 0;
    this.#dropped = 0;
  }

  #add(line: Line): void {
    if (this.#log.length === MAX_LINES) {
      this.#dropped++;
      return;
    }
    this.#log.push(shortened(line));
    this.#schedule();
    if (++this.#prompt <= PROMPT_LINES) this.#sendAll();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL);
  }
}

/** Cuts off what is more than may be sent. */
function shortened(line: Line): Line {
  let room = MAX_LENGTH;
  const shorten = (value: FieldValue): FieldValue => {
    if (typeof value !== "string") return value;
    const text = value.length > room ? `${value.slice(0, room)}…` : value;
    room = Math.max(0, room - value.length);
    return text;
  };
  return {
    ...line,
    fields: Object.fromEntries(
      Object.entries(line.fields).map((
        [name, value],
      ) => [name, shorten(value)]),
    ),
  };
}
