/**
 * Writing lines to a file or a stream that may be slow, stuck, full or closed.
 *
 * @module
 */
import { messageOf } from "../lib/errors.ts";
import { plural } from "../lib/plural.ts";

/** Characters that may wait to be written; more are dropped and counted. */
const MAX_WAITING = 8 * 1024 * 1024;

/** Milliseconds before a sink that has failed is tried again. */
const PAUSE = 1000;

const LF = 0x0a;

/** Lines that are being written. */
interface Chunk {
  readonly bytes: Uint8Array;
  /** How many of them the sink has taken. */
  at: number;
}

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
  /** Of the sink, and of those of before that have not taken theirs. */
  readonly #chunks = new Set<Chunk>();
  #dropped = 0;
  /** Why they were. */
  #reason = "";
  /** The sink has failed, and was not written to since. */
  #failing = false;
  /** The time to write is over: a sink that fails is not tried again. */
  #ending = false;
  #writing: Promise<void> | undefined;
  /** What is not written to a sink that has failed, until it is tried again. */
  #resting: Chunk | undefined;
  /** Ends the pause. */
  #wake: () => void = () => {};

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
    this.#writing ??= this.#drain(this.#sink);
  }

  /**
   * Writes to another sink from the next lines on, at once, whatever the one of
   * before does. What that one is writing it may finish; if it fails, the other
   * one gets the rest.
   *
   * @returns When the one of before may be closed; never if it is stuck.
   */
  async replace(sink: Sink): Promise<void> {
    const before = this.#writing;
    this.#sink = sink;
    this.#writing = undefined;
    const resting = this.#resting;
    this.#resting = undefined;
    this.#wake();
    if (resting !== undefined) this.#giveBack(resting);
    else if (this.#length > 0) this.#writing = this.#drain(sink);
    await before;
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
    let lines = countLines(this.#waiting) + this.#dropped;
    for (const { bytes, at } of this.#chunks) {
      lines += bytes.subarray(at).filter((byte) => byte === LF).length;
    }
    return lines;
  }

  /** Writes all that waits, as long as the sink is the one to write to. */
  async #drain(sink: Sink): Promise<void> {
    while (sink === this.#sink) {
      const chunk = this.#take();
      if (chunk === undefined) break;
      if (!await this.#writeTo(sink, chunk)) break;
    }
    if (sink === this.#sink) this.#writing = undefined;
  }

  /** Makes bytes of what waits. */
  #take(): Chunk | undefined {
    this.#reportDropped();
    if (this.#length === 0) return undefined;
    const bytes = this.#encoder.encode(this.#waiting.join(""));
    this.#waiting = [];
    this.#length = 0;
    const chunk: Chunk = { bytes, at: 0 };
    this.#chunks.add(chunk);
    return chunk;
  }

  /**
   * Writes bytes, again and again if that fails.
   *
   * @returns Whether all are written; otherwise the rest waits once more.
   */
  async #writeTo(sink: Sink, chunk: Chunk): Promise<boolean> {
    while (chunk.at < chunk.bytes.length) {
      try {
        chunk.at += await sink.write(chunk.bytes.subarray(chunk.at));
        if (sink === this.#sink) this.#succeeded();
      } catch (error) {
        if (sink !== this.#sink || this.#ending) {
          if (sink === this.#sink) this.#failed(error);
          this.#giveBack(chunk, sink);
          return false;
        }
        this.#failed(error);
        await this.#rest(chunk);
        // what is left was given back
        if (sink !== this.#sink) return false;
      }
    }
    this.#chunks.delete(chunk);
    return true;
  }

  /** Lets what a sink did not take wait once more, in front of all others. */
  #giveBack(chunk: Chunk, sink?: Sink): void {
    const { bytes } = chunk;
    let { at } = chunk;
    this.#chunks.delete(chunk);
    const replaced = sink !== this.#sink;
    // no half of a line is for another sink
    if (replaced && at > 0 && bytes[at - 1] !== LF) {
      at = bytes.indexOf(LF, at) + 1;
      this.#count(1);
    }
    const rest = new TextDecoder().decode(bytes.subarray(at));
    this.#waiting.unshift(rest);
    this.#length += rest.length;
    if (replaced) this.#writing ??= this.#drain(this.#sink);
  }

  /** Waits before the next try, unless there is a reason not to. */
  async #rest(chunk: Chunk): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#pause);
    this.#wake = resolve;
    this.#resting = chunk;
    await promise;
    clearTimeout(timer);
    if (this.#resting === chunk) this.#resting = undefined;
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
      `Dropped ${plural(dropped, "line")} as ${this.#reason}`,
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
