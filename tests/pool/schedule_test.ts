import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { schedule } from "../../src/pool/schedule.ts";

Deno.test("schedule() takes members by turns, and spreads those of one evenly", () => {
  const cases: [weights: number[], turns: number[]][] = [
    [[1], [0]],
    [[1, 1, 1], [0, 1, 2]],
    [[7, 7], [0, 1]],
    [[2, 1, 1], [0, 1, 2, 0]],
    [[5, 1, 1], [0, 0, 0, 1, 2, 0, 0]],
    [[0, 3, 0], [1]],
    [[0, 0], []],
  ];
  for (const [weights, turns] of cases) {
    assertEquals(schedule(weights), turns, String(weights));
  }
});

Deno.test("schedule() gives each member its share, in all and along the way", () => {
  const weights = fc.array(fc.nat(256), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(weights, (weights) => {
    const turns = schedule(weights);
    const sum = weights.reduce((one, other) => one + other);
    const counts = weights.map(() => 0);
    turns.forEach((member, index) => {
      counts[member] = (counts[member] ?? 0) + 1;
      weights.forEach((weight, other) => {
        const share = (index + 1) * weight / sum;
        // half a turn by rounding, and half of one of each other member's
        const bound = 0.5 + weights.length / 2 * (weight / sum) + 1e-6;
        assert(Math.abs((counts[other] ?? 0) - share) <= bound + 0.5);
      });
    });
    for (const [member, weight] of weights.entries()) {
      assertEquals((counts[member] ?? 0) * sum, weight * turns.length);
    }
  }));
});
