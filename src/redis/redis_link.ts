/**
 * One connection to Redis: questions and answers in order, and the messages
 * about keys that have changed.
 *
 * @module
 */
import { connectHost } from "../net/connect_named.ts";
import { shakeHands, UnansweredError } from "../net/tls_handshake.ts";
import { messageOf } from "../lib/errors.ts";
import { writeAll } from "../lib/write_all.ts";
import type { TablePlan } from "./checked_options.ts";
import {
  encodeCommand,
  Push,
  type Reply,
  ReplyDecoder,
  ReplyError,
} from "./resp.ts";

/** Milliseconds for connecting, TLS and the first commands together. */
const OPEN_TIMEOUT = 5_000;

/** How many times in a time-out to check whether bytes have arrived. */
const TICKS = 4;

/** Milliseconds without bytes after which a PING is sent. */
const SILENCE = 2_000;

/** Bytes that are read at a time. */
const READ_SIZE = 16_384;

/** Redis has replied with an error, so that trying again is of little use. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** Who waits for an answer. */
type Pending = PromiseWithResolvers<Reply>;

/** Writes on one connection, and what comes back. */
export class Link {
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<Error>;
  readonly #conn: Deno.Conn;
  readonly #plan: TablePlan;
  readonly #onChange: (key: string | undefined) => void;
  readonly #pending: Pending[] = [];
  readonly #encoder = new TextEncoder();
  readonly #ended = Promise.withResolvers<Error>();
  readonly #timer: ReturnType<typeof setInterval>;
  /** How many ticks ago the last bytes came. */
  #silent = 0;
  #unsent = "";
  #sending = false;
  #over: Error | undefined;

  private constructor(
    conn: Deno.Conn,
    plan: TablePlan,
    onChange: (key: string | undefined) => void,
  ) {
    this.ended = this.#ended.promise;
    this.#conn = conn;
    this.#plan = plan;
    this.#onChange = onChange;
    const tick = plan.timeout / TICKS;
    this.#timer = setInterval(() => this.#tick(tick), tick);
    void this.#read();
  }

