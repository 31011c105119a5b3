/**
 * The API of the admin server: what the program does, as JSON.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import { type ApiAnswer, notAllowed } from "./answer.ts";
import { configurationOf } from "./config.ts";
import { closeOne, listAll } from "./connections.ts";
import { History } from "./history.ts";
import { metricsOf } from "./metrics.ts";
import { drain, poolsOf } from "./pools.ts";
import { remotesOf, routesOf } from "./remotes.ts";
import type { LogEntry } from "./json_types.ts";
import type { Source } from "./program.ts";
import { statusOf } from "./status.ts";

/** Answers a call; the parameters are those of the URL. */
type Read = (parameters: URLSearchParams) => ApiAnswer | Promise<ApiAnswer>;

/** Does what a call says; `names` are the groups of its path. */
type Write = (
  names: readonly string[],
  parameters: URLSearchParams,
) => ApiAnswer | Promise<ApiAnswer>;

/** Answers the calls of the API. */
export class Api implements Disposable {
  readonly #history: History;
  readonly #reads: ReadonlyMap<string, Read>;
  readonly #writes: readonly (readonly [path: RegExp, write: Write])[];

  /** @param log The operational log as it is now. */
  constructor(source: Source, log: () => Log) {
    const history = this.#history = new History(source);
    const metrics = metricsOf(source);
    history.start();
    this.#reads = new Map<string, Read>([
      ["/metrics", async () => ({
        type: metrics.type,
        body: await metrics.write(),
      })],
      ["/api/status", () => ({ body: statusOf(source) })],
      ["/api/history", () => ({ body: history.list() })],
      ["/api/connections", (parameters) => listAll(source, parameters)],
      ["/api/pools", () => ({ body: poolsOf(source) })],
      ["/api/routes", () => ({ body: routesOf(source) })],
      ["/api/remotes", () => ({ body: remotesOf(source) })],
      ["/api/errors", () => ({
        body: source.troubles.list() satisfies readonly LogEntry[],
      })],
      ["/api/config", () => ({ body: configurationOf(source) })],
    ]);
    this.#writes = [
      [
        /^\/api\/connections\/([^/]+)\/close$/,
        ([id = ""]) => closeOne(source, id),
      ],
      [
        /^\/api\/pools\/([^/]+)\/(drain|undrain)$/,
        ([name = "", how], parameters) =>
          drain(source, name, parameters, how === "drain", log()),
      ],
    ];
  }

  /**
   * Answers a call that may be answered.
   *
   * @param method `GET` to read, `POST` to change something.
   * @param parameters Those of the URL.
   * @returns The answer, or `undefined` if there is no such call.
   */
  async answer(
    method: "GET" | "POST",
    path: string,
    parameters: URLSearchParams,
  ): Promise<ApiAnswer | undefined> {
    const read = this.#reads.get(path);
    if (read !== undefined) {
      return method === "GET"
        ? await read(parameters)
        : notAllowed("GET, HEAD");
    }
    for (const [pattern, write] of this.#writes) {
      const names = pattern.exec(path)?.slice(1).map(decode);
      if (names === undefined) continue;
      return method === "POST"
        ? await write(names, parameters)
        : notAllowed("POST");
    }
    return undefined;
  }

  /** Looks at nothing any more. */
  [Symbol.dispose](): void {
    this.#history.stop();
  }
}

/** What stands between two slashes of a path; as it is, if it is malformed. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
