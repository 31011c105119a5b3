import assert from "node:assert/strict";
import { type Batch, Outbox } from "../../src/log/outbox.ts";
import type { Level, Line } from "../../src/log/log.ts";

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

/** What lines say. */
function said(batch: Batch | undefined): [Level, string][] {
  return (batch?.log ?? []).map(({ level, text }) => [level, text]);
}

Deno.test("Outbox sends the lines of both logs in one batch, in their order", async () => {
  const { outbox, batches, sent } = start();
  outbox.info("one");
  outbox.access("a\n");
  outbox.error("two");
  outbox.access("b\n");
  outbox.warn("three");
  assert.deepEqual(batches, [], "nothing is sent at once");
  const { log, ...rest } = await sent;
  assert.deepEqual(rest, { type: "lines", access: "a\nb\n", dropped: 0 });
  assert.deepEqual(said(batches[0]), [
    ["info", "one"],
    ["error", "two"],
    ["warn", "three"],
  ]);
  assert.equal(log.length, 3);
});

Deno.test("Outbox sends the time of each line, and the fields that have a value", async () => {
  const { outbox, sent } = start();
  const before = Date.now();
  outbox.info("{remote} at {number}", {
    remote: "a:1",
    number: 2,
    pool: undefined,
  });
  const after = Date.now();
  const [line] = (await sent).log;
  const { time, ...rest } = line as Line;
  assert(before <= time && time <= after, `${before} ${time} ${after}`);
  assert.deepEqual(rest, {
    level: "info",
    text: "{remote} at {number}",
    fields: { remote: "a:1", number: 2 },
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
  assert.deepEqual(batches.map(said), [[["info", "one"]]]);
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

Deno.test("Outbox shortens the fields of a line when they are very long together", () => {
  const { outbox, batches } = start();
  outbox.info("{error}", { error: "x".repeat(4096), number: 1 });
  outbox.info("{a}{b}{c}{d}", {
    a: "x".repeat(4000),
    b: "y".repeat(1_000_000),
    c: "z",
    d: 1,
  });
  outbox.flush();
  assert.deepEqual(batches[0]?.log.map(({ fields }) => fields), [
    { error: "x".repeat(4096), number: 1 },
    { a: "x".repeat(4000), b: `${"y".repeat(96)}…`, c: "…", d: 1 },
  ]);
});

Deno.test("Outbox drops and counts lines when there are too many", () => {
  const { outbox, batches } = start();
  for (let i = 0; i < 20_005; i++) outbox.info("{i}", { i });
  for (let i = 0; i < 20_002; i++) outbox.access(`${i}\n`);
  outbox.flush();
  const [batch] = batches;
  assert.equal(batch?.log.length, 20_000);
  assert.equal(batch?.log[19_999]?.fields.i, 19_999);
  assert.equal(batch?.access.split("\n").length, 20_001);
  assert.equal(batch?.dropped, 7);
  outbox.info("again");
  outbox.flush();
  assert.equal(batches[1]?.dropped, 0);
});