  /**
   * Connects, and asks to be told of changes.
   *
   * @param plan Where to, and as whom.
   * @param onChange Is told each name in the table that has changed, without
   * the prefix, or `undefined` if all may have.
   * @param signal Gives it up.
   * @returns The connection, which the caller closes.
   * @throws {RefusedError} If Redis refuses one of the first commands.
   * @throws {Error} If it cannot be reached.
   */
  static async open(
    plan: TablePlan,
    onChange: (key: string | undefined) => void,
    signal: AbortSignal,
  ): Promise<Link> {
    const given = new AbortController();
    const giveUp = () => given.abort(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(
      () => given.abort(new Error(silence(OPEN_TIMEOUT))),
      OPEN_TIMEOUT,
    );
    let link: Link | undefined;
    try {
      signal.throwIfAborted();
      const conn = await connect(plan, given.signal);
      link = new Link(conn, plan, onChange);
      const opening = link;
      given.signal.onabort = () => opening.close(given.signal.reason);
      if (given.signal.aborted) opening.close(given.signal.reason);
      await opening.#greet();
      return opening;
    } catch (error) {
      link?.close(error as Error);
      throw error;
    } finally {
      given.signal.onabort = null;
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }

  /**
   * Sends a command.
   *
   * @param words A command and its arguments.
   * @returns The answer; it may be an error of Redis.
   * @throws {Error} If the connection has ended, or ends before the answer.
   */
  ask(words: readonly string[]): Promise<Reply> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    // what was silent before does not count for this question
    if (this.#pending.length === 0) this.#silent = 0;
    const pending = Promise.withResolvers<Reply>();
    this.#pending.push(pending);
    this.#unsent += encodeCommand(words);
    if (!this.#sending) void this.#send();
    return pending.promise;
  }

  /**
   * Ends the connection. Nothing happens if it has ended.
   *
   * @param reason Why: what those get who wait for an answer.
   */
  close(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    clearInterval(this.#timer);
    this.#conn[Symbol.dispose]();
    for (const { reject } of this.#pending.splice(0)) reject(reason);
    this.#ended.resolve(reason);
  }

  /** The first commands, all at once; then one that tells whether keys can be read. */
  async #greet(): Promise<void> {
    const { user, password, database, prefix } = this.#plan;
    const commands: string[][] = [];
    const auth = password === undefined
      ? []
      : ["AUTH", user ?? "default", password];
    commands.push(["HELLO", "3", ...auth, "SETNAME", "proxymachine"]);
    if (database !== 0) commands.push(["SELECT", String(database)]);
    commands.push(
      [
        ...["CLIENT", "TRACKING", "ON", "BCAST"],
        ...prefix === "" ? [] : ["PREFIX", prefix],
      ],
      ["GETRANGE", prefix, "0", "0"],
    );
    const replies = await Promise.all(commands.map((words) => this.ask(words)));
    replies.forEach((reply, index) => {
      if (!(reply instanceof ReplyError)) return;
      // a key that is the prefix alone is none of the table
      if (reply.message.startsWith("WRONGTYPE")) return;
      const [name = "", ...more] = commands[index] ?? [];
      const command = name === "CLIENT" ? [name, ...more].join(" ") : name;
      throw new RefusedError(`it answers ${command} with ${reply.message}`);
    });
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      // questions that come at the same time are sent together
      await undefined;
      while (this.#unsent !== "") {
        const bytes = this.#encoder.encode(this.#unsent);
        this.#unsent = "";
        await writeAll(this.#conn, bytes);
      }
    } catch (error) {
      this.close(error as Error);
    }
    this.#sending = false;
  }

  async #read(): Promise<void> {
    const replies = new ReplyDecoder();
    const buffer = new Uint8Array(READ_SIZE);
    try {
      for (;;) {
        const count = await this.#conn.read(buffer);
        if (count === null) throw new Error("it has closed the connection");
        this.#silent = 0;
        // what is kept of them must not change under it
        const bytes = buffer.slice(0, count);
        for (const reply of replies.read(bytes)) this.#take(reply);
      }
    } catch (error) {
      this.close(error as Error);
    }
  }

  #take(reply: Reply): void {
    if (!(reply instanceof Push)) {
      this.#pending.shift()?.resolve(reply);
      return;
    }
    const [kind, keys] = reply.items;
    if (kind !== "invalidate") return;
    if (!Array.isArray(keys)) return this.#onChange(undefined);
    const { prefix } = this.#plan;
    for (const key of keys as readonly Reply[]) {
      if (typeof key === "string" && key.startsWith(prefix)) {
        this.#onChange(key.slice(prefix.length));
      }
    }
  }

  /**
   * Ticks are counted rather than milliseconds: when the thread was busy, what
   * has come meanwhile is read before the next one.
   */
  #tick(milliseconds: number): void {
    this.#silent++;
    if (this.#pending.length > 0) {
      if (this.#silent <= TICKS) return;
      this.close(new Error(silence(this.#plan.timeout)));
    } else if (this.#silent * milliseconds >= SILENCE) {
      // a server that is gone without a FIN sends nothing: changes would be missed
      this.ask(["PING"]).catch(() => {});
    }
  }
}

function silence(milliseconds: number): string {
  return `it has not answered within ${milliseconds / 1000} seconds`;
}

async function connect(
  { address, tls, ca }: TablePlan,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  const conn = await connectHost(address, AbortSignal.any([signal]));
  conn.setNoDelay();
  conn.setKeepAlive();
  return tls ? await startTls(conn, address.hostname, ca, signal) : conn;
}

/** How many handshakes Redis may leave unanswered before no more are begun. */
const MAX_UNANSWERED = 8;

async function startTls(
  conn: Deno.TcpConn,
  hostname: string,
  ca: readonly string[],
  signal: AbortSignal,
): Promise<Deno.Conn> {
  const options = { hostname, caCerts: [...ca] };
  try {
    return await shakeHands(conn, options, signal, MAX_UNANSWERED);
  } catch (error) {
    signal.throwIfAborted();
    const message = `the TLS handshake has failed: ${messageOf(error)}`;
    throw error instanceof UnansweredError
      ? new Error(message, { cause: error })
      : new RefusedError(message, { cause: error });
  }
}
