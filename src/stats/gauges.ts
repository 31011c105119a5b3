/**
 * The numbers that all threads share: how many connections there are.
 *
 * @module
 */
import { Counters, type Counts } from "./counters.ts";
import { Share } from "./worker_counts.ts";

const OPEN = 0;
const MAXIMUM = 1;
const TOTAL = 2;
const CONNECTED = 3;
const LIMIT = 4;
const MAXIMUM_LIMIT = 5;
const RESERVED = 6;
/** When the last place was taken, in milliseconds; 0 while there is one. */
const FULL_SINCE = 7;
/** When a line of the log has last said that there is no place, in minutes. */
const WARNED = 8;
/** Whether there may be room for more than the limit: one of those below. */
const MORE = 9;
const SIZE = 10;

const NO_MORE = 0;
const MAYBE_MORE = 1;
/** A worker has asked, and waits for the answer. */
const ASKED = 2;

/** The counters come behind the gauges, aligned. */
const COUNTERS_AT = Math.ceil(SIZE / 2) * 8;

/** More connections than there can be descriptors for. */
const UNLIMITED = 2 ** 31 - 1;

/** All numbers at a time. */
export interface Snapshot {
  /** Connections that are open. */
  readonly open: number;
  /** The most that were open at a time. */
  readonly maximum: number;
  /** Connections since the start. */
  readonly total: number;
  /** Connections that have a remote. */
  readonly connected: number;
  /**
   * How many may be open; `Infinity` for no limit. Grows when connections need
   * more descriptors than have been counted.
   */
  readonly limit: number;
  /** How connections have ended, and how often limits were met. */
  readonly counts: Counts;
}

/**
 * Counters in shared memory. Each worker counts its own connections into the
 * same numbers, so the main thread reads them without asking.
 */
export class Gauges {
  /** What another thread needs to see the same numbers. */
  readonly shared: SharedArrayBuffer;
  /** How connections have ended, and how often limits were met. */
  readonly counters: Counters;
  readonly #cells: Int32Array;
  readonly #own: Share;

  /**
   * @param shared The `shared` of the gauges of another thread, or how many
   * connections may be open at a time (`undefined`: no limit).
   * @param own Counts the part of this thread.
   */
  constructor(
    shared: SharedArrayBuffer | number | undefined,
    own: Share = new Share(),
  ) {
    this.#own = own;
    if (shared instanceof SharedArrayBuffer) {
      this.shared = shared;
      this.#cells = new Int32Array(shared, 0, SIZE);
      this.counters = new Counters(shared, COUNTERS_AT);
      return;
    }
    this.shared = new SharedArrayBuffer(COUNTERS_AT + Counters.BYTES);
    this.#cells = new Int32Array(this.shared, 0, SIZE);
    this.counters = new Counters(this.shared, COUNTERS_AT);
    this.#cells[LIMIT] = shared ?? UNLIMITED;
    this.#cells[MAXIMUM_LIMIT] = shared ?? UNLIMITED;
  }

