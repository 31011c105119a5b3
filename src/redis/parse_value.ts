/**
 * The values of a table.
 *
 * @module
 */
import { parseTargets, POOL_PREFIX } from "../net/remote.ts";
import { describe } from "../lib/errors.ts";
import { POOLS } from "../pool/registry.ts";
import type { TableRemotes } from "./options.ts";

/** Bytes of a value, at most. */
export const MAX_VALUE = 4096;

/** A value that is none. */
export interface BadValue {
  readonly rule: string;
  readonly current: string;
}

/**
 * Reads a value.
 *
 * @param text What Redis has; one more than {@linkcode MAX_VALUE} bytes of it
 * are enough.
 * @returns The remote, a list of several, or `pool:` and the name of a pool that
 * the router has made; `undefined` if it is empty, or the rule that it breaks.
 */
export function parseValue(text: string): TableRemotes | undefined | BadValue {
  if (new TextEncoder().encode(text).length > MAX_VALUE) {
    const current = `longer, and begins with ${describe(text.slice(0, 40))}`;
    return { rule: `must have at most ${MAX_VALUE} bytes`, current };
  }
  const remotes = text.split(/[\s,]+/).filter((remote) => remote !== "");
  const [first] = remotes;
  if (first === undefined) return undefined;
  const value = remotes.length === 1 ? first : Object.freeze(remotes);
  const targets = parseTargets(value);
  if (!("rule" in targets)) return value;
  if (remotes.length === 1 && first.startsWith(POOL_PREFIX)) {
    if (POOLS.has(first.slice(POOL_PREFIX.length))) return first;
    const rule = "must name a pool that the router has made";
    return { rule, current: describe(first) };
  }
  return { rule: targets.rule, current: describe(targets.value) };
}
