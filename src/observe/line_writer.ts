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
  #sink: Sink;
  readonly #onTrouble: (message: string) => void;
  readonly #onDropped: (lines: number) => void;
  readonly #encoder = new TextEncoder();
  #waiting: string[] = [];
  #length = 0;
  #dropped = 0;
  #broken = false;
  #writing: Promise<void> | undefined;
  /** Told when the sinks of before are not used any more. */
  #onReplaced: (() => void)[] = [];

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
    if (this.#length + text.length > MAX_WAITING) return this.#drop(text);
    this.#waiting.push(text);
    this.#length += text.length;
    this.#writing ??= this.#drain();
  }

  /**
   * Writes to another sink from the next lines on, also if the one of before is
   * broken.
   *
   * @param sink Where to write.
   * @returns When the one of before may be closed.
   */
  async replace(sink: Sink): Promise<void> {
    this.#sink = sink;
    this.#broken = false;
    if (this.#writing === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onReplaced.push(resolve);
    await promise;
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
    while (this.#waiting.length > 0) {
      const sink = this.#sink;
      const bytes = this.#encoder.encode(this.#waiting.join(""));
      this.#waiting = [];
      this.#length = 0;
      try {
        for (let at = 0; at < bytes.length;) {
          at += await sink.write(bytes.subarray(at));
        }
      } catch (error) {
        this.#failed(sink, error);
      }
      for (const resolve of this.#onReplaced.splice(0)) resolve();
      this.#reportDropped();
    }
    this.#writing = undefined;
  }

  /** Gives a sink up, unless it is replaced already. */
  #failed(sink: Sink, error: unknown): void {
    if (sink === this.#sink) {
      this.#broken = true;
      this.#waiting = [];
      this.#length = 0;
    }
    this.#onTrouble(
      `Cannot write the log, and go on without: ${
        error instanceof Error ? error.message : error
      }`,
    );
  }

  /** Says at once that lines are dropped, and how many when it is over. */
  #drop(text: string): void {
    if (this.#dropped === 0) {
      this.#onTrouble("Dropping lines as the log is read too slowly");
    }
    const lines = countLines(text);
    this.#dropped += lines;
    this.#onDropped(lines);
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
