import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Counter, COUNTERS, Counters } from "../../src/stats/counters.ts";

function start(): Counters {
  return new Counters(new SharedArrayBuffer(Counters.BYTES));
}

Deno.test("Counters counts each name by itself", () => {
  const counters = start();
  for (const [index, name] of COUNTERS.entries()) counters.add(name, index + 1);
  counters.add("done");
  const counts = counters.snapshot();
  assertEquals(Object.keys(counts), [...COUNTERS]);
  for (const [index, name] of COUNTERS.entries()) {
    assertEquals(counts[name], index + 1 + (name === "done" ? 1 : 0), name);
  }
});

Deno.test("Counters are the same numbers when another thread is given the shared ones", () => {
  const shared = new SharedArrayBuffer(Counters.BYTES + 16);
  const one = new Counters(shared, 8);
  const two = new Counters(shared, 8);
  one.add("done");
  two.add("done");
  assertEquals(one.snapshot().done, 2);
  assertEquals(String(two), "done 2");
});

Deno.test("Counters does not wrap", () => {
  const counters = start();
  for (let i = 0; i < 4; i++) counters.add("lines-dropped", 2 ** 32);
  assertStrictEquals(counters.snapshot()["lines-dropped"], 2 ** 34);
});

Deno.test("toString() of Counters names those that are not zero", () => {
  const counters = start();
  assertEquals(String(counters), "");
  const some: Counter[] = ["idle-timeout", "done", "done"];
  for (const name of some) counters.add(name);
  assertEquals(String(counters), "done 2, idle-timeout 1");
});
