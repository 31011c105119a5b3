/**
 * A set whose members come and go quickly.
 *
 * @module
 */

/** A member that has its index in the one set that it is in. */
export interface Placed {
  /** Owned by {@linkcode PlacedSet}. */
  place: number;
}

/**
 * A set that makes no garbage. A `Set` makes a new table every few dozen
 * deletions, and each table that it drops refers to the next one: once one of
 * them is in the old generation of the garbage collector, all later ones stay
 * alive, with their members, until that generation is collected. With
 * connections as members, one eighth of all that a worker allocated was kept
 * and copied that way.
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

  /** Adds a member, which is in no set yet. */
  add(member: T): void {
    this.#put(member, this.#size++);
  }

  /** Takes out a member of this set. */
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

  /** Iterates over the present members; the set may change meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return (this.#places.slice(0, this.#size) as T[]).values();
  }
}
