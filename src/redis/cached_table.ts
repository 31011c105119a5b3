/**
 * A table in Redis: what is remembered of it, and when Redis is asked.
 *
 * What is remembered is as good as Redis itself while Redis tells of changes
 * (`CLIENT TRACKING` in broadcasting mode). A connection that is new may have
 * missed some, so nothing that was remembered before it holds without asking,
 * unless Redis cannot be asked.
 *
 * @module
 */
import { describe, oneLine } from "../lib/errors.ts";
import { BoundedMap } from "../lib/bounded_map.ts";
import { Link, RefusedError } from "./redis_link.ts";
import type { Notices } from "./notices.ts";
import type { RedisTable, TableRemotes } from "./options.ts";
import type { TablePlan } from "./checked_options.ts";
import { ReplyError } from "./resp.ts";
import { MAX_VALUE, parseValue } from "./parse_value.ts";

/** The longest key, in characters; the client may choose it. */
const MAX_KEY = 1024;

/** Milliseconds before the second try to connect; doubled for each more. */
const FIRST_PAUSE = 200;

/** Milliseconds between two tries to connect, at most. */
const LONGEST_PAUSE = 5_000;

/** Milliseconds that a connection must last for the pauses to begin anew. */
const LASTING = 5_000;

/** What is remembered of a key. */
interface Entry {
  /** `undefined`: the table has none. */
  readonly remotes: TableRemotes | undefined;
  /** Which state of the table it is from; 0: it has changed since. */
  epoch: number;
}

/** A question that Redis has not answered. */
interface Question {
  readonly answer: Promise<TableRemotes | undefined>;
  /** The key has changed since. */
  changed: boolean;
}

/** A table, once it is made. */
export class MadeTable implements RedisTable {
  readonly plan: TablePlan;
  readonly #number: number;
  readonly #notices: () => Notices;
  readonly #onClose: () => void;
  readonly #present: BoundedMap<Entry>;
  /** Apart, so that clients that invent names displace none that exist. */
  readonly #absent: BoundedMap<Entry>;
  readonly #questions = new Map<string, Question>();
  readonly #closed = new AbortController();
  /** Counts how often all that was remembered became doubtful. */
  #epoch = 0;
  #link: Link | undefined;
  #started = false;
  /** Resolves when there is a link. */
  #linked = Promise.withResolvers<void>();

