/**
 * What is known about the members of a pool, in memory that all workers share:
 * which of them may get a connection, and what a connection tells about one.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import { CELL, type Cells, HEALTH, since } from "./memory.ts";
import type { Plan } from "./checked_options.ts";

/**
 * Milliseconds after which the one connection that tries a member is given up,
 * so that another one tries it: it may never tell, or its worker has died.
 */
const PROBE_TIME = 60_000;

/** How much longer or shorter, by chance, a member is left alone. */
const JITTER = 0.2;

/** The state of a pool. */
export class PoolState {
  readonly plan: Plan;
  readonly cells: Cells;
  readonly #log: Log;

  /**
   * @param cells Its memory, with as many members.
   * @param log Gets a line when a member goes up or down.
   */
  constructor(plan: Plan, cells: Cells, log: Log) {
    this.plan = plan;
    this.cells = cells;
    this.#log = log;
  }

  /** Tells whether a member gets no new connections, whatever its health. */
  isDraining(member: number): boolean {
    return this.plan.members[member]?.weight === 0 ||
      this.cells.get(member, CELL.draining) === 1;
  }

  /**
   * Tells whether a member may get a connection now. If it is down but was left
   * alone long enough, only the one that `claim` says so to may use it.
   */
  isOpen(member: number): boolean {
    const { cells } = this;
    if (this.isDraining(member) || cells.get(member, CELL.checkedDown) === 1) {
      return false;
    }
    return cells.get(member, CELL.health) === HEALTH.up ||
      this.wait(member) <= 0;
  }

  /** Milliseconds until one connection may try a member that is down. */
  wait(member: number): number {
    const { cells } = this;
    return since(cells.get(member, CELL.until), cells.now());
  }

  /**
   * Takes a member for a connection.
   *
   * @param member One that is open.
   * @returns `"open"`, `"probe"` if this is the one connection that tries it,
   * or `"taken"` if another one has just become that.
   */
  claim(member: number): "open" | "probe" | "taken" {
    const { cells } = this;
    if (cells.get(member, CELL.health) === HEALTH.up) return "open";
    // whoever moves the end of the wait is the one
    const until = cells.get(member, CELL.until);
    if (since(until, cells.now()) > 0) return "taken";
    const next = (cells.now() + PROBE_TIME) | 0;
    if (!cells.swap(member, CELL.until, until, next)) return "taken";
    cells.swap(member, CELL.health, HEALTH.down, HEALTH.probing);
    return "probe";
  }

  /** The connection that tried a member has told nothing: another one may. */
  unclaim(member: number): void {
    const { cells } = this;
    if (cells.swap(member, CELL.health, HEALTH.probing, HEALTH.down)) {
      cells.set(member, CELL.until, cells.now());
    }
  }

  /**
   * A connection could not be made, or was closed before a byte came.
   *
   * @param isProbe Whether it was the one that tries the member.
   * @param reason For the log.
   */
  failed(member: number, isProbe: boolean, reason: string): void {
    const { cells, plan: { passive } } = this;
    cells.add(member, CELL.failed, 1);
    const failures = cells.add(member, CELL.failures, 1);
    if (passive === undefined) return;
    if (isProbe) {
      const backoff = Math.min(
        cells.get(member, CELL.backoff) * 2,
        passive.maxBackoff,
      );
      // what was tried first counts: a byte for another connection, say
      if (cells.get(member, CELL.health) !== HEALTH.probing) return;
      this.#leaveAlone(member, backoff);
      cells.swap(member, CELL.health, HEALTH.probing, HEALTH.down);
      return;
    }
    if (
      failures < passive.failures ||
      cells.get(member, CELL.health) !== HEALTH.up
    ) return;
    // set before, as it may be looked at as soon as the member is down
    const time = this.#leaveAlone(member, passive.backoff);
    if (!cells.swap(member, CELL.health, HEALTH.up, HEALTH.down)) return;
    cells.changed(member);
    this.#log.warn(
      failures === 1
        ? "Member {remote} of pool {pool} is down for {seconds} seconds: {error} ({failures} failure)"
        : "Member {remote} of pool {pool} is down for {seconds} seconds: {error} ({failures} failures)",
      {
        ...this.#who(member),
        seconds: Math.round(time / 100) / 10,
        error: reason,
        failures,
      },
    );
  }

  #leaveAlone(member: number, backoff: number): number {
    const { cells } = this;
    const time = backoff * (1 + JITTER * (2 * Math.random() - 1));
    cells.set(member, CELL.backoff, backoff);
    cells.set(member, CELL.until, (cells.now() + time) | 0);
    return time;
  }

  /** A member has sent a byte. */
  succeeded(member: number): void {
    const { cells } = this;
    // almost always there is nothing to change
    if (cells.get(member, CELL.failures) !== 0) {
      cells.set(member, CELL.failures, 0);
    }
    const health = cells.get(member, CELL.health);
    if (
      health === HEALTH.up ||
      !cells.swap(member, CELL.health, health, HEALTH.up)
    ) return;
    cells.changed(member);
    this.#log.info("Member {remote} of pool {pool} is up", this.#who(member));
  }

  /**
   * A check of a member has ended.
   *
   * @param failure Why it was bad; `undefined` if it was good.
   */
  checked(member: number, failure: string | undefined): void {
    const { cells, plan: { check } } = this;
    if (check === undefined) return;
    const before = cells.get(member, CELL.checkRun);
    const run = failure === undefined
      ? Math.min(Math.max(before, 0) + 1, check.rise)
      : Math.max(Math.min(before, 0) - 1, -check.fall);
    cells.set(member, CELL.checkRun, run);
    if (run === check.rise && cells.swap(member, CELL.checkedDown, 1, 0)) {
      cells.changed(member);
      this.#log.info(
        run === 1
          ? "Member {remote} of pool {pool} is up ({checks} check)"
          : "Member {remote} of pool {pool} is up ({checks} checks)",
        { ...this.#who(member), checks: run },
      );
    }
    if (run === -check.fall && cells.swap(member, CELL.checkedDown, 0, 1)) {
      cells.changed(member);
      this.#log.warn(
        run === -1
          ? "Member {remote} of pool {pool} is down: {error} ({checks} check)"
          : "Member {remote} of pool {pool} is down: {error} ({checks} checks)",
        { ...this.#who(member), error: String(failure), checks: -run },
      );
    }
  }

  /**
   * Takes a member out of service, or back.
   *
   * @param draining Whether it gets no new connections from now on.
   */
  drain(member: number, draining: boolean): void {
    const [from, to] = draining ? [0, 1] : [1, 0];
    if (!this.cells.swap(member, CELL.draining, from, to)) return;
    this.cells.changed(member);
    this.#log.info(
      draining
        ? "Member {remote} of pool {pool} gets no more connections"
        : "Member {remote} of pool {pool} gets connections again",
      this.#who(member),
    );
  }

  /** The fields by which a line tells which member it is about. */
  #who(member: number): { readonly remote: string; readonly pool: string } {
    const { members, name } = this.plan;
    return { remote: members[member]?.target.remote ?? "", pool: name };
  }
}
