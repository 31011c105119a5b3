/**
 * The policies: which member of a pool a connection gets.
 *
 * @module
 */
import { CELL } from "./memory.ts";
import { hash, score } from "./hash.ts";
import { schedule } from "./schedule.ts";
import type { PoolState } from "./state.ts";

/**
 * Chooses a member.
 *
 * @param allowed Tells whether a member may be chosen.
 * @param key What the policy `hash` goes by.
 * @returns The number of the member; -1 if none is allowed.
 */
export type Chooser = (
  allowed: (member: number) => boolean,
  key: Uint8Array | string,
) => number;

/** Makes the chooser of a pool. */
export function chooser(state: PoolState): Chooser {
  switch (state.plan.policy) {
    case "round-robin":
      return roundRobin(state);
    case "least-connections":
      return leastConnections(state);
    case "hash":
      return rendezvous(state);
  }
}

function roundRobin({ cells, plan }: PoolState): Chooser {
  const turns = schedule(plan.members.map(({ weight }) => weight));
  return (allowed) => {
    // another turn, rather than the next in line, which would get two shares
    for (let tries = 0; tries < turns.length; tries++) {
      const member = turns[cells.turn() % turns.length] as number;
      if (allowed(member)) return member;
    }
    // other workers have taken the turns of the members that are allowed
    return turns.find(allowed) ?? -1;
  };
}

function leastConnections({ cells, plan: { members } }: PoolState): Chooser {
  return (allowed) => {
    // among those with equally few connections, by turns
    const first = cells.turn() % members.length;
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < members.length; i++) {
      const member = (first + i) % members.length;
      const weight = members[member]?.weight ?? 0;
      const load = (cells.get(member, CELL.active) + 1) / weight;
      // checked last, as it is the most expensive
      if (load >= least || !allowed(member)) continue;
      best = member;
      least = load;
    }
    return best;
  };
}

function rendezvous({ plan: { members } }: PoolState): Chooser {
  const hashes = members.map(({ target, weight }) => ({
    hash: hash(target.remote),
    weight,
  }));
  return (allowed, key) => {
    const hashed = hash(key);
    let best = -1;
    let highest = 0;
    hashes.forEach(({ hash, weight }, member) => {
      const drawn = score(hash, weight, hashed);
      if (drawn <= highest || !allowed(member)) return;
      best = member;
      highest = drawn;
    });
    return best;
  };
}
