/**
 * A set for what comes and goes quickly.
 *
 * @module
 */

/** What knows its place in the one set that it is in. */
export interface Placed {
  /** Owned by {@linkcode PlacedSet}. */
  place: number;
}

/**
 * A set that leaves nothing to the garbage collector. A `Set` makes a new table
 * every few dozen deletions, and each table that is given up refers to the next:
 * once one has grown old, all that come after it are kept, with the members that
 * they had, until the old ones are collected. With connections as members, one
 * eighth of all that a worker allocated was kept and copied that way.
 *
 * @typeParam T The members.
 */
export class PlacedSet<T extends Placed> {
  /** The members, and `undefined` where there once were more. */
  readonly #places: (T | undefined)[] = [];
  #size = 0;

  /** How many members there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a member.
   *
   * @param member In no set yet.
   */
  add(member: T): void {
    this.#put(member, this.#size++);
  }

  /**
   * Takes a member out.
   *
   * @param member In this set.
   */
  delete(member: T): void {
    // the last one moves to its place
    const last = this.#places[--this.#size] as T;
    this.#put(last, member.place);
    this.#places[this.#size] = undefined;
  }

  #put(member: T, place: number): void {
    this.#places[place] = member;
    member.place = place;
  }

  /** Goes through the present members, whatever becomes of them meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return (this.#places.slice(0, this.#size) as T[]).values();
  }
}
