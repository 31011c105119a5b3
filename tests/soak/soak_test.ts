/**
 * A soak test that is short: enough to see that all adds up, and that nothing is
 * left open. Memory needs minutes: `deno task soak`.
 */
import { assert, assertEquals } from "@std/assert";
import { test } from "../support/test.ts";
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
  assertEquals(troubles, []);
  assert(after.spare <= before.spare, `${after.spare} descriptors`);
  assertEquals(after.open, 0);
  assert(samples.length > 0);
  assert(reloads.some(({ good }) => good));
  assertEquals(
    done.filter(({ connections }) => connections === 0),
    [],
  );
  assertEquals(done.length, LOADS.length);
  assert(plot(observed).endsWith("</svg>\n"));
});
