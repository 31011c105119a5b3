/**
 * How much work the parsers do for what a client sends, counted in looks at
 * bytes: time depends on the machine.
 *
 * @module
 */
import { assert, assertStrictEquals } from "@std/assert";
import { parserNames, parsers } from "../support/protocols/checks.ts";
import { latin1 } from "proxymachine";
import { countLooks } from "../support/protocols/counted.ts";
import { samples } from "../support/protocols/samples.ts";

const MEGABYTE = 1 << 20;
/** No parser reads more of a message. */
const MAX_MESSAGE = 65_536;
/** How often each byte may be looked at, as when it is found and then copied. */
const PER_BYTE = 4;
/** For what does not depend on the message, such as eight headers of AMQP. */
const CONSTANT = 500;

const FILLS: Readonly<Record<string, string>> = {
  spaces: " ",
  newlines: "\n",
  "CR and LF": "\r\n",
  letters: "a",
  colons: ":",
  "percent signs": "%",
  NULs: "\0",
  "at signs": "@",
  "bytes of 0xff": "\xff",
  "fields": "a:\r\n",
};

/** Lengths at which a client's bytes are looked at, as they come. */
const PREFIXES = [
  ...Array.from({ length: 8 }, (_, i) => 4 ** i),
  65_535,
  65_536,
  65_537,
  131_072,
  MEGABYTE,
];

for (const parser of parserNames) {
  Deno.test(`${parser}() looks a bounded number of times at a megabyte of the same`, () => {
    for (const [what, message] of megabytes) {
      assertBounded(parser, message, `of ${what}`);
    }
  });

  Deno.test(`${parser}() looks a bounded number of times at a message that never ends`, () => {
    const short = samples.filter((sample) =>
      sample.parser === parser && sample.bytes.length < 1000
    );
    // some of many, as a megabyte takes its time
    const own = short.filter((_, i) => i % Math.ceil(short.length / 12) === 0);
    for (const { name, bytes } of own) {
      for (const part of [0.5, 1]) {
        const start = bytes.subarray(0, Math.ceil(part * bytes.length) - 1);
        for (const what of megabytes.keys()) {
          const where = `${start.length} bytes of ${name}, then ${what}`;
          withStart(start, what, (message) => {
            assertBounded(parser, message, where, [MEGABYTE]);
          });
        }
      }
    }
  });
}

Deno.test("countLooks() counts bytes that are read, taken and searched", () => {
  const counted = countLooks(new Uint8Array([1, 2, 3, 4]));
  const { bytes } = counted;
  void bytes[0];
  assertStrictEquals(counted.looks, 1);
  assertStrictEquals(bytes.subarray(1, 3).length, 2);
  assertStrictEquals(counted.looks, 3);
  assertStrictEquals(bytes.indexOf(3, 1), 2);
  assertStrictEquals(counted.looks, 5);
  assertStrictEquals(bytes.indexOf(9), -1);
  assertStrictEquals(counted.looks, 9);
});

function assertBounded(
  parser: keyof typeof parsers,
  message: Uint8Array,
  where: string,
  prefixes: readonly number[] = PREFIXES,
): void {
  for (const length of prefixes) {
    const counted = countLooks(message.subarray(0, length));
    parsers[parser]({ bytes: counted.bytes });
    const most = PER_BYTE * Math.min(length, MAX_MESSAGE) + CONSTANT;
    assert(
      counted.looks <= most,
      `${parser}() looks ${counted.looks} times at ${length} bytes ${where}`,
    );
  }
}

/** A megabyte of each, which are made once. */
const megabytes = new Map(
  Object.entries(FILLS).map(([what, fill]) => {
    const text = fill.repeat(Math.ceil(MEGABYTE / fill.length));
    return [what, latin1(text).subarray(0, MEGABYTE)];
  }),
);

/** Calls an action with a megabyte of these that begins with other bytes. */
function withStart(
  start: Uint8Array,
  what: string,
  action: (message: Uint8Array) => void,
): void {
  const message = megabytes.get(what)!;
  const covered = message.slice(0, start.length);
  message.set(start);
  action(message);
  message.set(covered);
}
