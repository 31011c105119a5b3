import { assert, assertEquals } from "@std/assert";
import { type Batch, Outbox } from "../../src/log/outbox.ts";
import type { Level, Line } from "../../src/log/log.ts";
import { delay } from "../support/delay.ts";

/** An outbox that sends no more at once, and what it has sent. */
function start(level: Level = "info"): {
  outbox: Outbox;
  batches: Batch[];
  sent: Promise<Batch>;
} {
  const batches: Batch[] = [];
  const { promise, resolve } = Promise.withResolvers<Batch>();
  let isPrompt = true;
  const outbox = new Outbox((batch) => {
    if (isPrompt) return;
    batches.push(batch);
    resolve(batch);
  }, level);
  for (let number = 0; number < 10; number++) outbox.error("prompt");
  isPrompt = false;
  return { outbox, batches, sent: promise };
}

/** What lines say. */
function said(batch: Batch | undefined): [Level, string][] {
  return (batch?.log ?? []).map(({ level, text }) => [level, text]);
}

Deno.test("Outbox sends the first lines of the log at once, also if its thread is busy", () => {
  const batches: Batch[] = [];
  const outbox = new Outbox((batch) => batches.push(batch), "info");
  for (let number = 1; number <= 12; number++) outbox.info(`${number}`);
  assertEquals(
    batches.map(said),
    Array.from({ length: 10 }, (_, at) => [["info", `${at + 1}`]]),
  );
  outbox.flush();
  assertEquals(said(batches[10]), [["info", "11"], ["info", "12"]]);
  outbox.info("13");
  assertEquals(said(batches[11]), [["info", "13"]]);
  outbox.flush();
});

Deno.test("Outbox sends the lines of both logs in one batch, in their order", async () => {
  const { outbox, batches, sent } = start();
  outbox.info("one");
  outbox.access("a\n");
  outbox.error("two");
  outbox.access("b\n");
  outbox.warn("three");
  assertEquals(batches, [], "nothing is sent at once");
  const { log, ...rest } = await sent;
  assertEquals(rest, { type: "lines", access: "a\nb\n", dropped: 0 });
  assertEquals(said(batches[0]), [
    ["info", "one"],
    ["error", "two"],
    ["warn", "three"],
  ]);
  assertEquals(log.length, 3);
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
  assertEquals(rest, {
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
  assertEquals(batches, []);
});

Deno.test("flush() sends at once, and nothing a second time", async () => {
  const { outbox, batches } = start();
  outbox.info("one");
  outbox.flush();
  outbox.flush();
  assertEquals(batches.map(said), [[["info", "one"]]]);
  outbox.access("a\n");
  outbox.flush();
  assertEquals(batches.map((batch) => batch.access), ["", "a\n"]);
  // the timer of the first line must not send anything either
  await delay(80);
  assertEquals(batches.length, 2);
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
    assertEquals(batches[0]?.log.length, wanted[level]);
    assertEquals(outbox.verbose, level === "debug");
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
  assertEquals(batches[0]?.log.map(({ fields }) => fields), [
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
  assertEquals(batch?.log.length, 20_000);
  assertEquals(batch?.log[19_999]?.fields.i, 19_999);
  assertEquals(batch?.access.split("\n").length, 20_001);
  assertEquals(batch?.dropped, 7);
  outbox.info("again");
  outbox.flush();
  assertEquals(batches[1]?.dropped, 0);
});
