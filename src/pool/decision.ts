/**
 * The keys `pool` and `key` of a decision.
 *
 * @module
 */
import { POOLS, type PoolTarget } from "./registry.ts";

/** The longest key, in bytes: each of them is read for each connection. */
const MAX_KEY = 65_536;

const encoder = new TextEncoder();

/** A rule that one of the keys breaks. */
export interface BadPool {
  readonly key: "pool" | "key";
  readonly rule: string;
}

/**
 * Checks what a decision says about a pool.
 *
 * @param name The value of `pool`.
 * @param key The value of `key`.
 * @returns The pool that was made of that name, or the rule that is broken.
 */
export function parsePool(name: unknown, key: unknown): PoolTarget | BadPool {
  const pool = typeof name === "string" ? POOLS.get(name) : undefined;
  if (pool === undefined) {
    const names = [...POOLS.keys()].slice(0, 8).join(", ");
    const rule = names === ""
      ? "must be the name of a pool, and the router has made none"
      : `must be the name of a pool that the router has made (${names})`;
    return { key: "pool", rule };
  }
  if (key === undefined) return { pool, key };
  if (pool.plan.policy !== "hash") {
    const rule =
      `must go with the policy hash, which the pool ${pool.name} does not have`;
    return { key: "key", rule };
  }
  const bytes = typeof key === "string" ? encoder.encode(key) : key;
  if (!(bytes instanceof Uint8Array) || bytes.length > MAX_KEY) {
    const rule = `must be a Uint8Array or a string of at most ${MAX_KEY} bytes`;
    return { key: "key", rule };
  }
  return { pool, key: bytes };
}
