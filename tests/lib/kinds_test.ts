import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Broken } from "../../src/lib/broken.ts";
import {
  bytes,
  exactly,
  type Kind,
  map,
  nonEmpty,
  oneOrMore,
  parsed,
  positiveSeconds,
  readFields,
  secondsFrom,
  secondsOrNone,
  text,
  whole,
  word,
} from "../../src/lib/kinds.ts";

/** What a kind says about a value: what it is read as, or the broken rule. */
function read(kind: Kind<unknown>, value: unknown): unknown {
  const result = kind.read(value);
  return result instanceof Broken ? result.rule : result;
}

function parse(kind: Kind<unknown>, value: string): unknown {
  const result = kind.parse(value);
  return result instanceof Broken ? result.rule : result;
}

Deno.test("whole() has bounds, which belong to it, and takes digits only", () => {
  const port = whole(0, 65_535);
  const rule = "must be a whole number from 0 to 65535";
  for (const good of [0, 443, 65_535]) {
    assertStrictEquals(read(port, good), good);
    assertStrictEquals(parse(port, String(good)), good);
  }
  for (const bad of [-1, 65_536, 0.5, NaN, Infinity, "443", null, [443], {}]) {
    assertStrictEquals(read(port, bad), rule);
  }
  for (const bad of ["-1", "65536", "0.5", "", " 1", "1e3", "0x10", "+1"]) {
    assertStrictEquals(parse(port, bad), rule);
  }
});

Deno.test("the kinds of seconds are read as milliseconds, each with its least", () => {
  const cases: [
    Kind<number>,
    least: number,
    tooLittle: number,
    rule: string,
  ][] = [
    [
      secondsFrom(0.001, 100),
      0.001,
      0.0009,
      "must be a number of seconds from 0.001 to 100",
    ],
    [
      positiveSeconds(100),
      0.5,
      0,
      "must be a positive number of seconds, at most 100",
    ],
    [
      secondsOrNone(100),
      0,
      -1,
      "must be a number of seconds, at most 100, or 0 for no limit",
    ],
  ];
  for (const [kind, least, tooLittle, rule] of cases) {
    assertEquals(read(kind, least), least * 1000);
    assertEquals(read(kind, 100), 100_000);
    assertEquals(parse(kind, "2.5"), 2500);
    assertEquals(parse(kind, ".5"), 500);
    for (const bad of [tooLittle, 100.1, NaN, "1", true, null]) {
      assertStrictEquals(read(kind, bad), rule);
    }
    for (const bad of ["", "-1", "1e1", "1s", "NaN", "101"]) {
      assertStrictEquals(parse(kind, bad), rule);
    }
  }
});

Deno.test("word(), exactly(), text(), nonEmpty() and bytes() say what they must be", () => {
  assertEquals(read(word(["a", "b"]), "b"), "b");
  assertEquals(parse(word(["a", "b"]), "c"), "must be one of a, b");
  assertEquals(read(exactly(1, 2), 2), 2);
  assertEquals(parse(exactly(1, 2), "2"), 2);
  assertEquals(read(exactly(1, 2), "2"), "must be 1 or 2");
  assertEquals(read(exactly(true), false), "must be true");
  const name = text("must be a name", (name) => name.length < 3);
  assertEquals(read(name, "ab"), "ab");
  assertEquals(read(name, "abc"), "must be a name");
  assertEquals(read(nonEmpty("a path"), 1), "must be a path");
  assertEquals(read(nonEmpty("a path"), ""), "must not be empty");
  assertEquals(parse(nonEmpty("a path"), ""), "must not be empty");
  assertEquals(read(bytes(), "ä"), new Uint8Array([0xc3, 0xa4]));
  const own = new Uint8Array([1]);
  assertStrictEquals(read(bytes(), own), own);
  assertEquals(read(bytes(), 1), "must be a Uint8Array or a string");
});

Deno.test("parsed() and map() read a text as something else, or say why not", () => {
  const url = parsed("a URL", (text) => URL.parse(text) ?? "must be a URL");
  const host = map(url, ({ host }) => host);
  assertEquals(read(host, "http://a.example/"), "a.example");
  assertEquals(read(host, "a"), "must be a URL");
  assertEquals(read(host, 7), "must be a URL");
  assertStrictEquals(host.json, url.json);
});

Deno.test("oneOrMore() reads one, a list, or a text with commas", () => {
  const rule = "must be a number, or a list of those";
  const list = oneOrMore(whole(1, 9), rule, 3);
  assertEquals(read(list, 3), [3]);
  assertEquals(read(list, [3, 4]), [3, 4]);
  assertEquals(parse(list, "3,4"), [3, 4]);
  assertStrictEquals(read(list, []), rule);
  assertStrictEquals(read(list, "3"), rule);
  assertEquals(read(list, [1, 2, 3, 4]), "must be a list of at most 3");
  const broken = list.read([3, 10]);
  assert(broken instanceof Broken);
  assertEquals(broken.path, [1]);
  assertEquals(broken.value, 10);
});

Deno.test("readFields() reads known keys, and names the way to a mistake", () => {
  const fields = {
    interval: secondsFrom(1, 9),
    members: oneOrMore(whole(1, 9), "must be numbers"),
  };
  const good = readFields({ interval: 2, members: undefined }, fields);
  assertEquals(good, { interval: 2000, members: undefined });
  const mistakes: [unknown, name: string, rule: string, value: unknown][] = [
    [null, "", "must be an object", null],
    [[], "", "must be an object", []],
    [{ interval: 0 }, "interval", fields.interval.rule, 0],
    [
      { members: [1, 0] },
      "members[1]",
      "must be a whole number from 1 to 9",
      0,
    ],
    [{ inter_val: 1 }, "inter_val", "is written interval", 1],
    [{ other: 1 }, "other", "is not one of interval, members", 1],
    [{ toString: 1 }, "toString", "is not one of interval, members", 1],
  ];
  for (const [value, name, rule, current] of mistakes) {
    const broken = readFields(value, fields);
    assert(broken instanceof Broken, name);
    assertEquals(broken.name, name);
    assertStrictEquals(broken.rule, rule);
    assertEquals(broken.value, current);
  }
});
