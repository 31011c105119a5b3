import { assert, assertEquals } from "@std/assert";
import type { Sample } from "./sampler.ts";
import type { Phase } from "./soak.ts";
import { judge, type Point, trend } from "./verdicts.ts";

const FLAT: Sample = {
  time: 0,
  memory: 100e6,
  descriptors: 60,
  spare: 40,
  threads: 10,
  lag: 1,
  toldMemory: 100e6,
  heap: 10e6,
  toldLag: 5,
  scrape: 3,
  open: 10,
  rate: 50,
};

const PHASES: readonly Phase[] = [
  { name: "steady", from: 0, to: 90 },
  { name: "reloading", from: 90, to: 180 },
];

/** Samples of three minutes, each with what it differs in. */
function samples(difference: (time: number) => Partial<Sample>): Sample[] {
  return Array.from(
    { length: 180 },
    (_, time) => ({ ...FLAT, time, ...difference(time) }),
  );
}

/** What is not flat. */
function broken(
  difference: (time: number) => Partial<Sample>,
  after: Partial<Sample> = {},
): string[] {
  return judge({
    before: FLAT,
    after: { ...FLAT, ...after },
    samples: samples(difference),
    phases: PHASES,
  }).filter(({ ok }) => !ok)
    .map(({ quantity, where }) => `${quantity.name}: ${where}`);
}

Deno.test("trend() finds a line through points, some of which are far off", () => {
  const points = Array.from(
    { length: 100 },
    (_, time): Point => [time, time % 10 === 0 ? 1e6 : 5 + 2 * time],
  );
  const [from, to] = trend(points);
  assert(Math.abs(from - 5) < 0.5, String(from));
  assert(Math.abs(to - 203) < 0.5, String(to));
});

Deno.test("judge() takes what goes up and down for flat, and growth in the warm-up", () => {
  assertEquals(
    broken((time) => ({
      memory: 100e6 + 20e6 * (time % 2) + 50e6 * Math.min(1, time / 20),
      threads: time % 10 === 0 ? 30 : 10,
      lag: time % 7 === 0 ? 200 : 1,
    })),
    [],
  );
});

Deno.test("judge() finds a leak while nothing is reloaded, and one of reloads", () => {
  assertEquals(
    broken((time) => ({ memory: 100e6 + 0.7e6 * Math.min(90, time) })),
    ["memory: steady"],
  );
  assertEquals(
    broken((time) => ({ spare: 40 + Math.floor(Math.max(0, time - 90) / 10) })),
    ["descriptors that are no connection's: reloading"],
  );
});

Deno.test("judge() finds what is left after the load", () => {
  assertEquals(broken(() => ({}), { spare: 41, memory: 151e6 }), [
    "memory: before and after",
    "descriptors that are no connection's: before and after",
  ]);
});

Deno.test("judge() does not take what was not measured for flat", () => {
  assertEquals(broken(() => ({ lag: NaN })), [
    "event loop lag: steady",
    "event loop lag: reloading",
  ]);
});
