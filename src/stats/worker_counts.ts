/**
 * What one worker counts for itself, so that the main thread knows it even when
 * the worker cannot be asked any more.
 *
 * @module
 */

const OPEN = 0;
const CONNECTED = 1;
const RESERVED = 2;
const BEATS = 3;
/** A cache line, so that two workers never write to the same one. */
const SIZE = 16;

/**
 * The part of one worker in the numbers that all share, and the signs of life
 * that it gives. Only that worker writes it, so it needs no atomic additions:
 * other threads see what it has written, a moment later.
 */
export class Share {
  /** What another thread needs to see the same numbers. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;

  /**
   * @param shared The `shared` of the share as another thread has it; without,
   * a new one.
   */
  constructor(
    shared: SharedArrayBuffer = new SharedArrayBuffer(
      SIZE * Int32Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
  }

  /** Connections that are open now. */
  get open(): number {
    return Atomics.load(this.#cells, OPEN);
  }

  /** Counts connections that were opened, or closed. */
  addOpen(change: 1 | -1): void {
    this.#add(OPEN, change);
  }

  /** Connections that have a remote now. */
  get connected(): number {
    return Atomics.load(this.#cells, CONNECTED);
  }

  /** Counts connections that got, or have lost, their remote. */
  addConnected(change: 1 | -1): void {
    this.#add(CONNECTED, change);
  }

  /** Places that were taken, for those that are open and those to be accepted. */
  get reserved(): number {
    return Atomics.load(this.#cells, RESERVED);
  }

  /** Counts places that were taken, or given back. */
  addReserved(change: 1 | -1): void {
    this.#add(RESERVED, change);
  }

  /** How often the worker has shown that it is alive; wraps. */
  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  /** Shows that the worker is alive. */
  beat(): void {
    this.#add(BEATS, 1);
  }

  #add(cell: number, change: number): void {
    const cells = this.#cells;
    cells[cell] = (cells[cell] ?? 0) + change;
  }
}
