import { assert, assertEquals } from "@std/assert";
import {
  describe,
  describeError,
  oneLine,
  placeOf,
} from "../../src/lib/errors.ts";

const MEGABYTE = 1 << 20;

/**
 * What clients may send. Work that grows with the square of these would take
 * a quarter of an hour, and no such test would ever end.
 */
const FILLS = [
  " ",
  "\n",
  "\r\n",
  " \n",
  "a",
  ":",
  "%",
  "\0",
  "(",
  "\nat (",
  "\n    at f (file:",
  ":1",
  ":1:",
  "data:",
  "data:a;",
  "data:a;,",
  "data:a/b;,:1",
  "\x1b[",
  "\x1b[1;",
  "file:",
  "\u2028",
];

for (const fill of FILLS) {
  const text = fill.repeat(MEGABYTE / fill.length);
  Deno.test(`messages are short, and made in linear time, of a megabyte of ${JSON.stringify(fill)}`, () => {
    for (const sent of [text, `${text}x`, `x${text}`, `x${text}x`]) {
      for (const line of [oneLine(sent), describeError(new Error(sent))]) {
        assert(line.length <= 2100);
        // deno-lint-ignore no-control-regex
        assertEquals(/[\x00-\x1f\x7f]/.test(line), false);
      }
      for (const value of [sent, { [sent]: sent }, [sent]]) {
        assert(describe(value).length <= 201);
        assertEquals(describe(value).includes("\n"), false);
      }
      const error = new Error("short");
      error.stack = sent;
      const place = placeOf(error);
      assert(place === undefined || place.length <= 1001);
    }
  });
}

Deno.test("oneLine() makes runs with control characters one space, and keeps others", () => {
  assertEquals(oneLine(" a  b \n\t c\0\0d\x1b[31me "), "a  b c de");
  assertEquals(oneLine("x".repeat(1000)), "x".repeat(1000));
  assertEquals(oneLine("x".repeat(1001)), "x".repeat(1000) + "…");
});

Deno.test("oneLine() hides modules of standard input, wherever they are", () => {
  const module = `data:application/typescript;base64,${"eA".repeat(50_000)}`;
  assertEquals(
    oneLine(`no (${module}:3:5) and "${module}" and data: 1`),
    'no (<standard input>:3:5) and "<standard input>" and data: 1',
  );
});

Deno.test("placeOf() is not misled by a message that looks like a stack", () => {
  const error = new TypeError("no\n    at file:///etc/passwd:1:1");
  const place = placeOf(error, "errors_test.ts");
  assertEquals(place?.includes("tests/lib/errors_test.ts:"), true);
  assertEquals(placeOf(error)?.includes("passwd"), false);
});

Deno.test("describe() cuts a long text within its quotes", () => {
  assertEquals(describe("a".repeat(300)), `"${"a".repeat(199)}…`);
  assertEquals(describe("a\n b"), '"a\\n b"');
  assertEquals(describe({ a: 1 }), "{ a: 1 }");
});