  /**
   * @param number Which of the tables of the router it is, from 0.
   * @param notices Returns where lines of the log about tables go.
   * @param onClose Called when the table is closed.
   */
  constructor(
    plan: TablePlan,
    number: number,
    notices: () => Notices,
    onClose: () => void,
  ) {
    this.plan = plan;
    this.#number = number;
    this.#notices = notices;
    this.#onClose = onClose;
    this.#present = new BoundedMap(plan.maxEntries);
    this.#absent = new BoundedMap(plan.maxEntries / 4);
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  get(
    key: string,
  ): TableRemotes | undefined | Promise<TableRemotes | undefined> {
    if (typeof key !== "string") {
      throw new TypeError(
        `Cannot look up a key in ${this.plan.title} as it must be a string: current value is ${
          describe(key)
        }`,
      );
    }
    const entry = this.#present.get(key) ?? this.#absent.get(key);
    if (
      entry !== undefined &&
      (entry.epoch === this.#epoch || this.#link === undefined)
    ) return entry.remotes;
    if (key.length > MAX_KEY || !key.isWellFormed()) return undefined;
    const question = this.#questions.get(key);
    if (question !== undefined) return question.answer;
    if (this.#closed.signal.aborted) return undefined;
    this.start();
    const asked = { answer: this.#inTime(key, this.#ask(key)), changed: false };
    this.#questions.set(key, asked);
    return asked.answer;
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#onClose();
    this.#closed.abort(new Error("the table was closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Connects, if that has not begun. */
  start(): void {
    if (this.#started || this.#closed.signal.aborted) return;
    this.#started = true;
    void this.#stayLinked(this.#closed.signal);
  }

  /**
   * Gives what was known before if the answer takes too long: a server that sends
   * something now and then is not gone, but clients do not wait for it. The
   * answer is remembered when it comes.
   */
  async #inTime(
    key: string,
    answer: Promise<TableRemotes | undefined>,
  ): Promise<TableRemotes | undefined> {
    const { promise, resolve } = Promise.withResolvers<
      TableRemotes | undefined
    >();
    const timer = setTimeout(
      () => resolve(this.#lastKnown(key)),
      this.plan.timeout,
    );
    try {
      return await Promise.race([answer, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #lastKnown(key: string): TableRemotes | undefined {
    return (this.#present.peek(key) ?? this.#absent.peek(key))?.remotes;
  }

  async #ask(key: string): Promise<TableRemotes | undefined> {
    try {
      const link = this.#link ?? await this.#untilLinked();
      const epoch = this.#epoch;
      const reply = await link.ask(
        ["GETRANGE", this.plan.prefix + key, "0", String(MAX_VALUE)],
      );
      const remotes = this.#read(key, reply);
      // a message that came together with the answer is about a later change
      const { changed } = this.#questions.get(key) as Question;
      this.#remember(key, { remotes, epoch: changed ? 0 : epoch });
      return remotes;
    } catch (error) {
      if (error instanceof RefusedError) this.#link?.close(error);
      return this.#lastKnown(key);
    } finally {
      this.#questions.delete(key);
    }
  }

  /** Reads a reply; a value that is not a remote is logged, and ignored. */
  #read(key: string, reply: unknown): TableRemotes | undefined {
    const { title } = this.plan;
    const ignore = (rule: string, value: string) =>
      this.#notices().log.error(
        "Cannot use the value of {key} in {table} as it {rule}: current value is {value}, which counts as none",
        { key: describe(key), table: title, rule: oneLine(rule), value },
      );
    if (reply instanceof ReplyError) {
      if (!reply.message.startsWith("WRONGTYPE")) {
        throw new RefusedError(`it answers GETRANGE with ${reply.message}`);
      }
      ignore("must be a string", "of another type");
      return undefined;
    }
    const value = parseValue(String(reply));
    if (typeof value !== "object" || !("rule" in value)) return value;
    ignore(value.rule, value.current);
    return undefined;
  }

  #remember(key: string, entry: Entry): void {
    const [here, there] = entry.remotes === undefined
      ? [this.#absent, this.#present]
      : [this.#present, this.#absent];
    there.delete(key);
    here.set(key, entry);
  }

  /** Called when Redis reports that a key has changed, or that all may have. */
  #onChange(key: string | undefined): void {
    if (key === undefined) {
      this.#epoch++;
      return;
    }
    const entry = this.#present.peek(key) ?? this.#absent.peek(key);
    if (entry !== undefined) entry.epoch = 0;
    const question = this.#questions.get(key);
    if (question !== undefined) question.changed = true;
  }

  /** Waits for a connection, at most as long as a client may wait. */
  async #untilLinked(): Promise<Link> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(new Error("there is no connection"));
    const timer = setTimeout(giveUp, this.plan.timeout);
    const { signal } = this.#closed;
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await Promise.race([this.#linked.promise, promise]);
      if (this.#link === undefined) throw new Error("it is gone again");
      return this.#link;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Connects, and connects again whenever the connection ends. */
  async #stayLinked(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      let linked = Infinity;
      let reason: Error;
      try {
        const link = await Link.open(
          this.plan,
          (key) => this.#onChange(key),
          signal,
        );
        const stop = () => link.close(signal.reason);
        signal.addEventListener("abort", stop, { once: true });
        this.#onLink(link);
        linked = performance.now();
        reason = await link.ended;
        signal.removeEventListener("abort", stop);
        this.#link = undefined;
        this.#linked = Promise.withResolvers<void>();
      } catch (error) {
        reason = error as Error;
      }
      if (signal.aborted) return;
      this.#complain(reason);
      if (performance.now() - linked > LASTING) failures = 0;
      await pause(failures, signal);
    }
  }

  #onLink(link: Link): void {
    this.#epoch++;
    this.#link = link;
    this.#linked.resolve();
    const notices = this.#notices();
    if (notices.note(this.#number, 0) === 0) return;
    notices.log.info(
      "Connected to Redis: what it has for {table} holds again",
      { table: this.plan.title },
    );
  }

  #complain(reason: Error): void {
    const trouble = reason instanceof RefusedError ? 2 : 1;
    const notices = this.#notices();
    if (notices.note(this.#number, trouble) === trouble) return;
    notices.log.warn(
      "Cannot ask Redis for {table} as {error}: the last known remotes hold until it can be asked again",
      { table: this.plan.title, error: oneLine(reason.message) },
    );
  }
}

/** Waits, for not quite the same time in each of many proxies. */
async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2));
  const stop = () => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
}
