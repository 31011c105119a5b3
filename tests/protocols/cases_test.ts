/**
 * First messages of real clients, most of them odd: each has to be recognised
 * by its parser, and by no other that guesses.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  assertEveryPrefix,
  guessing,
  indistinguishable,
  type ParserName,
  parsers,
  plain,
} from "../support/protocols/checks.ts";

/** A field's value; `null` = it is `undefined`. */
type Expected = unknown | { oneOf: unknown[] } | { noneOf: unknown[] };

interface Case {
  readonly file: string;
  readonly protocol: ParserName;
  readonly expect: Readonly<Record<string, Expected>>;
  readonly note: string;
}

const folder = new URL("cases/", import.meta.url);
const cases: readonly Case[] = JSON.parse(
  Deno.readTextFileSync(new URL("cases.json", folder)),
);

for (const { file, protocol, expect, note } of cases) {
  const bytes = Deno.readFileSync(new URL(file, folder));

  Deno.test(`${protocol}() reads ${file}: ${note}`, () => {
    const value = plain(parsers[protocol](bytes)) as Record<string, unknown>;
    assert(value, `${protocol}() says ${value}`);
    for (const [field, expected] of Object.entries(expect)) {
      assertField(value[field], expected, field);
    }
    assertEveryPrefix(protocol, bytes, value);
  });

  Deno.test(`no other parser claims ${file}: ${note}`, () => {
    for (const other of guessing) {
      if (other === protocol || indistinguishable[protocol]?.[other]) continue;
      for (let length = 0; length <= bytes.length; length++) {
        const value = parsers[other](bytes.subarray(0, length));
        assert(!value, `${other}() of ${length} bytes`);
      }
    }
  });
}

Deno.test("every file of a message is in the list", () => {
  const listed = new Set(cases.map(({ file }) => file));
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assertEquals(
    files.filter((name) => name.endsWith(".bin") && !listed.has(name)),
    [],
  );
});

function assertField(value: unknown, expected: Expected, field: string): void {
  const isRule = typeof expected === "object" && expected !== null;
  if (isRule && "oneOf" in expected) {
    const values = expected.oneOf as unknown[];
    assert(values.some((one) => isSame(value, one)), `${field} is ${value}`);
  } else if (isRule && "noneOf" in expected) {
    const values = expected.noneOf as unknown[];
    assert(!values.some((one) => isSame(value, one)), `${field}: ${value}`);
  } else {
    assertEquals(value, expected ?? undefined, field);
  }
}

function isSame(value: unknown, expected: unknown): boolean {
  return value === (expected ?? undefined);
}
