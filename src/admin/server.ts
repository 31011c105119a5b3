/**
 * The admin server: the status page, its API, health and metrics, by HTTP on
 * the main thread.
 *
 * @module
 */
import { describeError, messageOf } from "../lib/errors.ts";
import { formatAddress } from "../net/address.ts";
import { StartError } from "../lib/start_error.ts";
import type { Log } from "../log/log.ts";
import { type ApiAnswer, notAllowed } from "./answer.ts";
import { Api } from "./api.ts";
import { ASSETS } from "./assets.ts";
import { health, readiness } from "./health.ts";
import type { HttpAnswer, HttpAsked } from "./http_message.ts";
import { HttpServer } from "./http_server.ts";
import type { AdminOptions } from "../options/admin.ts";
import {
  checkHost,
  checkOrigin,
  checkToken,
  type Refusal,
} from "./security.ts";
import type { Source } from "./program.ts";

/** What every answer has. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Listens, and answers. */
export class AdminServer implements Disposable {
  readonly #source: Source;
  readonly #options: AdminOptions;
  readonly #log: () => Log;
  readonly #api: Api;
  readonly #server: HttpServer;
  #token: string | undefined;

  /**
   * Listens.
   *
   * @param log The operational log as it is now.
   * @throws {StartError} If the address cannot be listened on.
   */
  constructor(options: AdminOptions, source: Source, log: () => Log) {
    this.#options = options;
    this.#source = source;
    this.#log = log;
    this.#token = source.configuration.adminToken;
    try {
      this.#server = new HttpServer(
        options,
        (request) => this.#respond(request),
        (error) =>
          log().error("Cannot accept a connection to --admin: {error}", {
            error: messageOf(error),
          }),
      );
    } catch (error) {
      throw new StartError(
        `Cannot listen on ${formatAddress(options)} for --admin: ${
          error instanceof Deno.errors.AddrInUse
            ? "another program listens there"
            : messageOf(error)
        }`,
        { cause: error },
      );
    }
    this.#api = new Api(source, log);
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#server.address;
  }

  /** Stops at once. */
  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
    this.#api[Symbol.dispose]();
  }

  async #respond(request: HttpAsked): Promise<HttpAnswer> {
    try {
      return respond(await this.#answer(request));
    } catch (error) {
      this.#log().error(
        "Cannot answer a request to --admin as there was an internal error: {error}",
        { error: describeError(error) },
      );
      return respond({ status: 500, body: { error: "internal error" } });
    }
  }

  async #answer(request: HttpAsked): Promise<ApiAnswer> {
    const refused = checkHost(request, this.#options);
    if (refused !== undefined) return refuse(refused);
    const { pathname, searchParams } = new URL(request.url);
    const { method } = request;
    const isRead = method === "GET" || method === "HEAD";
    if (isRead) {
      if (pathname === "/healthz") return health(this.#source);
      if (pathname === "/readyz") return readiness(this.#source);
      // there is nothing secret in the page itself, which asks for the token
      const asset = ASSETS.get(pathname);
      if (asset !== undefined) return asset;
    }
    // a reload may bring another token, but does not take it away
    this.#token = this.#source.configuration.adminToken ?? this.#token;
    const unknown = checkToken(request, this.#token);
    if (unknown !== undefined) return refuse(unknown);
    if (!isRead) {
      if (method !== "POST") return notAllowed("GET, HEAD, POST");
      const foreign = checkOrigin(request, this.#token !== undefined);
      if (foreign !== undefined) return refuse(foreign);
    }
    const answer = await this.#api.answer(
      isRead ? "GET" : "POST",
      pathname,
      searchParams,
    );
    return answer ?? {
      status: 404,
      body: { error: `there is no ${method} ${pathname}` },
    };
  }
}

function refuse({ status, error }: Refusal): ApiAnswer {
  return {
    status,
    body: { error },
    ...status === 401 ? { headers: { "www-authenticate": "Bearer" } } : {},
  };
}

function respond(
  { status = 200, type, body, headers }: ApiAnswer,
): HttpAnswer {
  const text = body === undefined
    ? undefined
    : type === undefined
    ? `${JSON.stringify(body)}\n`
    : String(body);
  return {
    status,
    headers: {
      ...HEADERS,
      ...text === undefined
        ? {}
        : { "content-type": type ?? "application/json" },
      ...headers,
    },
    body: text,
  };
}
