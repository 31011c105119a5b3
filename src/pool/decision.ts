/**
 * The keys `pool` and `key` of a decision.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import { bytes, type Kind, kind } from "../lib/kinds.ts";
import { POOLS, type RegisteredPool } from "./registry.ts";

/** The longest key, in bytes: each of them is read for each connection. */
const MAX_KEY = 65_536;

/** The name of a pool, read as that pool. */
export const POOL: Kind<RegisteredPool> = kind(
  "must be the name of a pool",
  {},
  (name) => {
    const pool = typeof name === "string" ? POOLS.get(name) : undefined;
    return pool ?? new Broken(whichPool(), name);
  },
);

function whichPool(): string {
  const names = [...POOLS.keys()].slice(0, 8).join(", ");
  return names === ""
    ? "must be the name of a pool, and the router has made none"
    : `must be the name of a pool that the router has made (${names})`;
}

const BYTES = bytes();

/** What chooses a member. */
export const POOL_KEY: Kind<Uint8Array> = kind(
  `must be a Uint8Array or a string of at most ${MAX_KEY} bytes`,
  {},
  (value) => {
    const key = BYTES.read(value);
    return key instanceof Broken || key.length > MAX_KEY ? undefined : key;
  },
);

/**
 * Says which rule a pool breaks that gets a key.
 *
 * @returns The rule, or `undefined` if the pool chooses by keys.
 */
export function whyNoKey({ name, plan }: RegisteredPool): string | undefined {
  return plan.policy === "hash"
    ? undefined
    : `must go with the policy hash, which the pool ${name} does not have`;
}
