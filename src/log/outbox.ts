/**
 * What a worker has to say, sent to the main thread in batches, so that no
 * line costs the data path more than an element of an array.
 *
 * @module
 */
import { type Level, LEVELS, type Log } from "./log.ts";

/** Lines of a worker since its last batch. */
export interface Batch {
  readonly type: "lines";
  /** Lines for the operational log. */
  readonly log: readonly (readonly [level: Level, message: string])[];
  /** Lines for the access log, each with its newline; empty for none. */
  readonly access: string;
  /** How many lines were dropped as there were too many. */
  readonly dropped: number;
}

/** Milliseconds between two batches. */
const INTERVAL = 50;

/** Lines of each kind in a batch, at most; more are dropped and counted. */
const MAX_LINES = 20_000;

/** Characters of one line of the log, at most. */
const MAX_LENGTH = 4096;

/** Collects lines and sends them. */
export class Outbox implements Log {
  readonly #send: (batch: Batch) => void;
  readonly #level: number;
  #log: [Level, string][] = [];
  #access = "";
  #accessLines = 0;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param send Takes a batch to the main thread.
   * @param level The least important level to send.
   */
  constructor(send: (batch: Batch) => void, level: Level) {
    this.#send = send;
    this.#level = LEVELS.indexOf(level);
  }

  get verbose(): boolean {
    return this.#level >= LEVELS.indexOf("debug");
  }

  error(message: string): void {
    this.#add("error", message);
  }

  warn(message: string): void {
    this.#add("warn", message);
  }

  info(message: string): void {
    this.#add("info", message);
  }

  debug(message: string): void {
    this.#add("debug", message);
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

  #add(level: Level, message: string): void {
    if (LEVELS.indexOf(level) > this.#level) return;
    if (this.#log.length === MAX_LINES) {
      this.#dropped++;
      return;
    }
    this.#log.push([
      level,
      message.length > MAX_LENGTH
        ? `${message.slice(0, MAX_LENGTH)}…`
        : message,
    ]);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL);
  }
}
