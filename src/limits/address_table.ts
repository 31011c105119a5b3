/**
 * A table of client addresses in shared memory: how many connections each has,
 * and how fast new ones have come. All threads use it at the same time without
 * a lock.
 *
 * The slot of an address is one of the few of its bucket. Each slot is a state
 * and what it belongs to:
 *
 * - 0 or more: the number of connections of the address. A slot of none may be
 *   given to another address, unless the address is still paying for its rate.
 * - negative and odd: a thread is changing the slot, and owns it.
 * - negative and even: the slot is a candidate. Before it counts, its thread
 *   looks for another slot of the same address: an older one wins, of two
 *   candidates that in the lower place. So an address never has two slots.
 *
 * @module
 */
import type { AddressKey } from "./address_key.ts";

/** How many addresses have a slot, at most. */
const SLOTS = 65_536;

/** Slots in a bucket. */
const WAYS = 16;

// the fields of a slot
const KEY_LOW = 0;
const KEY_HIGH = 1;
const STATE = 2;
/** The time until which connections are paid for, in parts of a connection. */
const PAID = 3;
/** The minute of the last line in the log. */
const WARNED = 4;
const FIELDS = 5;

// the fields before the slots
const TICKET = 0;
const SECRET_LOW = 1;
const SECRET_HIGH = 2;
/** The minute and the number of lines in it. */
const LINES = 3;
const HEADER = 4;

/** Lines in the log per minute, at most, whatever the number of addresses. */
const MAX_LINES = 60;

/** Times to begin anew when other threads are at the same address. */
const ATTEMPTS = 100;

/** After so many, a candidate is taken away even from a thread that was first. */
const PATIENCE = 50;

/** Parts of a connection in which its rate is counted. */
const PARTS = 256;

/**
 * Seconds that a thread may be stopped between reading the clock and paying:
 * another one may have paid meanwhile by a later time.
 */
const LATENESS = 10;

/** How many connections may come. */
export interface Rate {
  /** Connections per second in the long run; 0.001 to 10,000. */
  readonly perSecond: number;
  /** Connections at a time after a rest; a whole number from 1. */
  readonly burst: number;
}

/** What became of a connection: the slot that it has taken, or why it has not. */
export type Entry = number | "too-many" | "too-fast" | "full";

/** One thread's view of the table. */
export class AddressTable {
  /** What another thread needs to see the same table. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;
  /** How many connections of this thread are counted in each slot. */
  readonly #ledger: Int32Array;

  /**
   * @param shared The `shared` of another thread; otherwise a new table.
   * @param ledger Made by {@linkcode AddressTable.ledger}, if this thread may
   * die without giving its connections back.
   */
  constructor(shared?: SharedArrayBuffer, ledger?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(
      (HEADER + SLOTS * FIELDS) * Int32Array.BYTES_PER_ELEMENT,
    );
    this.#cells = new Int32Array(this.shared);
    this.#ledger = new Int32Array(ledger ?? AddressTable.ledger());
    if (shared !== undefined) return;
    const random = crypto.getRandomValues(new Int32Array(2));
    this.#cells.set(random, SECRET_LOW);
  }

