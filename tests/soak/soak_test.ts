/**
 * A soak test that is short: enough to see that all adds up, and that nothing is
 * left open. Memory needs minutes: `deno task soak`.
 */
import assert from "node:assert/strict";
import { test } from "../fixtures.ts";
import { LOADS } from "./loads.ts";
import { plot } from "./plot.ts";
import { soak } from "./soak.ts";

test("nothing is lost, and nothing is left open, under a mixed load with reloads", async () => {
  const observed = await soak({
    settle: 0,
    steady: 8,
    reloading: 12,
    interval: 4,
  });
  const { before, after, done, samples, reloads, troubles } = observed;
  assert.deepEqual(troubles, []);
  assert.ok(after.spare <= before.spare, `${after.spare} descriptors`);
  assert.equal(after.open, 0);
  assert.ok(samples.length > 0);
  assert.ok(reloads.some(({ good }) => good));
  assert.deepEqual(
    done.filter(({ connections }) => connections === 0),
    [],
  );
  assert.equal(done.length, LOADS.length);
  assert.ok(plot(observed).endsWith("</svg>\n"));
});
