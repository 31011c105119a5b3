import assert from "node:assert/strict";
import {
  Broken,
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
    assert.equal(read(port, good), good);
    assert.equal(parse(port, String(good)), good);
  }
  for (const bad of [-1, 65_536, 0.5, NaN, Infinity, "443", null, [443], {}]) {
    assert.equal(read(port, bad), rule);
  }
  for (const bad of ["-1", "65536", "0.5", "", " 1", "1e3", "0x10", "+1"]) {
    assert.equal(parse(port, bad), rule);
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
    assert.equal(read(kind, least), least * 1000);
    assert.equal(read(kind, 100), 100_000);
    assert.equal(parse(kind, "2.5"), 2500);
    assert.equal(parse(kind, ".5"), 500);
    for (const bad of [tooLittle, 100.1, NaN, "1", true, null]) {
      assert.equal(read(kind, bad), rule);
    }
    for (const bad of ["", "-1", "1e1", "1s", "NaN", "101"]) {
      assert.equal(parse(kind, bad), rule);
    }
  }
});

Deno.test("word(), exactly(), text(), nonEmpty() and bytes() say what they must be", () => {
  assert.equal(read(word(["a", "b"]), "b"), "b");
  assert.equal(parse(word(["a", "b"]), "c"), "must be one of a, b");
  assert.equal(read(exactly(1, 2), 2), 2);
  assert.equal(parse(exactly(1, 2), "2"), 2);
  assert.equal(read(exactly(1, 2), "2"), "must be 1 or 2");
  assert.equal(read(exactly(true), false), "must be true");
  const name = text("must be a name", (name) => name.length < 3);
  assert.equal(read(name, "ab"), "ab");
  assert.equal(read(name, "abc"), "must be a name");
  assert.equal(read(nonEmpty("a path"), 1), "must be a path");
  assert.equal(read(nonEmpty("a path"), ""), "must not be empty");
  assert.equal(parse(nonEmpty("a path"), ""), "must not be empty");
  assert.deepEqual(read(bytes(), "ä"), new Uint8Array([0xc3, 0xa4]));
  const own = new Uint8Array([1]);
  assert.equal(read(bytes(), own), own);
  assert.equal(read(bytes(), 1), "must be a Uint8Array or a string");
});

Deno.test("parsed() and map() read a text as something else, or say why not", () => {
  const url = parsed("a URL", (text) => URL.parse(text) ?? "must be a URL");
  const host = map(url, ({ host }) => host);
  assert.equal(read(host, "http://a.example/"), "a.example");
  assert.equal(read(host, "a"), "must be a URL");
  assert.equal(read(host, 7), "must be a URL");
  assert.equal(host.json, url.json);
});

Deno.test("oneOrMore() reads one, a list, or a text with commas", () => {
  const rule = "must be a number, or a list of those";
  const list = oneOrMore(whole(1, 9), rule, 3);
  assert.deepEqual(read(list, 3), [3]);
  assert.deepEqual(read(list, [3, 4]), [3, 4]);
  assert.deepEqual(parse(list, "3,4"), [3, 4]);
  assert.equal(read(list, []), rule);
  assert.equal(read(list, "3"), rule);
  assert.equal(read(list, [1, 2, 3, 4]), "must be a list of at most 3");
  const broken = list.read([3, 10]);
  assert.ok(broken instanceof Broken);
  assert.deepEqual(broken.path, [1]);
  assert.equal(broken.value, 10);
});

Deno.test("readFields() reads known keys, and names the way to a mistake", () => {
  const fields = {
    interval: secondsFrom(1, 9),
    members: oneOrMore(whole(1, 9), "must be numbers"),
  };
  const good = readFields({ interval: 2, members: undefined }, fields);
  assert.deepEqual(good, { interval: 2000, members: undefined });
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
    assert.ok(broken instanceof Broken, name);
    assert.equal(broken.name, name);
    assert.equal(broken.rule, rule);
    assert.deepEqual(broken.value, current);
  }
});
