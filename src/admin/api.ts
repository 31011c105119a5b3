/**
 * The API of the admin server: what the program does, as JSON.
 *
 * @module
 */
import type { Answer } from "./answer.ts";
import { notAllowed } from "./answer.ts";
import { configurationOf } from "./config.ts";
import type { Source } from "./source.ts";
import { statusOf } from "./status.ts";

/** Answers a call; the parameters are those of the URL. */
type Handler = (parameters: URLSearchParams) => unknown;

/** Answers the calls of the API. */
export class Api {
  readonly #reads: ReadonlyMap<string, Handler>;

  /**
   * @param source What there is to tell.
   */
  constructor(source: Source) {
    this.#reads = new Map<string, Handler>([
      ["/api/status", () => statusOf(source)],
      ["/api/errors", () => source.troubles.list()],
      ["/api/config", () => configurationOf(source)],
    ]);
  }

  /**
   * Answers a call that may be answered.
   *
   * @param method `GET` to read, `POST` to change something.
   * @param path The path of the URL.
   * @param parameters Those of the URL.
   * @returns The answer, or `undefined` if there is no such call.
   */
  async answer(
    method: "GET" | "POST",
    path: string,
    parameters: URLSearchParams,
  ): Promise<Answer | undefined> {
    const read = this.#reads.get(path);
    if (read === undefined) return undefined;
    if (method !== "GET") return notAllowed("GET, HEAD");
    return { body: await read(parameters) };
  }
}
