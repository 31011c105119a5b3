/**
 * Deadlines that rarely pass: one for each connection, moved from stage to
 * stage, and almost always cleared before it is due.
 *
 * @module
 */

/** Something with at most one deadline, as a link of a list of them. */
export interface Expiring {
  /** Called when the deadline has passed; it has been cleared by then. */
  expire(): void;
  /** Owned by {@linkcode Deadlines}. */
  deadline: Link | undefined;
}

/** A place in a list of deadlines. */
interface Link {
  owner: Expiring | undefined;
  list: List;
  due: number;
  next: Link;
  previous: Link;
}

/** All deadlines of one duration. New ones are due last, so they go to the end. */
interface List {
  readonly milliseconds: number;
  /** The link before the first and after the last. */
  readonly head: Link;
}

/** Milliseconds that the timer may be late, so that it expires many at once. */
const SLACK = 5;

/** Rounds up, so that durations computed per connection share a few lists. */
function coarse(milliseconds: number): number {
  const grain = milliseconds < 1000 ? 1 : 100;
  return Math.ceil(milliseconds / grain) * grain;
}

/**
 * Deadlines in lists by duration, with one timer for all of them. Setting and
 * clearing one costs a few assignments; the timer is touched only when a
 * deadline comes before all others.
 */
export class Deadlines {
  readonly #lists = new Map<number, List>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fires = Infinity;

  /**
   * Sets the deadline of something in place of the one that it has.
   *
   * @param owner Its `expire` is called, not before the time has passed.
   * @param milliseconds From now; positive.
   * @param now The present `performance.now()`, if the caller knows it.
   */
  set(owner: Expiring, milliseconds: number, now = performance.now()): void {
    this.clear(owner);
    const duration = coarse(milliseconds);
    const list = this.#lists.get(duration) ?? this.#add(duration);
    const last = list.head.previous;
    const due = now + duration;
    const link: Link = { owner, list, due, next: list.head, previous: last };
    last.next = link;
    list.head.previous = link;
    owner.deadline = link;
    if (due < this.#fires) this.#arm(due, now);
  }

  /** Clears the deadline of something; nothing happens if it has none. */
  clear(owner: Expiring): void {
    const link = owner.deadline;
    if (link === undefined) return;
    link.previous.next = link.next;
    link.next.previous = link.previous;
    owner.deadline = undefined;
    // a link in the old generation of the garbage collector would keep all
    // links after it alive
    link.owner = undefined;
    link.next = link;
    link.previous = link;
  }

  #add(milliseconds: number): List {
    const head = {} as Link;
    const list: List = { milliseconds, head };
    head.owner = undefined;
    head.list = list;
    head.due = Infinity;
    head.next = head;
    head.previous = head;
    this.#lists.set(milliseconds, list);
    return list;
  }

  #arm(due: number, now: number): void {
    clearTimeout(this.#timer);
    this.#fires = due;
    this.#timer = setTimeout(
      () => this.#fire(),
      Math.ceil(due - now) + SLACK,
    );
  }

  /** Expires what is due, drops empty lists, and sets the timer for the next. */
  #fire(): void {
    this.#fires = Infinity;
    const now = performance.now();
    let soonest = Infinity;
    for (const list of [...this.#lists.values()]) {
      const { head } = list;
      while (head.next !== head && head.next.due <= now) {
        const owner = head.next.owner as Expiring;
        this.clear(owner);
        owner.expire();
      }
      if (head.next === head) this.#lists.delete(list.milliseconds);
      else soonest = Math.min(soonest, head.next.due);
    }
    if (soonest < this.#fires) this.#arm(soonest, now);
  }
}
