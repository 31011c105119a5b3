/**
 * Writing lines to a file or a stream that may be slow, stuck, full or closed.
 *
 * @module
 */
import { messageOf } from "../errors.ts";

/** Characters that may wait to be written; more are dropped and counted. */
const MAX_WAITING = 8 * 1024 * 1024;

/** Milliseconds before a sink that has failed is tried again. */
const PAUSE = 1000;

const LF = 0x0a;

/** The part of a file that is written to. */
export interface Sink {
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What a {@linkcode LineWriter} tells. */
export interface LineWriterOptions {
  /**
   * Is told, in one line, of lines that were dropped and of a sink that fails.
   *
   * @default nobody
   */
  readonly onTrouble?: (message: string) => void;
  /**
   * Counts the lines that were dropped.
   *
   * @default nobody
   */
  readonly onDropped?: (lines: number) => void;
  /**
   * Milliseconds before a sink that has failed is tried again.
   *
   * @default 1000
   */
  readonly pause?: number;
}

/**
 * Writes text in the order in which it is given, without ever making the caller
 * wait. What the sink does not take waits, without bound in time but not in
 * size: what is too much is dropped and counted. A sink that fails, as a disk
 * that is full does, is tried again where it has failed, so that no line is
 * torn.
 */
export class LineWriter {
  #sink: Sink;
  readonly #onTrouble: (message: string) => void;
  readonly #onDropped: (lines: number) => void;
  readonly #pause: number;
  readonly #encoder = new TextEncoder();
  #waiting: string[] = [];
  #length = 0;
  /** What is being written, and how much of it has been. */
  #bytes = new Uint8Array(0);
  #at = 0;
  #dropped = 0;
  /** Why they were. */
  #reason = "";
  /** The sink has failed, and was not written to since. */
  #failing = false;
  /** The time to write is over: a sink that fails is not tried again. */
  #ending = false;
  #writing: Promise<void> | undefined;
  /** Ends the pause. */
  #wake: () => void = () => {};
  /** Told when the sinks of before are not used any more. */
  #onReplaced: (() => void)[] = [];

  /**
   * @param sink Where to write; the caller closes it after `flush`.
   * @param options Who is told of what.
   */
  constructor(sink: Sink, options: LineWriterOptions = {}) {
    this.#sink = sink;
    this.#onTrouble = options.onTrouble ?? (() => {});
    this.#onDropped = options.onDropped ?? (() => {});
    this.#pause = options.pause ?? PAUSE;
  }

  /**
   * Takes text to write.
   *
   * @param text Whole lines, each with its newline.
   */
  write(text: string): void {
    if (this.#length + text.length > MAX_WAITING) return this.#drop(text);
    this.#waiting.push(text);
    this.#length += text.length;
    this.#writing ??= this.#drain();
  }

  /**
   * Writes to another sink from the next lines on, also if the one of before
   * fails.
   *
   * @param sink Where to write.
   * @returns When the one of before may be closed.
   */
  async replace(sink: Sink): Promise<void> {
    this.#sink = sink;
    if (this.#writing === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onReplaced.push(resolve);
    this.#wake();
    await promise;
  }

  /**
   * Waits until all is written, or cannot be.
   *
   * @param milliseconds To wait, at most, for a sink that is stuck.
   * @returns How many lines are not written.
   */
  async flush(milliseconds: number): Promise<number> {
    if (this.#writing !== undefined) {
      this.#ending = true;
      this.#wake();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, milliseconds);
      await Promise.race([this.#writing, promise]);
      clearTimeout(timer);
      this.#ending = false;
    }
    const rest = this.#bytes.subarray(this.#at).filter((byte) => byte === LF);
    return rest.length + countLines(this.#waiting) + this.#dropped;
  }

  async #drain(): Promise<void> {
    while (this.#take()) {
      const sink = this.#sink;
      try {
        while (this.#at < this.#bytes.length) {
          this.#at += await sink.write(this.#bytes.subarray(this.#at));
          this.#succeeded();
        }
      } catch (error) {
        this.#failed(error);
        if (sink === this.#sink) {
          if (this.#ending) break;
          await this.#rest();
        }
      }
      if (sink !== this.#sink) this.#leave();
    }
    this.#writing = undefined;
  }

  /** Makes bytes of what waits, once all before is written. */
  #take(): boolean {
    if (this.#at < this.#bytes.length) return true;
    this.#reportDropped();
    this.#bytes = this.#encoder.encode(this.#waiting.join(""));
    this.#at = 0;
    this.#waiting = [];
    this.#length = 0;
    return this.#bytes.length > 0;
  }

  /** Leaves a sink to another one, to which no half of a line belongs. */
  #leave(): void {
    if (this.#at > 0 && this.#bytes[this.#at - 1] !== LF) {
      this.#at = this.#bytes.indexOf(LF, this.#at) + 1;
      this.#count(1);
    }
    for (const resolve of this.#onReplaced.splice(0)) resolve();
  }

  /** Waits before the next try, unless there is a reason not to. */
  async #rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#pause);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = () => {};
  }

  #failed(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#onTrouble(
      `Cannot write the log, which is tried again each second: ${
        messageOf(error)
      }`,
    );
  }

  #succeeded(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#onTrouble("The log can be written again");
  }

  /** Says at once that lines are dropped, and how many when it is over. */
  #drop(text: string): void {
    const first = this.#dropped === 0;
    this.#count(countLines([text]));
    if (first) this.#onTrouble(`Dropping lines as ${this.#reason}`);
  }

  #count(lines: number): void {
    if (this.#dropped === 0) {
      this.#reason = this.#failing
        ? "the log cannot be written"
        : "the log is read too slowly";
    }
    this.#dropped += lines;
    this.#onDropped(lines);
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#onTrouble(
      `Dropped ${dropped} ${
        dropped === 1 ? "line" : "lines"
      } as ${this.#reason}`,
    );
  }
}

function countLines(texts: readonly string[]): number {
  let count = 0;
  for (const text of texts) {
    for (
      let at = text.indexOf("\n");
      at >= 0;
      at = text.indexOf("\n", at + 1)
    ) count++;
  }
  return count;
}
