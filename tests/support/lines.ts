/**
 * Lines of a stream, awaited.
 *
 * @module
 */

/** Milliseconds that a line may take to come. */
const PATIENCE = 120_000;

/** Lines of a stream, kept, and awaited. */
export class Lines {
  /** All lines so far. */
  readonly all: string[] = [];
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #over = false;

  /** Starts reading. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stream);
  }

  /**
   * Waits for a line, which may have come already.
   *
   * @param pattern What it contains, or matches.
   * @returns The first such line.
   */
  async find(pattern: string | RegExp): Promise<string> {
    const until = performance.now() + PATIENCE;
    for (;;) {
      const line = this.all.find((line) =>
        typeof pattern === "string"
          ? line.includes(pattern)
          : pattern.test(line)
      );
      if (line !== undefined) return line;
      if (this.#over) {
        throw new Error(`No line ${pattern} in:\n${this.all.join("\n")}`);
      }
      await this.#more(pattern, until);
    }
  }

  /**
   * Waits for several lines, which may have come already.
   *
   * @param pattern What each contains, or matches.
   * @param count How many.
   * @returns All such lines so far.
   */
  async findAll(pattern: string | RegExp, count: number): Promise<string[]> {
    const until = performance.now() + PATIENCE;
    while (this.count(pattern) < count) {
      if (this.#over) {
        throw new Error(
          `Only ${this.count(pattern)} of ${count} lines ${pattern} in:\n${
            this.all.join("\n")
          }`,
        );
      }
      await this.#more(pattern, until);
    }
    return this.all.filter((line) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line)
    );
  }

  /** Counts the lines so far that contain, or match, a pattern. */
  count(pattern: string | RegExp): number {
    return this.all.filter((line) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line)
    ).length;
  }

  /** Waits for another line, or the end. */
  async #more(pattern: string | RegExp, until: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () =>
        reject(new Error(`${pattern} did not come:\n${this.all.join("\n")}`)),
      until - performance.now(),
    );
    this.#waiting.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(resolve);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (
      const text of stream.pipeThrough(
        new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
      )
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.all.push(...lines);
      this.#wake();
    }
    if (rest !== "") this.all.push(rest);
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
