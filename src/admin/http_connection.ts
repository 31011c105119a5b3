/**
 * A connection to the admin server: HTTP/1.1 (RFC 9112), one request after the
 * other.
 *
 * @module
 */
import { setOptions } from "../net/socket.ts";
import { http } from "../protocols/http.ts";
import { writeAll } from "../lib/write_all.ts";
import {
  formatAnswer,
  type HttpAnswer,
  type HttpAsked,
  MAX_HEAD,
  refusal,
  understand,
  type Understood,
} from "./http_message.ts";

const LF = 0x0a;

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

/** The most bytes that are dropped after an answer, so that it can be read. */
const MAX_DROPPED = 1_048_576;

/** Answers a request; never rejects. */
export type HttpHandler = (request: HttpAsked) => Promise<HttpAnswer>;

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
      await writeAll(this.#conn, formatAnswer(refusal(request), false, true));
      await this.#linger();
      return false;
    }
    this.isAnswering = true;
    const answer = await this.#handler(request.asked);
    this.isAnswering = false;
    this.deadline = after(this.#times.idle);
    const { isLast, asked: { method } } = request;
    await writeAll(this.#conn, formatAnswer(answer, method === "HEAD", isLast));
    if (isLast) await this.#linger();
    return !isLast;
  }

  /**
   * Reads the head of a request.
   *
   * @returns The request, the status it is refused with, or `undefined` at EOF.
   */
  async #head(): Promise<Understood | number | undefined> {
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
      if (head !== undefined) {
        return understand(head, bytes, this.#conn.localAddr.hostname);
      }
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
