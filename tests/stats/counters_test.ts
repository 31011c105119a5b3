import assert from "node:assert/strict";
import { type Counter, COUNTERS, Counters } from "../../src/stats/counters.ts";

function start(): Counters {
  return new Counters(new SharedArrayBuffer(Counters.BYTES));
}

Deno.test("Counters counts each name by itself", () => {
  const counters = start();
  for (const [index, name] of COUNTERS.entries()) counters.add(name, index + 1);
  counters.add("done");
  const counts = counters.snapshot();
  assert.deepEqual(Object.keys(counts), [...COUNTERS]);
  for (const [index, name] of COUNTERS.entries()) {
    assert.equal(counts[name], index + 1 + (name === "done" ? 1 : 0), name);
  }
});

Deno.test("Counters are the same numbers when another thread is given the shared ones", () => {
  const shared = new SharedArrayBuffer(Counters.BYTES + 16);
  const one = new Counters(shared, 8);
  const two = new Counters(shared, 8);
  one.add("done");
  two.add("done");
  assert.equal(one.snapshot().done, 2);
  assert.equal(String(two), "done 2");
});

Deno.test("Counters does not wrap", () => {
  const counters = start();
  for (let i = 0; i < 4; i++) counters.add("lines-dropped", 2 ** 32);
  assert.equal(counters.snapshot()["lines-dropped"], 2 ** 34);
});

Deno.test("toString() of Counters names those that are not zero", () => {
  const counters = start();
  assert.equal(String(counters), "");
  const some: Counter[] = ["idle-timeout", "done", "done"];
  for (const name of some) counters.add(name);
  assert.equal(String(counters), "done 2, idle-timeout 1");
});
