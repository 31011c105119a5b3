/**
 * The pools of this worker, by name.
 *
 * @module
 */
import type { Candidates } from "../net/candidates.ts";
import type { Target } from "../net/remote.ts";
import type { Log } from "../log/log.ts";
import type { Plan } from "./checked_options.ts";
import type { PoolMemory } from "./main_thread.ts";
import type { PoolState } from "./state.ts";

/** A pool that was made, as decisions and connections see it. */
export interface RegisteredPool {
  readonly name: string;
  readonly plan: Plan;
  /** The members. */
  readonly targets: readonly Target[];
  /** Begins to use the memory that all workers share. */
  attach(memory: PoolMemory, log: Log): PoolState;
  /**
   * Begins to choose members for a connection, or goes on with it.
   *
   * @param key What the policy `hash` goes by.
   * @param before What this has returned before, of whichever pool.
   */
  attempt(
    key: Uint8Array | string,
    before: Candidates | undefined,
  ): Candidates;
  /**
   * Tells whether a connection has tried all members in vain.
   *
   * @param before What `attempt` has returned before, of whichever pool.
   */
  hasFailed(before: Candidates | undefined): boolean;
}

/** Filled while the router loads. */
export const POOLS: Map<string, RegisteredPool> = new Map();

/** A decision for a pool. */
export interface PoolTarget {
  readonly pool: RegisteredPool;
  /** What the policy `hash` goes by; `undefined`: the client's IP address. */
  readonly key: Uint8Array | undefined;
}
