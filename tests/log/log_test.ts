import { assertEquals } from "@std/assert";
import { type Line, makeLog, partsOf, render } from "../../src/log/log.ts";

Deno.test("render() puts the values of fields in their places", () => {
  assertEquals(
    render({
      text: "{hook}() of {client}: {hook} {number} {ok}",
      fields: { hook: "route", client: "a {hook} $1", number: 0, ok: false },
    }),
    "route() of a {hook} $1: route 0 false",
  );
});

Deno.test("partsOf() leaves a placeholder without a value as it is", () => {
  assertEquals(
    partsOf({ text: "{toString} {} {a b} {__proto__}{a}", fields: { a: 1 } }),
    ["", "{toString}", " {} {a b} ", "{__proto__}", "", 1, ""],
  );
});

Deno.test("makeLog() takes no line whose level is not wanted", () => {
  const lines: Line[] = [];
  const log = makeLog("warn", (line) => lines.push(line));
  log.error("e {error}", { error: "x", client: undefined });
  log.warn("w");
  log.info("i");
  log.debug("d");
  assertEquals(
    lines.map(({ level, text, fields }) => [
      level,
      text,
      fields,
    ]),
    [["error", "e {error}", { error: "x" }], ["warn", "w", {}]],
  );
  assertEquals(log.verbose, false);
});

Deno.test("A line must have the fields that its text names", () => {
  const log = makeLog("error", () => {});
  // @ts-expect-error: no `error`
  log.error("{remote} failed: {error}", { remote: "a:1" });
  // @ts-expect-error: no fields at all
  log.error("{remote} failed");
  // @ts-expect-error: a value that may be missing
  log.error("{remote} failed", { remote: undefined as string | undefined });
  // @ts-expect-error: a text that the compiler does not know
  log.error("a:1 failed" as string);
  // @ts-expect-error: no value of a field
  log.error("failed", { remote: { hostname: "a" } });
  assertEquals(log.verbose, false);
});
