/**
 * The main thread's part: it makes the memory of each pool, and reads it. It
 * knows no more of a pool than what the workers report, and checks that.
 *
 * @module
 */
import { CELL, Cells, HEALTH } from "./memory.ts";
import { MAX_MEMBERS, MAX_POOLS, MAX_WEIGHT } from "./checked_options.ts";

/** What a worker says about a pool that its router has made. */
export interface PoolReport {
  readonly name: string;
  readonly policy: string;
  readonly members: readonly {
    readonly remote: string;
    readonly weight: number;
  }[];
}

/** The memory of a pool, for one worker. */
export interface PoolMemory {
  readonly name: string;
  /** What all workers share. */
  readonly memory: SharedArrayBuffer;
  /** How many connections of this worker each member has. */
  readonly held: SharedArrayBuffer;
}

/** A pool as the main thread knows it. */
export interface SharedPool {
  readonly name: string;
  readonly memory: SharedArrayBuffer;
  readonly report: PoolReport;
}

/** What can be seen of a pool. */
export interface PoolStatus {
  readonly name: string;
  readonly policy: string;
  readonly members: readonly MemberStatus[];
}

/**
 * What a member does: `up`; `down`: connections have failed, and it is left
 * alone; `probing`: one connection tries it; `checked-down`: checks have failed;
 * `draining`: it gets no new connections.
 */
export type MemberState =
  | "up"
  | "down"
  | "probing"
  | "checked-down"
  | "draining";

/** What can be seen of a member. */
export interface MemberStatus {
  readonly remote: string;
  readonly weight: number;
  readonly state: MemberState;
  /** Connections that it has now, those that are being made included. */
  readonly active: number;
  /** How often it was chosen; modulo 2^32. */
  readonly picks: number;
  /** How many of these have failed before a byte came; modulo 2^32. */
  readonly failed: number;
  /** When the state has changed, in seconds of Unix time; 0 if it has not. */
  readonly changed: number;
}

/** The longest text in a report. */
const MAX_LENGTH = 1024;

/** Checks what a worker reports: the router runs there. */
export function isPoolReports(value: unknown): value is readonly PoolReport[] {
  return Array.isArray(value) && value.length <= MAX_POOLS &&
    value.every(isPoolReport);
}

function isPoolReport(value: unknown): value is PoolReport {
  if (typeof value !== "object" || value === null) return false;
  const { name, policy, members } = value as Record<string, unknown>;
  return isText(name) && isText(policy) && Array.isArray(members) &&
    members.length >= 1 && members.length <= MAX_MEMBERS &&
    members.every((member: unknown) => {
      if (typeof member !== "object" || member === null) return false;
      const { remote, weight } = member as Record<string, unknown>;
      return isText(remote) && typeof weight === "number" &&
        Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT;
    });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_LENGTH &&
    !/\p{Cc}/u.test(value);
}

/**
 * Makes the memory of the pools of a generation of workers.
 *
 * @param before The pools of the generation before: one that is the same keeps
 * its memory; otherwise, what is known of a member of the same remote, in the
 * pool of the same name, is taken over.
 * @returns The pools; `undefined` if the workers do not agree on them.
 */
export function sharePools(
  reports: readonly (readonly PoolReport[])[],
  before: readonly SharedPool[],
): SharedPool[] | undefined {
  const [first = [], ...others] = reports.map(plain);
  const known = JSON.stringify(first);
  if (others.some((other) => JSON.stringify(other) !== known)) return undefined;
  return first.map((report) => {
    const { name } = report;
    const old = before.find((pool) => pool.name === name);
    if (
      old !== undefined &&
      JSON.stringify(old.report) === JSON.stringify(report)
    ) return old;
    const cells = new Cells(report.members.length);
    if (old !== undefined) takeOver(report, cells, old);
    return { name, memory: cells.shared, report };
  });
}

/** Makes what one worker gets of a pool. */
export function lend({ name, memory, report }: SharedPool): PoolMemory {
  const held = new SharedArrayBuffer(report.members.length * 4);
  return { name, memory, held };
}

/** Gives back the connections of a worker that has died. */
export function giveBack({ memory, held }: PoolMemory): void {
  new Cells(memory, held).release();
}

/** Compares what one more worker says with the pools that there are. */
export function isSame(
  reports: readonly PoolReport[],
  pools: readonly SharedPool[],
): boolean {
  const known = pools.map(({ report }) => report);
  return JSON.stringify(plain(reports)) === JSON.stringify(known);
}

/** Leaves out what else a worker may have put into its report. */
function plain(reports: readonly PoolReport[]): PoolReport[] {
  return reports.map(({ name, policy, members }) => ({
    name,
    policy,
    members: members.map(({ remote, weight }) => ({ remote, weight })),
  }));
}

/** What is known of a member stays known; its connections end with the old. */
const TAKEN_OVER = [
  CELL.failures,
  CELL.backoff,
  CELL.checkedDown,
  CELL.checkRun,
  CELL.draining,
  CELL.picks,
  CELL.failed,
  CELL.changed,
];

function takeOver(report: PoolReport, cells: Cells, old: SharedPool): void {
  const from = new Cells(old.memory);
  report.members.forEach(({ remote }, member) => {
    const index = old.report.members.findIndex((one) => one.remote === remote);
    if (index < 0) return;
    for (const cell of TAKEN_OVER) {
      cells.set(member, cell, from.get(index, cell));
    }
    if (from.get(index, CELL.health) === HEALTH.up) return;
    // ticks count from another start
    const wait = from.get(index, CELL.until) - from.now() | 0;
    cells.set(member, CELL.until, cells.now() + wait | 0);
    cells.set(member, CELL.health, HEALTH.down);
  });
}

/**
 * Reads the pools.
 *
 * @param pools What `sharePools` has made.
 * @returns What each member does now.
 */
export function readPools(pools: readonly SharedPool[]): PoolStatus[] {
  return pools.map(({ report: { name, policy, members }, memory }) => {
    const cells = new Cells(memory);
    return {
      name,
      policy,
      members: members.map(({ remote, weight }, member) => ({
        remote,
        weight,
        state: stateOf(cells, member, weight),
        active: cells.get(member, CELL.active),
        picks: cells.get(member, CELL.picks) >>> 0,
        failed: cells.get(member, CELL.failed) >>> 0,
        changed: cells.get(member, CELL.changed),
      })),
    };
  });
}

/**
 * Takes a member out of service, or back, in all workers.
 *
 * @param remote The member, as the router wrote it.
 * @param draining Whether it gets no new connections from now on.
 * @returns Whether that is so now: a member without weight is never in service;
 * `undefined` if there is no such member.
 */
export function drainMember(
  { report: { members }, memory }: SharedPool,
  remote: string,
  draining: boolean,
): boolean | undefined {
  const member = members.findIndex((one) => one.remote === remote);
  const weight = members[member]?.weight;
  if (weight === undefined) return undefined;
  const cells = new Cells(memory);
  const [from, to] = draining ? [0, 1] : [1, 0];
  if (cells.swap(member, CELL.draining, from, to)) cells.changed(member);
  return draining || weight > 0;
}

function stateOf(cells: Cells, member: number, weight: number): MemberState {
  if (weight === 0 || cells.get(member, CELL.draining) === 1) {
    return "draining";
  }
  if (cells.get(member, CELL.checkedDown) === 1) return "checked-down";
  switch (cells.get(member, CELL.health)) {
    case HEALTH.down:
      return "down";
    case HEALTH.probing:
      return "probing";
    default:
      return "up";
  }
}
