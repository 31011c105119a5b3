/**
 * Writing lines to a file or a stream that may be slow, stuck or closed.
 *
 * @module
 */

/** Characters that may wait to be written; more are dropped and counted. */
const MAX_WAITING = 8 * 1024 * 1024;

/** The part of a file that is written to. */
export interface Sink {
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Writes text in the order in which it is given, without ever making the caller
 * wait. What the sink does not take in time is dropped and counted, never kept
 * without bound.
 */
export class LineWriter {
  readonly #sink: Sink;
  readonly #onTrouble: (message: string) => void;
  readonly #onDropped: (lines: number) => void;
  readonly #encoder = new TextEncoder();
  #waiting: string[] = [];
  #length = 0;
  #dropped = 0;
  #broken = false;
  #writing: Promise<void> | undefined;

  /**
   * @param sink Where to write; the caller closes it after `flush`.
   * @param onTrouble Is told, in one line, of lines that were dropped and of a
   * sink that takes no more.
   * @param onDropped Counts the lines that were dropped.
   */
  constructor(
    sink: Sink,
    onTrouble: (message: string) => void,
    onDropped: (lines: number) => void = () => {},
  ) {
    this.#sink = sink;
    this.#onTrouble = onTrouble;
    this.#onDropped = onDropped;
  }

  /**
   * Takes text to write.
   *
   * @param text Whole lines, each with its newline.
   */
  write(text: string): void {
    if (this.#broken) return;
    if (this.#length + text.length > MAX_WAITING) {
      const lines = countLines(text);
      this.#dropped += lines;
      this.#onDropped(lines);
      return;
    }
    this.#waiting.push(text);
    this.#length += text.length;
    this.#writing ??= this.#drain();
  }

  /**
   * Waits until all is written.
   *
   * @param milliseconds To wait, at most, for a sink that is stuck.
   */
  async flush(milliseconds: number): Promise<void> {
    if (this.#writing === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([this.#writing, promise]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = this.#encoder.encode(this.#waiting.join(""));
        this.#waiting = [];
        this.#length = 0;
        for (let at = 0; at < bytes.length;) {
          at += await this.#sink.write(bytes.subarray(at));
        }
        this.#reportDropped();
      }
    } catch (error) {
      this.#broken = true;
      this.#waiting = [];
      this.#onTrouble(
        `Cannot write the log, and go on without: ${
          error instanceof Error ? error.message : error
        }`,
      );
    } finally {
      this.#writing = undefined;
    }
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#onTrouble(`Dropped ${dropped} lines as the log is read too slowly`);
  }
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    count++;
  }
  return count;
}
