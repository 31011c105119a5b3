import { assertEquals } from "@std/assert";
import { type Log, makeLog } from "../../src/log/log.ts";
import { Troubles } from "../../src/log/recent_problems.ts";

/** What is kept of the lines of a log. */
function start(): { log: Log; troubles: Troubles } {
  const troubles = new Troubles();
  return { troubles, log: makeLog("debug", (line) => troubles.add(line)) };
}

Deno.test("Troubles counts lines of the same text, and keeps the last, the newest text first", () => {
  const { log, troubles } = start();
  for (const number of [1, 2, 3]) {
    log.error("Connect {remote} failed: {error}", {
      remote: `10.0.0.${number}:80`,
      error: "refused",
      client: `10.9.9.9:${number}`,
    });
  }
  log.warn("Retrying {remote} (#{number})", { remote: "a:1", number: 2 });
  log.warn("Connect {remote} failed: {error}", { remote: "b:1", error: "no" });
  assertEquals(
    troubles.list().map(({ level, text, message, count }) => [
      level,
      text,
      message,
      count,
    ]),
    [
      ["warn", "Connect {remote} failed: {error}", "Connect b:1 failed: no", 1],
      ["warn", "Retrying {remote} (#{number})", "Retrying a:1 (#2)", 1],
      [
        "error",
        "Connect {remote} failed: {error}",
        "Connect 10.0.0.3:80 failed: refused",
        3,
      ],
    ],
  );
});

Deno.test("Troubles keeps one entry when the values come from clients", () => {
  const { log, troubles } = start();
  log.error("The router left a rejected promise: {error}", { error: "rare" });
  for (let number = 0; number < 100; number++) {
    log.error("Cannot route {client} as {hook}() threw: {error}", {
      client: `10.0.0.9:${number}`,
      hook: "route",
      error: `Cannot connect to {client} $& (client ${number})`,
    });
  }
  assertEquals(troubles.list().map(({ count }) => count), [100, 1]);
  assertEquals(
    troubles.list()[0]?.message,
    "Cannot route 10.0.0.9:99 as route() threw: Cannot connect to {client} $& (client 99)",
  );
});

Deno.test("Troubles keeps the last 50 texts of warnings and errors, and nothing else", () => {
  const troubles = new Troubles();
  const add = (level: "warn" | "info" | "debug", text: string) =>
    troubles.add({ level, time: 1000, text, fields: {} });
  add("info", "nothing");
  add("debug", "nothing");
  for (let number = 0; number < 60; number++) add("warn", `message ${number}`);
  const list = troubles.list();
  assertEquals(list.length, 50);
  assertEquals(list[0]?.message, "message 59");
  assertEquals(list[0]?.time, "1970-01-01T00:00:01.000Z");
  assertEquals(list.at(-1)?.message, "message 10");
  add("warn", "x".repeat(5000));
  assertEquals(troubles.list()[0]?.message.length, 1001);
});
