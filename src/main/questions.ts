/**
 * What a worker is asked while it serves.
 *
 * @module
 */
import type { Question } from "../worker/messages.ts";

/** Milliseconds that a worker may take to answer. */
const ANSWER_TIME = 1000;

/** Questions to one worker, each with a number, which its answer has, too. */
export class Questions {
  readonly #send: (question: Question) => void;
  /** Who waits for answers, by the numbers of the questions. */
  readonly #asked = new Map<number, (answer: unknown) => void>();
  #count = 0;

  constructor(send: (question: Question) => void) {
    this.#send = send;
  }

  /**
   * Asks.
   *
   * @returns The answer, which may be anything; `undefined` if it does not come
   * in time, as a worker that is stuck must not keep others waiting.
   */
  async ask(make: (request: number) => Question): Promise<unknown> {
    const request = ++this.#count;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#asked.set(request, resolve);
    const timer = setTimeout(resolve, ANSWER_TIME);
    this.#send(make(request));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(request);
    }
  }

  /**
   * Takes an answer, which may be anything; one that nobody waits for is dropped.
   */
  answer(request: number, answer: unknown): void {
    this.#asked.get(request)?.(answer);
  }

  /** Answers all with `undefined`, as the worker has ended. */
  end(): void {
    for (const answer of this.#asked.values()) answer(undefined);
  }
}
