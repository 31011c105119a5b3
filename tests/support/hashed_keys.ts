/**
 * Keys of which it is known what the policy `hash` makes of them.
 *
 * @module
 */
import { hash, score } from "../../src/pool/hash.ts";

/** A member of a pool, and its weight. */
export type Weighted = readonly [remote: string, weight: number];

/**
 * Finds keys for a pool whose members have ports that differ from run to run:
 * with keys that are the same in each run, all would fall to one member in some.
 *
 * @param members The members.
 * @param count How many keys each member is to get.
 * @param keyOf Makes a key of a number.
 * @returns Keys, each with the remote that it belongs to; those of the members
 * in turns.
 */
export function hashedKeys(
  members: readonly Weighted[],
  count: number,
  keyOf: (index: number) => string,
): { readonly key: string; readonly remote: string }[] {
  const found = new Map(members.map(([remote]) => [remote, [] as string[]]));
  const isShort = (keys: readonly string[]) => keys.length < count;
  for (let index = 0; [...found.values()].some(isShort); index++) {
    const key = keyOf(index);
    const keys = found.get(winner(members, key));
    if (keys !== undefined && isShort(keys)) keys.push(key);
  }
  return Array.from(
    { length: count },
    (_, index) =>
      [...found].map(([remote, keys]) => ({
        key: String(keys[index]),
        remote,
      })),
  )
    .flat();
}

function winner(members: readonly Weighted[], key: string): string {
  let [best, highest] = ["", 0];
  for (const [remote, weight] of members) {
    const drawn = score(hash(remote), weight, hash(key));
    if (drawn > highest) [best, highest] = [remote, drawn];
  }
  return best;
}
