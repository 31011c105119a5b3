import assert from "node:assert/strict";
import { type Batch, Outbox } from "../../src/log/outbox.ts";
import type { Level } from "../../src/log/log.ts";

/** An outbox, and what it has sent. */
function start(level: Level = "info"): {
  outbox: Outbox;
  batches: Batch[];
  sent: Promise<Batch>;
} {
  const batches: Batch[] = [];
  const { promise, resolve } = Promise.withResolvers<Batch>();
  const outbox = new Outbox((batch) => {
    batches.push(batch);
    resolve(batch);
  }, level);
  return { outbox, batches, sent: promise };
}

Deno.test("Outbox sends the lines of both logs in one batch, in their order", async () => {
  const { outbox, batches, sent } = start();
  outbox.info("one");
  outbox.access("a\n");
  outbox.error("two");
  outbox.access("b\n");
  outbox.warn("three");
  assert.deepEqual(batches, [], "nothing is sent at once");
  assert.deepEqual(await sent, {
    type: "lines",
    log: [["info", "one"], ["error", "two"], ["warn", "three"]],
    access: "a\nb\n",
    dropped: 0,
  });
});

Deno.test("Outbox sends nothing when there is nothing", () => {
  const { outbox, batches } = start();
  outbox.flush();
  outbox.debug("not wanted");
  outbox.flush();
  assert.deepEqual(batches, []);
});

Deno.test("flush() sends at once, and nothing a second time", async () => {
  const { outbox, batches } = start();
  outbox.info("one");
  outbox.flush();
  outbox.flush();
  assert.deepEqual(batches.map((batch) => batch.log), [[["info", "one"]]]);
  outbox.access("a\n");
  outbox.flush();
  assert.deepEqual(batches.map((batch) => batch.access), ["", "a\n"]);
  // the timer of the first line must not send anything either
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.equal(batches.length, 2);
});

Deno.test("Outbox leaves a line out when its level is not wanted", () => {
  const wanted: Record<Level, number> = {
    error: 1,
    warn: 2,
    info: 3,
    debug: 4,
  };
  for (const level of ["error", "warn", "info", "debug"] as const) {
    const { outbox, batches } = start(level);
    outbox.error("e");
    outbox.warn("w");
    outbox.info("i");
    outbox.debug("d");
    outbox.flush();
    assert.equal(batches[0]?.log.length, wanted[level]);
    assert.equal(outbox.verbose, level === "debug");
  }
});

Deno.test("Outbox shortens a line when it is very long", () => {
  const { outbox, batches } = start();
  outbox.info("x".repeat(4096));
  outbox.info("y".repeat(1_000_000));
  outbox.flush();
  const [first, second] = batches[0]?.log ?? [];
  assert.equal(first?.[1], "x".repeat(4096));
  assert.equal(second?.[1], `${"y".repeat(4096)}…`);
});

Deno.test("Outbox drops and counts lines when there are too many", () => {
  const { outbox, batches } = start();
  for (let i = 0; i < 20_005; i++) outbox.info(String(i));
  for (let i = 0; i < 20_002; i++) outbox.access(`${i}\n`);
  outbox.flush();
  const [batch] = batches;
  assert.equal(batch?.log.length, 20_000);
  assert.equal(batch?.log[19_999]?.[1], "19999");
  assert.equal(batch?.access.split("\n").length, 20_001);
  assert.equal(batch?.dropped, 7);
  outbox.info("again");
  outbox.flush();
  assert.equal(batches[1]?.dropped, 0);
});
