import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Broken, unknownKey } from "../../src/lib/broken.ts";
import {
  fieldsJson,
  oneOrMore,
  positiveSeconds,
  readFields,
  reworded,
  whole,
} from "../../src/lib/kinds.ts";

const DIGIT = whole(1, 9);
const FIELDS = { count: DIGIT, counts: oneOrMore(DIGIT, "must be digits") };

Deno.test("a Broken has all rules that parts of a value break, each with its way", () => {
  const broken = readFields(
    { count: 0, counts: [1, 10, 2, "x"], cuont: 1 },
    FIELDS,
  );
  assert(broken instanceof Broken);
  const outer = broken.in("pool");
  assertEquals(outer.all.map(({ name, value }) => [name, value]), [
    ["pool.count", 0],
    ["pool.counts[1]", 10],
    ["pool.counts[3]", "x"],
    ["pool.cuont", 1],
  ]);
  assertStrictEquals(outer.rule, DIGIT.rule);
});

Deno.test("sentence has the names in quotes, with their way, known ones too", () => {
  const sentenceOf = (value: unknown) => {
    const broken = readFields(value, FIELDS);
    assert(broken instanceof Broken);
    return broken.in("tls").sentence;
  };
  assertStrictEquals(
    sentenceOf({ other: 1 }),
    `"tls.other" is not one of "tls.count", "tls.counts"`,
  );
  assertStrictEquals(
    sentenceOf({ Count: 1 }),
    `"tls.Count" is written "tls.count"`,
  );
  assertStrictEquals(
    sentenceOf({ counts: [1, 0] }),
    `"tls.counts[1]" must be a whole number from 1 to 9`,
  );
});

Deno.test("unknownKey() names the key that was meant, or all", () => {
  const known = ["connectTimeout", "tls"];
  for (const key of ["connect_timeout", "connect-timeout", "CONNECTTIMEOUT"]) {
    assertStrictEquals(unknownKey(key, known), "is written connectTimeout");
  }
  assertStrictEquals(
    unknownKey("timeout", known),
    "is not one of connectTimeout, tls",
  );
});

Deno.test("reworded() keeps what a kind takes, and says its rule in other words", () => {
  const time = reworded(positiveSeconds(9), "must be a time");
  assertStrictEquals(time.read(1.5), 1500);
  assertStrictEquals(time.parse("2"), 2000);
  for (const broken of [time.read(10), time.parse("x")]) {
    assert(broken instanceof Broken);
    assertStrictEquals(broken.rule, "must be a time");
  }
  assertStrictEquals(time.rule, "must be a time");
});

Deno.test("fieldsJson() describes an object of these fields and no others", () => {
  assertEquals(
    fieldsJson({ count: DIGIT, more: DIGIT }, { count: "How many." }, ["more"]),
    {
      type: "object",
      properties: {
        count: { ...DIGIT.json, description: "How many." },
        more: DIGIT.json,
      },
      required: ["more"],
      additionalProperties: false,
    },
  );
});
