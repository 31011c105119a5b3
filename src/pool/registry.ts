/**
 * The pools of this worker, by name.
 *
 * @module
 */
import type { MadePool } from "./router_pool.ts";

/** Filled while the router loads. */
export const POOLS: Map<string, MadePool> = new Map();

/** A decision for a pool. */
export interface PoolTarget {
  readonly pool: MadePool;
  /** What the policy `hash` goes by; `undefined`: the client's IP address. */
  readonly key: Uint8Array | undefined;
}
