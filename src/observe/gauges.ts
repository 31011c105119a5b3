/**
 * The numbers that all threads share: how many connections there are.
 *
 * @module
 */

const OPEN = 0;
const MAXIMUM = 1;
const TOTAL = 2;
const CONNECTED = 3;
const LIMIT = 4;
const MAXIMUM_LIMIT = 5;
const RESERVED = 6;
const SIZE = 7;

/** More connections than there can be descriptors for. */
const UNLIMITED = 2 ** 31 - 1;

/**
 * Counters in shared memory. Each worker counts its own connections into the
 * same numbers, so the main thread reads them without asking.
 */
export class Gauges {
  /** What another thread needs to see the same numbers. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;

  /**
   * @param shared The `shared` of the gauges of another thread, or how many
   * connections may be open at a time (`undefined`: no limit).
   */
  constructor(shared: SharedArrayBuffer | number | undefined) {
    if (shared instanceof SharedArrayBuffer) {
      this.shared = shared;
      this.#cells = new Int32Array(shared);
      return;
    }
    this.shared = new SharedArrayBuffer(SIZE * Int32Array.BYTES_PER_ELEMENT);
    this.#cells = new Int32Array(this.shared);
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
   * Takes one of the places that `limit` leaves, before a connection is
   * accepted. `closed` gives it back, or `unreserve` if none was accepted.
   *
   * @returns Whether there was one.
   */
  reserve(): boolean {
    if (Atomics.add(this.#cells, RESERVED, 1) < this.limit) return true;
    this.unreserve();
    return false;
  }

  /** Gives back a place that was not used. */
  unreserve(): void {
    Atomics.sub(this.#cells, RESERVED, 1);
  }

  /**
   * Counts a new connection.
   *
   * @returns Its number: 1 for the first of the process.
   */
  opened(): number {
    const open = Atomics.add(this.#cells, OPEN, 1) + 1;
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
    return Atomics.add(this.#cells, TOTAL, 1) + 1;
  }

  /** Counts the end of a connection. */
  closed(): void {
    Atomics.sub(this.#cells, OPEN, 1);
    this.unreserve();
  }

  /**
   * Counts a connection that got, or has lost, its remote.
   *
   * @param change 1 or -1.
   */
  connected(change: 1 | -1): void {
    Atomics.add(this.#cells, CONNECTED, change);
  }

  /** The numbers of the original's process title: current/maximum/total. */
  toString(): string {
    return `${this.open}/${this.maximum}/${this.total}`;
  }
}
