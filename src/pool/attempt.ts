/**
 * One connection's way through the members of a pool.
 *
 * @module
 */
import type { Candidates, Lease } from "../net/candidates.ts";
import type { Target } from "../net/remote.ts";
import { CELL } from "./memory.ts";
import type { Chooser } from "./policies.ts";
import type { PoolState } from "./state.ts";

/** A member that a connection has; to be released, once. */
export class MemberLease implements Lease {
  readonly #state: PoolState;
  readonly #member: number;
  /** It is the one connection that tries the member, and has not told yet. */
  #isProbe: boolean;

  /** Where the connection keeps the members that have failed. */
  readonly #tried: Set<number>;

  /** Counts a connection of a member. */
  constructor(
    state: PoolState,
    member: number,
    isProbe: boolean,
    tried: Set<number>,
  ) {
    this.#tried = tried;
    this.#state = state;
    this.#member = member;
    this.#isProbe = isProbe;
    state.cells.hold(member, 1);
    state.cells.add(member, CELL.picks, 1);
  }

  /** The member could not be connected to, or left before it sent a byte. */
  failed(error: Error): void {
    this.#tried.add(this.#member);
    this.#state.failed(this.#member, this.#isProbe, error.message);
    this.#isProbe = false;
  }

  /** The member has sent its first byte. */
  answered(): void {
    this.#state.succeeded(this.#member);
    this.#isProbe = false;
  }

  /** The connection with the member is over. */
  release(): void {
    this.#state.cells.hold(this.#member, -1);
    if (this.#isProbe) this.#state.unclaim(this.#member);
  }
}

/** The members that a connection may have, one after the other. */
export class Attempt implements Candidates {
  readonly state: PoolState;
  /** What the policy `hash` goes by. */
  key: Uint8Array | string = "";
  readonly #choose: Chooser;
  /** Members that have failed since each of those that are open was tried. */
  readonly #tried = new Set<number>();
  /** Members that are not tried again. */
  readonly #leftOut = new Set<number>();
  #member = -1;
  #lease: MemberLease | undefined;

  constructor(state: PoolState, choose: Chooser) {
    this.state = state;
    this.#choose = choose;
  }

  get pool(): string {
    return this.state.plan.name;
  }

  next(): Target | undefined {
    const { plan: { members } } = this.state;
    for (;;) {
      const member = this.#find();
      const isOpen = member >= 0 && this.state.isOpen(member);
      const claim = isOpen ? this.state.claim(member) : "open";
      if (claim === "taken") continue; // it is no longer open
      this.#member = member;
      if (member < 0) return undefined;
      this.#lease = new MemberLease(
        this.state,
        member,
        claim === "probe",
        this.#tried,
      );
      return members[member]?.target;
    }
  }

  /** An open member; if there is none, that which will be open first. */
  #find(): number {
    const isOpen = (member: number) =>
      !this.#leftOut.has(member) && this.state.isOpen(member);
    const isNew = (member: number) => !this.#tried.has(member);
    const first = this.#choose(
      (member) => isNew(member) && isOpen(member),
      this.key,
    );
    if (first >= 0) return first;
    const again = this.#choose(isOpen, this.key);
    if (again >= 0) {
      this.#tried.clear();
      return again;
    }
    const last = this.#soonest(isNew);
    if (last >= 0) return last;
    this.#tried.clear();
    return this.#soonest(() => true);
  }

  /** All are down: the member that would be tried next, or be checked next. */
  #soonest(allowed: (member: number) => boolean): number {
    const { cells, plan: { members } } = this.state;
    let best = -1;
    let least = Infinity;
    for (let member = 0; member < members.length; member++) {
      if (
        !allowed(member) || this.#leftOut.has(member) ||
        this.state.isDraining(member)
      ) continue;
      // one that only connections have found down comes before all others
      const wait = cells.get(member, CELL.checkedDown) === 1
        ? Number.MAX_SAFE_INTEGER
        : this.state.wait(member);
      if (wait >= least) continue;
      best = member;
      least = wait;
    }
    return best;
  }

  failed(error: Error): boolean {
    this.#lease?.failed(error);
    this.returned();
    return this.hasUntried();
  }

  /** Tells whether there is an open member that was not tried. */
  hasUntried(): boolean {
    return this.state.plan.members.some((_, member) =>
      !this.#tried.has(member) && !this.#leftOut.has(member) &&
      this.state.isOpen(member)
    );
  }

  leftOut(error: Error): boolean {
    // the router may not connect to it, which is not a failure of the member
    if (!(error instanceof Deno.errors.NotCapable)) this.#lease?.failed(error);
    this.returned();
    this.#leftOut.add(this.#member);
    return this.#leftOut.size < this.state.plan.members.length;
  }

  returned(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }

  connected(): MemberLease | undefined {
    const lease = this.#lease;
    this.#lease = undefined;
    return lease;
  }
}
