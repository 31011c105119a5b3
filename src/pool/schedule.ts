/**
 * The order of turns of a weighted round robin.
 *
 * @module
 */

/**
 * Makes the order: each member has as many turns in it as its weight (divided
 * by what all weights have in common), spread evenly, so that no run of turns
 * is longer than it must be. It is the same in all workers, which take their
 * turns from one shared counter.
 *
 * @param weights Of each member; whole numbers, 0 for no turns.
 * @returns The numbers of members; empty if all weights are 0.
 */
export function schedule(weights: readonly number[]): number[] {
  const divisor = weights.reduce(commonDivisor, 0);
  const turns: { member: number; at: number }[] = [];
  weights.forEach((weight, member) => {
    const count = weight / divisor;
    for (let turn = 0; turn < count; turn++) {
      turns.push({ member, at: (turn + 0.5) / count });
    }
  });
  // sorting is stable: members whose turn is at the same time keep their order
  return turns.sort((one, other) => one.at - other.at)
    .map(({ member }) => member);
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