  /** Connections that are open now. */
  get open(): number {
    return Atomics.load(this.#cells, OPEN);
  }

  /** The most connections that were open at a time. */
  get maximum(): number {
    return Atomics.load(this.#cells, MAXIMUM);
  }

  /** Connections since the start; wraps to negative numbers after 2^31. */
  get total(): number {
    return Atomics.load(this.#cells, TOTAL);
  }

  /** Connections that have a remote now. */
  get connectedNow(): number {
    return Atomics.load(this.#cells, CONNECTED);
  }

  /** How many connections may be open now. */
  get limit(): number {
    return Atomics.load(this.#cells, LIMIT);
  }

  /** Sets how many connections may be open from now on. */
  set limit(connections: number) {
    Atomics.store(this.#cells, LIMIT, connections);
  }

  /** How many connections may be open when there are descriptors for them. */
  get maximumLimit(): number {
    return Atomics.load(this.#cells, MAXIMUM_LIMIT);
  }

  /** Sets how many connections may be open when there are descriptors for them. */
  set maximumLimit(connections: number) {
    Atomics.store(this.#cells, MAXIMUM_LIMIT, connections);
  }

  /**
   * Sets how many connections may be open at a time, with or without a want of
   * descriptors.
   *
   * @param connections A number, or `Infinity`.
   */
  setMaximum(connections: number): void {
    this.maximumLimit = this.limit = Math.min(UNLIMITED, connections);
  }

  /**
   * Says whether there may be room for more connections than the limit.
   *
   * @param is If so, workers ask when they need it.
   */
  setMore(is: boolean): void {
    Atomics.store(this.#cells, MORE, is ? MAYBE_MORE : NO_MORE);
  }

  /** Tells whether the limit is only what was counted so far. */
  get mayHaveMore(): boolean {
    return Atomics.load(this.#cells, MORE) !== NO_MORE &&
      this.limit >= this.maximumLimit;
  }

  /**
   * Tells whether to ask for a higher limit, when there is no place: if there may
   * be one, and nobody else has asked.
   */
  mayAsk(): boolean {
    return this.mayHaveMore &&
      Atomics.compareExchange(this.#cells, MORE, MAYBE_MORE, ASKED) ===
        MAYBE_MORE;
  }

  /**
   * Takes one of the places that `limit` leaves, before a connection is
   * accepted. `closed` gives it back, or `unreserve` if none was accepted.
   *
   * @returns Whether there was one.
   */
  reserve(): boolean {
    if (Atomics.add(this.#cells, RESERVED, 1) < this.limit) {
      this.#own.addReserved(1);
      return true;
    }
    Atomics.sub(this.#cells, RESERVED, 1);
    return false;
  }

  /** Gives back a place that was not used. */
  unreserve(): void {
    Atomics.sub(this.#cells, RESERVED, 1);
    this.#own.addReserved(-1);
  }

  /**
   * Counts a new connection.
   *
   * @returns Its number: 1 for the first of the process.
   */
  opened(): number {
    const open = Atomics.add(this.#cells, OPEN, 1) + 1;
    this.#own.addOpen(1);
    let maximum = this.maximum;
    while (open > maximum) {
      const seen = Atomics.compareExchange(
        this.#cells,
        MAXIMUM,
        maximum,
        open,
      );
      if (seen === maximum) break;
      maximum = seen;
    }
    if (open >= this.limit && !this.mayHaveMore) {
      this.counters.add("max-connections");
      Atomics.compareExchange(this.#cells, FULL_SINCE, 0, stamp());
    }
    return Atomics.add(this.#cells, TOTAL, 1) + 1;
  }

  /** Counts the end of a connection. */
  closed(): void {
    const before = Atomics.sub(this.#cells, OPEN, 1);
    this.#own.addOpen(-1);
    this.unreserve();
    this.#freed(before);
  }

  /** Counts the time without a place, if it is over. */
  #freed(before: number): void {
    if (Atomics.load(this.#cells, FULL_SINCE) === 0 || before > this.limit) {
      return;
    }
    const since = Atomics.exchange(this.#cells, FULL_SINCE, 0);
    if (since === 0) return; // another thread was faster
    this.counters.add("max-connections-ms", Math.max(0, stamp() - since | 0));
  }

  /**
   * Tells whether to log that there is no place for another connection: once a
   * minute, whatever the number of threads.
   */
  mayWarn(): boolean {
    const minute = Math.floor(Date.now() / 60_000);
    return this.open >= this.limit && !this.mayHaveMore &&
      Atomics.exchange(this.#cells, WARNED, minute) !== minute;
  }

  /**
   * Counts a connection that got, or has lost, its remote.
   *
   * @param change 1 or -1.
   */
  connected(change: 1 | -1): void {
    Atomics.add(this.#cells, CONNECTED, change);
    this.#own.addConnected(change);
  }

  /**
   * Takes out the part of a worker that has died: its connections are closed,
   * which is counted as how they have ended, and their places are free.
   *
   * @param share What the worker had counted; it must not run any more.
   */
  giveBack(share: Share): void {
    const { open } = share;
    this.counters.add("worker-died", open);
    const before = Atomics.sub(this.#cells, OPEN, open);
    Atomics.sub(this.#cells, CONNECTED, share.connected);
    Atomics.sub(this.#cells, RESERVED, share.reserved);
    if (open > 0) this.#freed(before - open + 1);
  }

  /** Reads all numbers; they may be of slightly different moments. */
  snapshot(): Snapshot {
    return {
      open: this.open,
      maximum: this.maximum,
      total: this.total,
      connected: this.connectedNow,
      limit: this.limit === UNLIMITED ? Infinity : this.limit,
      counts: this.counters.snapshot(),
    };
  }

  /** The numbers of the title of the process: current/maximum/total. */
  toString(): string {
    return `${this.open}/${this.maximum}/${this.total}`;
  }
}

/** The time in milliseconds, in 32 bits, never 0. */
function stamp(): number {
  return Date.now() | 0 || 1;
}
