/**
 * The memory of a pool, which all threads share: numbers only, each changed by
 * one atomic operation.
 *
 * @module
 */

/** The numbers of a member. */
export const CELL = {
  /** One of {@linkcode HEALTH}: what connections have told. */
  health: 0,
  /** Failures in a row. */
  failures: 1,
  /** Milliseconds that it was last left alone for, before chance. */
  backoff: 2,
  /** The tick at which one connection may try it. */
  until: 3,
  /** 1 if checks have found it down. */
  checkedDown: 4,
  /** Checks in a row with the same result: good ones, or bad ones negative. */
  checkRun: 5,
  /** The tick of the next check. */
  nextCheck: 6,
  /** 1 if it gets no new connections. */
  draining: 7,
  /** Connections that it has, and tries to connect to it. */
  active: 8,
  /** How often it was chosen; wraps. */
  picks: 9,
  /** How often it has failed; wraps. */
  failed: 10,
  /** The second (Unix time) in which it last went up, down or out of service. */
  changed: 11,
} as const;

/** How many numbers a member has. */
const COUNT = 12;

/** What connections have told about a member. */
export const HEALTH = {
  up: 0,
  down: 1,
  /** Left alone long enough: one connection tries it. */
  probing: 2,
} as const;

/** Numbers before those of the first member: the start of time, and a turn. */
const HEADER = 3;
const TURN = 2;

/** Cells of one pool. */
export class Cells {
  /** What another thread needs to see the same numbers. */
  readonly shared: SharedArrayBuffer;
  /** How many members there are. */
  readonly size: number;
  readonly #cells: Int32Array;
  readonly #held: Int32Array;
  /** Milliseconds (Unix time) at tick 0. */
  readonly #start: number;

  /**
   * @param shared The `shared` of another thread, or how many members.
   * @param held Numbers of this worker alone: the connections of each member.
   */
  constructor(shared: SharedArrayBuffer | number, held?: SharedArrayBuffer) {
    this.#held = new Int32Array(held ?? new SharedArrayBuffer(0));
    const isNew = typeof shared === "number";
    this.shared = isNew
      ? new SharedArrayBuffer((HEADER + 1 + shared * COUNT) * 4)
      : shared;
    this.#cells = new Int32Array(this.shared);
    this.size = Math.floor((this.#cells.length - HEADER) / COUNT);
    const start = new Float64Array(this.shared, 0, 1);
    if (isNew) start[0] = clock();
    this.#start = start[0] as number;
  }

  /**
   * The time in ticks of a millisecond. They wrap after 49 days, so what counts
   * is a difference: `since` of two ticks.
   */
  now(): number {
    return (clock() - this.#start) | 0;
  }

  /** Takes the next turn of a round robin; from 0, wraps after 2^32. */
  turn(): number {
    return Atomics.add(this.#cells, TURN, 1) >>> 0;
  }

  /** Reads a number of a member. */
  get(member: number, cell: number): number {
    return Atomics.load(this.#cells, at(member, cell));
  }

  /** Writes a number of a member. */
  set(member: number, cell: number, value: number): void {
    Atomics.store(this.#cells, at(member, cell), value);
  }

  /** Adds to a number of a member; returns the sum. */
  add(member: number, cell: number, change: number): number {
    return (Atomics.add(this.#cells, at(member, cell), change) + change) | 0;
  }

  /** Changes a number of a member from one value to another, if it has that. */
  swap(member: number, cell: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#cells, at(member, cell), from, to) ===
      from;
  }

  /** Counts a connection that a member gets, or no longer has. */
  hold(member: number, change: 1 | -1): void {
    this.add(member, CELL.active, change);
    if (member < this.#held.length) Atomics.add(this.#held, member, change);
  }

  /** Gives back all connections of a worker, which has died. */
  release(): void {
    this.#held.forEach((_, member) => {
      const count = Atomics.exchange(this.#held, member, 0);
      this.add(member, CELL.active, -count);
    });
  }

  /** Notes that a member has changed now. */
  changed(member: number): void {
    this.set(member, CELL.changed, Math.floor(Date.now() / 1000));
  }
}

function at(member: number, cell: number): number {
  return HEADER + member * COUNT + cell;
}

/** Milliseconds (Unix time), the same in all threads, that never go back. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * How much later one tick is than another.
 *
 * @returns Milliseconds; negative if it is earlier.
 */
export function since(tick: number, other: number): number {
  return (tick - other) | 0;
}
