/**
 * Checks of the members of a pool. Each worker looks when the next one is due,
 * and whoever is first does it; so a worker that has died or is stuck is not
 * missed, and no member is checked by all of them.
 *
 * @module
 */
import { CELL, since } from "./memory.ts";
import type { CheckPlan } from "./checked_options.ts";
import { probe } from "./check_member.ts";
import type { PoolState } from "./state.ts";

/** Milliseconds over which the first checks of a pool are spread. */
const SPREAD = 1000;

/** A timer may fire this much (milliseconds) late so that one serves many. */
const SLACK = 5;

/** Checks the members of one pool, together with the other workers. */
export class Checker {
  readonly #state: PoolState;
  readonly #check: CheckPlan;
  readonly #running = new Set<AbortController>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** Begins to check. */
  constructor(state: PoolState, check: CheckPlan) {
    this.#state = state;
    this.#check = check;
    this.#spread();
    this.#look();
  }

  /** Stops; checks in progress are aborted, and their results are ignored. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const controller of this.#running) controller.abort();
  }

  /** Whichever worker is first says when each member is checked first. */
  #spread(): void {
    const { cells } = this.#state;
    const step = Math.min(SPREAD, this.#check.interval) / cells.size;
    for (let member = 0; member < cells.size; member++) {
      // 0 is what it is at the beginning, so that is no tick of a check
      const first = (cells.now() + Math.ceil(member * step)) | 1;
      cells.swap(member, CELL.nextCheck, 0, first);
    }
  }

  #look(): void {
    const { cells } = this.#state;
    const { interval } = this.#check;
    let soonest = interval;
    for (let member = 0; member < cells.size; member++) {
      const due = cells.get(member, CELL.nextCheck);
      const now = cells.now();
      let wait = since(due, now);
      if (wait <= 0) {
        wait = interval;
        if (cells.swap(member, CELL.nextCheck, due, (now + interval) | 1)) {
          void this.#run(member);
        }
      }
      soonest = Math.min(soonest, wait);
    }
    this.#timer = setTimeout(() => this.#look(), Math.max(soonest, 1) + SLACK);
  }

  async #run(member: number): Promise<void> {
    const target = this.#state.plan.members[member]?.target;
    if (target === undefined) return;
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      const failure = await probe(target, this.#check, controller);
      if (!this.#stopped) this.#state.checked(member, failure);
    } catch {
      // out of file descriptors: that says nothing about the member
    } finally {
      this.#running.delete(controller);
    }
  }
}
