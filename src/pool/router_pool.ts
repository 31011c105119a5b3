/**
 * The pools that a router makes while it loads, and what the worker does with
 * them: they get their memory when it begins to serve.
 *
 * @module
 */
import type { Candidates } from "../net/candidates.ts";
import type { Target } from "../net/remote.ts";
import { describe } from "../lib/errors.ts";
import type { Log } from "../log/log.ts";
import type { Bytes } from "../router/bytes.ts";
import { Attempt } from "./attempt.ts";
import { Cells } from "./memory.ts";
import { Checker } from "./checker.ts";
import { type Chooser, chooser } from "./policies.ts";
import type { Pool, PoolChoice } from "./options.ts";
import {
  MAX_POOLS,
  type Plan,
  planPool,
  PoolError,
} from "./checked_options.ts";
import { POOLS, type RegisteredPool } from "./registry.ts";
import type { PoolMemory, PoolReport } from "./main_thread.ts";
import { PoolState } from "./state.ts";

let sealed = false;

/** A pool, once it is made. */
export class MadePool implements Pool, RegisteredPool {
  readonly plan: Plan;
  readonly targets: readonly Target[];
  #state: PoolState | undefined;
  #choose: Chooser | undefined;
  /** Members to drain, or not, as soon as there is a memory. */
  readonly #drains = new Map<number, boolean>();

  /** @param plan What was asked for. */
  constructor(plan: Plan) {
    this.plan = plan;
    this.targets = plan.members.map(({ target }) => target);
  }

  get name(): string {
    return this.plan.name;
  }

  pick(key?: Bytes): PoolChoice {
    return key === undefined ? { pool: this.name } : { pool: this.name, key };
  }

  drain(remote: string): void {
    this.#drain(this.#find(remote), true);
  }

  undrain(remote: string): void {
    const member = this.#find(remote);
    if (this.plan.members[member]?.weight === 0) {
      throw new PoolError(
        `Cannot undrain ${remote} of the pool ${this.name} as its weight must be positive: current value is 0`,
      );
    }
    this.#drain(member, false);
  }

  #find(remote: string): number {
    const member = this.plan.members.findIndex(({ target }) =>
      target.remote === remote
    );
    if (member < 0) {
      throw new PoolError(
        `Cannot drain or undrain a remote that is no member of the pool ${this.name}: current value is ${
          describe(remote)
        }`,
      );
    }
    return member;
  }

  #drain(member: number, draining: boolean): void {
    if (this.#state === undefined) this.#drains.set(member, draining);
    else this.#state.drain(member, draining);
  }

  attach({ memory, held }: PoolMemory, log: Log): PoolState {
    const state = new PoolState(this.plan, new Cells(memory, held), log);
    for (const [member, draining] of this.#drains) {
      state.drain(member, draining);
    }
    this.#state = state;
    this.#choose = chooser(state);
    return state;
  }

  attempt(
    key: Uint8Array | string,
    before: Candidates | undefined,
  ): Attempt {
    if (this.#state === undefined || this.#choose === undefined) {
      throw new Error(`the pool ${this.name} has no memory yet`);
    }
    const attempt = before instanceof Attempt && before.state === this.#state
      ? before
      : new Attempt(this.#state, this.#choose);
    attempt.key = key;
    return attempt;
  }

  hasFailed(before: Candidates | undefined): boolean {
    return before instanceof Attempt && before.state === this.#state &&
      !before.hasUntried();
  }
}

/**
 * Makes a pool.
 *
 * @param name The name, for decisions and logs.
 * @throws {PoolError} If it cannot be made.
 */
export function makePool(name: string, options: unknown): MadePool {
  const plan = planPool(name, options);
  const refuse = (rule: string) =>
    new PoolError(`Cannot make the pool ${name} as ${rule}`);
  if (sealed) {
    throw refuse(
      "pools must be made while the router loads: make it outside its hooks",
    );
  }
  if (POOLS.has(name)) throw refuse("there is one of that name");
  if (POOLS.size === MAX_POOLS) {
    throw refuse(`there must be at most ${MAX_POOLS}`);
  }
  const made = new MadePool(plan);
  POOLS.set(name, made);
  return made;
}

/** The router is loaded: no more pools. Returns what the main thread is told. */
export function sealPools(): PoolReport[] {
  sealed = true;
  return Array.from(POOLS.values(), ({ plan: { name, policy, members } }) => ({
    name,
    policy,
    members: members.map(({ target: { remote }, weight }) => ({
      remote,
      weight,
    })),
  }));
}

/**
 * Gives the pools their memory, and begins to check their members.
 *
 * @param memories That of each pool.
 * @param log Gets the lines about members.
 * @returns A function that stops the checks.
 */
export function startPools(
  memories: readonly PoolMemory[],
  log: Log,
): () => void {
  const checkers: Checker[] = [];
  for (const memory of memories) {
    const state = POOLS.get(memory.name)?.attach(memory, log);
    if (state?.plan.check !== undefined) {
      checkers.push(new Checker(state, state.plan.check));
    }
  }
  return () => checkers.forEach((checker) => checker.stop());
}
