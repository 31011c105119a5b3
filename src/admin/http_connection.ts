/**
 * A connection to the admin server: HTTP/1.1 (RFC 9112), one request after the
 * other.
 *
 * @module
 */
import { setOptions } from "../connection/socket.ts";
import { http, type HttpRequest } from "../protocols/http.ts";
import { writeAll } from "../write_all.ts";

/** How long a connection may take. */
export interface HttpTimes {
  /**
   * Seconds in which the whole head of a request must come.
   *
   * @default 10
   */
  readonly head: number;
  /**
   * Seconds in which an answer must be taken, and the next request begin.
   *
   * @default 60
   */
  readonly idle: number;
}

const TIMES: HttpTimes = { head: 10, idle: 60 };

/** The most bytes of a head. */
const MAX_HEAD = 16_384;

/** The most bytes that are dropped after an answer, so that it can be read. */
const MAX_DROPPED = 1_048_576;

const LF = 0x0a;

/** What a handler is told of a request; a `Request` would do, too. */
export interface HttpAsked {
  /** As it was sent. */
  readonly method: string;
  /** The absolute URL: its host is that of the target or of the Host field. */
  readonly url: string;
  /** The header fields. */
  readonly headers: { get(name: string): string | null };
}

/** What a request is answered with. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined` for none, as with 204. */
  readonly body: string | undefined;
}

/** Answers a request; never rejects. */
export type HttpHandler = (request: HttpAsked) => Promise<HttpAnswer>;

/** The reasons of the statuses that are used here. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A connection. It closes its socket. */
export class HttpConnection {
  /** Whether a request is being answered. */
  isAnswering = false;
  /** The `performance.now()` at which it has taken too long. */
  deadline: number;
  readonly #conn: Deno.TcpConn;
  readonly #handler: HttpHandler;
  readonly #times: HttpTimes;
  #bytes = new Uint8Array(2048);
  #length = 0;

  /**
   * @param conn The socket.
   * @param handler Answers requests.
   * @param times How long it may take.
   */
  constructor(
    conn: Deno.TcpConn,
    handler: HttpHandler,
    times: HttpTimes = TIMES,
  ) {
    this.#conn = conn;
    this.#handler = handler;
    this.#times = times;
    this.deadline = after(times.head);
    setOptions(conn);
  }

  /**
   * Answers requests until one side ends.
   *
   * @param onAnswer Called after each answer.
   * @returns A promise that resolves when the socket is closed; it never
   * rejects.
   */
  async run(onAnswer: () => void): Promise<void> {
    try {
      while (await this.#exchange()) onAnswer();
    } catch {
      // the client has gone, or took too long
    } finally {
      this.close();
    }
  }

  /** Closes the socket at once. */
  close(): void {
    this.#conn[Symbol.dispose]();
  }

  /** Answers one request; tells whether there may be another. */
  async #exchange(): Promise<boolean> {
    const request = await this.#head();
    if (request === undefined) return false;
    if (typeof request === "number") {
      await this.#write(refusal(request), false, true);
      await this.#linger();
      return false;
    }
    this.isAnswering = true;
    const answer = await this.#handler(request.asked);
    this.isAnswering = false;
    this.deadline = after(this.#times.idle);
    const { isLast, asked: { method } } = request;
    await this.#write(answer, method === "HEAD", isLast);
    if (isLast) await this.#linger();
    return !isLast;
  }

  /**
   * Reads the head of a request.
   *
   * @returns The request, the status it is refused with, or `undefined` at EOF.
   */
  async #head(): Promise<Request | number | undefined> {
    this.#length = 0;
    for (;;) {
      if (this.#length === MAX_HEAD) return 431;
      const read = await this.#conn.read(this.#room());
      if (read === null) return undefined;
      const start = this.#length;
      if (start === 0) this.deadline = after(this.#times.head);
      this.#length += read;
      // what comes byte by byte is not looked at each time
      const bytes = this.#bytes.subarray(0, this.#length);
      if (start > 0 && !bytes.includes(LF, start)) continue;
      const head = http(bytes);
      if (head === null) return 400;
      if (head !== undefined) return understand(head, bytes, this.#conn);
    }
  }

  /** Where to read to; not empty. */
  #room(): Uint8Array<ArrayBuffer> {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(this.#length, MAX_HEAD);
  }

  async #write(
    { status, headers, body }: HttpAnswer,
    isHead: boolean,
    isLast: boolean,
  ): Promise<void> {
    const bytes = new TextEncoder().encode(body);
    const fields = {
      date: new Date().toUTCString(),
      ...headers,
      ...body === undefined ? {} : { "content-length": String(bytes.length) },
      ...isLast ? { connection: "close" } : {},
    };
    const lines = Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    const head = new TextEncoder().encode(
      `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`,
    );
    const length = head.length + (isHead ? 0 : bytes.length);
    const all = new Uint8Array(length);
    all.set(head);
    if (!isHead) all.set(bytes, head.length);
    await writeAll(this.#conn, all);
  }

  /** Closes such that the client can read all, even while it sends. */
  async #linger(): Promise<void> {
    await this.#conn.closeWrite();
    for (let dropped = 0; dropped < MAX_DROPPED;) {
      const read = await this.#conn.read(this.#bytes);
      if (read === null) return;
      dropped += read;
    }
  }
}

/** The `performance.now()` in some seconds. */
function after(seconds: number): number {
  return performance.now() + seconds * 1000;
}

/** A request, and whether the connection ends with it. */
interface Request {
  readonly asked: HttpAsked;
  readonly isLast: boolean;
}

/**
 * Makes sense of a head. Nobody sends more before it is answered but a body,
 * which nothing here asks for: then the connection ends with the answer.
 */
function understand(
  head: HttpRequest,
  bytes: Uint8Array,
  { localAddr }: Deno.TcpConn,
): Request | number {
  const { method, headers, version, port, path } = head;
  if (version !== "1.0" && !headers.has("host")) return 400;
  const { hostname } = localAddr;
  const host = head.host ?? hostname;
  const authority = `${host.includes(":") ? `[${host}]` : host}${
    port === undefined ? "" : `:${port}`
  }`;
  const url = URL.parse(`http://${authority}${path}`);
  if (url === null) return 400;
  const hasBody = (headers.get("content-length") ?? "0") !== "0" ||
    headers.has("transfer-encoding");
  const mayStay = version !== "1.0" &&
    !/\bclose\b/i.test(headers.get("connection") ?? "");
  return {
    asked: { method, url: url.href, headers },
    isLast: hasBody || !mayStay || !endsWithHead(bytes),
  };
}

/** Tells whether nothing comes after the empty line. */
function endsWithHead(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === 0x0d ? at + 2 : at + 1;
    if (bytes[next] === LF) return next === bytes.length - 1;
  }
  return false;
}

function refusal(status: number): HttpAnswer {
  const error = status === 431
    ? `the head of a request must have less than ${MAX_HEAD} bytes`
    : "this is no HTTP/1 request";
  return {
    status,
    headers: { "content-type": "application/json" },
    body: `${JSON.stringify({ error })}\n`,
  };
}
