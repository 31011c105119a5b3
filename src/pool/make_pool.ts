/**
 * What a router makes a pool with.
 *
 * @module
 */
import { makePool } from "./router_pool.ts";
import type { Pool, PoolOptions } from "./options.ts";

/**
 * Makes a pool of remotes, whose state all workers share. Only while the router
 * loads, so not in a hook; every worker must make the same pools.
 *
 * @param name What decisions and logs call it: letters, digits, and any of
 * `_.:-`; each pool has its own.
 * @param options The members, how they are chosen, and how they are watched.
 * @returns The pool.
 * @throws {TypeError} If a rule is broken, the name is taken, or the router has
 * been loaded; the message names the key, the rule and the value.
 */
export function pool(name: string, options: PoolOptions): Pool {
  return makePool(name, options);
}