  /** Makes the memory in which a thread notes what it has counted. */
  static ledger(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** The secret of the keys of this table. */
  get secret(): readonly [number, number] {
    return [this.#cells[SECRET_LOW] ?? 0, this.#cells[SECRET_HIGH] ?? 0];
  }

  /** How many addresses have connections now. Looks at every slot. */
  get size(): number {
    let size = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.load(this.#cells, at(slot, STATE)) !== 0) size++;
    }
    return size;
  }

  /**
   * Counts a connection.
   *
   * @param most How many connections it may have at a time.
   * @param rate How many may come; `undefined` for any number.
   * @returns The slot, to be given back by `leave`; or why it is not counted:
   * the address has too many, or they come too fast, or there is no slot left
   * for it.
   */
  enter(key: AddressKey, most: number, rate: Rate | undefined): Entry {
    const now = rate === undefined ? 0 : clock(rate);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = this.#find(key) ??
        this.#insert(key, now, rate, attempt >= PATIENCE);
      if (found === "full") return "full";
      if (found === undefined) continue;
      const entered = this.#increment(found, key, most);
      if (entered === undefined) continue;
      if (!entered) return "too-many";
      if (rate !== undefined && !this.#pay(found, now, rate)) {
        this.leave(found);
        return "too-fast";
      }
      return found;
    }
    return "full";
  }

  /**
   * Takes a connection off its address.
   *
   * @param slot What `enter` has returned, once.
   */
  leave(slot: number): void {
    // if not, `giveBack` was faster
    if (Atomics.sub(this.#ledger, slot, 1) > 0) {
      Atomics.sub(this.#cells, at(slot, STATE), 1);
    }
  }

  /**
   * Takes off all that a thread had counted that has ended.
   *
   * @param ledger That thread's.
   */
  giveBack(ledger: SharedArrayBuffer): void {
    const counts = new Int32Array(ledger);
    for (let slot = 0; slot < SLOTS; slot++) {
      const count = Atomics.exchange(counts, slot, 0);
      if (count > 0) Atomics.sub(this.#cells, at(slot, STATE), count);
    }
  }

  /**
   * Tells whether to log that an address is refused: once a minute for each,
   * and for some at most.
   *
   * @param key The address; `undefined` for those that have no slot.
   * @returns How many such lines may still follow in this minute; `undefined`
   * if there may be none.
   */
  mayWarn(key: AddressKey | undefined): number | undefined {
    const minute = Math.floor(Date.now() / 60_000);
    const slot = key && this.#find(key);
    if (
      slot !== undefined &&
      Atomics.exchange(this.#cells, at(slot, WARNED), minute) === minute
    ) return undefined;
    for (;;) {
      const before = Atomics.load(this.#cells, LINES);
      const lines = Math.floor(before / 64) === minute ? before % 64 + 1 : 1;
      if (lines > MAX_LINES) return undefined;
      const after = minute * 64 + lines;
      if (
        Atomics.compareExchange(this.#cells, LINES, before, after) === before
      ) return MAX_LINES - lines;
    }
  }

  /** Finds the slot of an address. */
  #find(key: AddressKey): number | undefined {
    const first = bucket(key);
    for (let slot = first; slot < first + WAYS; slot++) {
      if (!this.#has(slot, key)) continue;
      if (Atomics.load(this.#cells, at(slot, STATE)) >= 0) return slot;
    }
    return undefined;
  }

  #has(slot: number, { low, high }: AddressKey): boolean {
    return Atomics.load(this.#cells, at(slot, KEY_LOW)) === low &&
      Atomics.load(this.#cells, at(slot, KEY_HIGH)) === high;
  }

  /**
   * Counts one more.
   *
   * @returns Whether there were fewer than `most`; `undefined` if the slot has
   * been given to another address meanwhile.
   */
  #increment(
    slot: number,
    key: AddressKey,
    most: number,
  ): boolean | undefined {
    const index = at(slot, STATE);
    for (;;) {
      const count = Atomics.load(this.#cells, index);
      if (count < 0) return undefined;
      if (count >= most) return this.#has(slot, key) ? false : undefined;
      const seen = Atomics.compareExchange(
        this.#cells,
        index,
        count,
        count + 1,
      );
      if (seen !== count) continue;
      if (this.#has(slot, key)) {
        Atomics.add(this.#ledger, slot, 1);
        return true;
      }
      Atomics.sub(this.#cells, index, 1);
      return undefined;
    }
  }

  /**
   * Gives an address a slot, in which nothing is counted yet.
   *
   * @param force Whether to take away candidates of others whatever their place:
   * their threads may have been stopped.
   * @returns The slot; `undefined` if another thread has changed it meanwhile.
   */
  #insert(
    key: AddressKey,
    now: number,
    rate: Rate | undefined,
    force: boolean,
  ): number | "full" | undefined {
    const slot = this.#findFree(key, now, rate);
    if (slot === undefined) return "full";
    const cells = this.#cells;
    const state = at(slot, STATE);
    const ticket = Atomics.add(cells, TICKET, 1) & 0x1fff_ffff;
    const owned = -2 * ticket - 1;
    const candidate = -2 * ticket - 2;
    if (Atomics.compareExchange(cells, state, 0, owned) !== 0) return undefined;
    Atomics.store(cells, at(slot, KEY_LOW), key.low);
    Atomics.store(cells, at(slot, KEY_HIGH), key.high);
    Atomics.store(cells, at(slot, PAID), now);
    Atomics.store(cells, at(slot, WARNED), 0);
    Atomics.store(cells, state, candidate);
    if (!this.#isOnly(slot, key, owned, force)) {
      // unless it was taken away meanwhile
      if (
        Atomics.compareExchange(cells, state, candidate, owned) === candidate
      ) this.#clear(slot);
      return undefined;
    }
    return Atomics.compareExchange(cells, state, candidate, 0) === candidate
      ? slot
      : undefined;
  }

  /** Finds a slot that no address needs. */
  #findFree(
    key: AddressKey,
    now: number,
    rate: Rate | undefined,
  ): number | undefined {
    const first = bucket(key);
    for (let slot = first; slot < first + WAYS; slot++) {
      if (Atomics.load(this.#cells, at(slot, STATE)) !== 0) continue;
      if (rate === undefined || this.#ahead(slot, now, rate) === 0) return slot;
    }
    return undefined;
  }

  /** Looks for other slots of an address; takes away candidates behind its own. */
  #isOnly(
    own: number,
    key: AddressKey,
    owned: number,
    force: boolean,
  ): boolean {
    const first = bucket(key);
    for (let slot = first; slot < first + WAYS; slot++) {
      while (slot !== own && this.#has(slot, key)) {
        const state = Atomics.load(this.#cells, at(slot, STATE));
        if (state >= 0) return false;
        if (state % 2 !== 0) break; // it will look for others itself
        if (slot < own && !force) return false;
        const seen = Atomics.compareExchange(
          this.#cells,
          at(slot, STATE),
          state,
          owned,
        );
        if (seen === state) this.#clear(slot);
      }
    }
    return true;
  }

  /** Frees a slot that this thread owns. */
  #clear(slot: number): void {
    Atomics.store(this.#cells, at(slot, KEY_LOW), 0);
    Atomics.store(this.#cells, at(slot, KEY_HIGH), 0);
    Atomics.store(this.#cells, at(slot, STATE), 0);
  }

  /**
   * Takes a token from the bucket of an address, in the form of the generic cell
   * rate algorithm (ITU-T I.371): one number, the time until which is paid for.
   */
  #pay(slot: number, now: number, rate: Rate): boolean {
    const index = at(slot, PAID);
    for (;;) {
      const paid = Atomics.load(this.#cells, index);
      const ahead = this.#ahead(slot, now, rate, paid);
      if (ahead > (rate.burst - 1) * PARTS) return false;
      const next = now + ahead + PARTS | 0;
      if (Atomics.compareExchange(this.#cells, index, paid, next) === paid) {
        return true;
      }
    }
  }

  /** How far ahead of its rate an address is. */
  #ahead(
    slot: number,
    now: number,
    rate: Rate,
    paid = Atomics.load(this.#cells, at(slot, PAID)),
  ): number {
    const ahead = paid - now | 0;
    const most = (rate.burst + LATENESS * rate.perSecond) * PARTS;
    // more than possible: of a clock that was set back, or of long ago
    return ahead < 0 || ahead > most ? 0 : ahead;
  }
}

/** The index of a field of a slot. */
function at(slot: number, field: number): number {
  return HEADER + slot * FIELDS + field;
}

/** The first slot of the bucket of an address. */
function bucket({ low }: AddressKey): number {
  return (low >>> 0) % (SLOTS / WAYS) * WAYS;
}

/** The time in parts of a connection, in 32 bits; the same for all threads. */
function clock({ perSecond }: Rate): number {
  return Math.floor(Date.now() / 1000 * perSecond * PARTS) | 0;
}
