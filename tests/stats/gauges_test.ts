import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Gauges } from "../../src/stats/gauges.ts";
import { Share } from "../../src/stats/worker_counts.ts";
import { delay } from "../support/delay.ts";

Deno.test("Gauges counts what is open now, at most and in all", () => {
  const gauges = new Gauges(undefined);
  assertEquals(String(gauges), "0/0/0");
  assertEquals([gauges.opened(), gauges.opened()], [1, 2]);
  assertEquals(String(gauges), "2/2/2");
  gauges.closed();
  gauges.closed();
  assertEquals(gauges.opened(), 3);
  assertEquals(String(gauges), "1/2/3");
  assertEquals(gauges.open, 1);
  assertEquals(gauges.maximum, 2);
  assertEquals(gauges.total, 3);
});

Deno.test("Gauges counts connections that have a remote", () => {
  const gauges = new Gauges(undefined);
  gauges.connected(1);
  gauges.connected(1);
  gauges.connected(-1);
  assertEquals(gauges.connectedNow, 1);
});

Deno.test("Gauges are the same numbers when another thread is given the shared ones", () => {
  const one = new Gauges(3);
  const two = new Gauges(one.shared);
  assertEquals(two.limit, 3);
  one.opened();
  assertEquals(two.opened(), 2, "numbers are unique across threads");
  assertEquals(String(one), "2/2/2");
  two.limit = 1;
  assertEquals(one.limit, 1);
  assertEquals(one.maximumLimit, 3);
});

Deno.test("reserve() gives as many places as the limit leaves", () => {
  const gauges = new Gauges(2);
  assertEquals(gauges.reserve(), true);
  assertEquals(gauges.reserve(), true);
  assertEquals(gauges.reserve(), false);
  assertEquals(gauges.reserve(), false, "a refusal takes no place");
  gauges.unreserve();
  assertEquals(gauges.reserve(), true);
  gauges.opened();
  assertEquals(gauges.reserve(), false, "opened() uses the reserved place");
  gauges.closed();
  assertEquals(gauges.reserve(), true, "closed() gives it back");
});

Deno.test("reserve() gives no place until there are fewer connections when the limit was lowered", () => {
  const gauges = new Gauges(10);
  for (let i = 0; i < 5; i++) {
    gauges.reserve();
    gauges.opened();
  }
  gauges.limit = 3;
  assertEquals(gauges.reserve(), false);
  gauges.closed();
  gauges.closed();
  assertEquals(gauges.reserve(), false);
  gauges.closed();
  assertEquals(gauges.reserve(), true);
});

Deno.test("reserve() always gives a place when there is no limit", () => {
  const gauges = new Gauges(undefined);
  for (let i = 0; i < 100_000; i++) assertEquals(gauges.reserve(), true);
});

Deno.test("Gauges counts how often and how long there was no place", async () => {
  const gauges = new Gauges(2);
  const times = () => gauges.counters.snapshot()["max-connections"];
  const milliseconds = () => gauges.counters.snapshot()["max-connections-ms"];
  gauges.opened();
  assertEquals(times(), 0);
  gauges.opened();
  assertEquals(times(), 1);
  assertEquals(gauges.mayWarn(), true);
  await delay(30);
  assertEquals(milliseconds(), 0, "it is not over yet");
  gauges.closed();
  const first = milliseconds();
  assert(first >= 25 && first < 60_000, `${first}`);
  assertEquals(gauges.mayWarn(), false, "there is a place");
  gauges.closed();
  assertStrictEquals(milliseconds(), first);
  gauges.opened();
  gauges.opened();
  assertEquals(times(), 2);
});

Deno.test("mayWarn() gives the word once a minute, to one thread", () => {
  const one = new Gauges(1);
  const two = new Gauges(one.shared);
  one.opened();
  const answers = [one, two, one, two].map((gauges) => gauges.mayWarn());
  // a minute may end meanwhile
  assertEquals(answers[0], true);
  assert(answers.filter(Boolean).length <= 2);
});

Deno.test("snapshot() of Gauges has all numbers", () => {
  const gauges = new Gauges(undefined);
  gauges.opened();
  gauges.opened();
  gauges.connected(1);
  gauges.closed();
  gauges.counters.add("done");
  const { counts, ...numbers } = gauges.snapshot();
  assertEquals(numbers, {
    open: 1,
    maximum: 2,
    total: 2,
    connected: 1,
    limit: Infinity,
  });
  assertEquals(counts.done, 1);
  assertEquals(new Gauges(7).snapshot().limit, 7);
});

Deno.test("giveBack() takes out what a worker that has died had counted", () => {
  const main = new Gauges(5);
  const share = new Share();
  const dead = new Gauges(main.shared, share);
  const alive = new Gauges(main.shared);
  for (const gauges of [dead, dead, alive]) {
    gauges.reserve();
    gauges.opened();
  }
  dead.connected(1);
  alive.connected(1);
  dead.reserve(); // waits for the next connection
  dead.closed();
  assertEquals(
    [share.open, share.connected, share.reserved],
    [1, 1, 2],
  );
  main.giveBack(new Share(share.shared));
  assertEquals(String(main), "1/3/3");
  assertEquals(String(main.counters), "worker-died 1");
  assertEquals(main.connectedNow, 1);
  assertEquals(alive.reserve(), true);
  for (let i = 0; i < 3; i++) assertEquals(alive.reserve(), true);
  assertEquals(alive.reserve(), false, "five places, one of them was open");
});

Deno.test("a refused reserve() counts nothing for the worker", () => {
  const share = new Share();
  const gauges = new Gauges(1, share);
  assertEquals([gauges.reserve(), gauges.reserve()], [true, false]);
  assertEquals(share.reserved, 1);
  gauges.unreserve();
  assertEquals(share.reserved, 0);
});

Deno.test("setMaximum() changes the limit, also one that was lowered", () => {
  const gauges = new Gauges(10);
  gauges.limit = 3;
  gauges.setMaximum(20);
  assertEquals([gauges.limit, gauges.maximumLimit], [20, 20]);
  gauges.setMaximum(Infinity);
  assertEquals([gauges.limit, gauges.maximumLimit], [
    2 ** 31 - 1,
    2 ** 31 - 1,
  ]);
});

Deno.test("one worker asks for a higher limit, until it is answered", () => {
  const main = new Gauges(1);
  const one = new Gauges(main.shared);
  const two = new Gauges(main.shared);
  assertEquals(one.mayAsk(), false);
  main.setMore(true);
  assertEquals([one.mayAsk(), two.mayAsk(), one.mayAsk()], [
    true,
    false,
    false,
  ]);
  main.setMaximum(2);
  main.setMore(true);
  assertEquals([two.mayAsk(), one.mayAsk()], [true, false]);
  main.setMore(false);
  assertEquals(one.mayAsk(), false);
});

Deno.test("a limit that may grow is not said to be met", () => {
  const gauges = new Gauges(1);
  gauges.setMore(true);
  gauges.reserve();
  gauges.opened();
  assertEquals(gauges.mayWarn(), false);
  assertEquals(gauges.counters.snapshot()["max-connections"], 0);
  gauges.setMore(false);
  assertEquals(gauges.mayWarn(), true);
});

Deno.test("no worker asks for a higher limit than one that was lowered", () => {
  const gauges = new Gauges(10);
  gauges.setMore(true);
  gauges.limit = 5;
  assertEquals(gauges.mayAsk(), false);
});
