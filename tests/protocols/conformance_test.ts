import assert from "node:assert/strict";
import fc from "fast-check";
import type { Parser } from "proxymachine/protocols";
import {
  answer,
  assertConforms,
  assertMonotone,
  indistinguishable,
  parserNames,
  parsers,
  plain,
  type Sample,
} from "./checks.ts";
import { capture, realClients } from "./clients.ts";
import { samples } from "./samples.ts";

for (const sample of samples) {
  Deno.test(`${sample.parser}() reads a ${sample.name}, at every prefix`, () => {
    assertConforms(sample);
  });
}

for (const client of realClients) {
  Deno.test(`${client.parser}() reads what ${client.name} sends, at every prefix`, async () => {
    const { name, parser } = client;
    const bytes = await capture(client);
    const value = answer(parser, bytes);
    assertHas(value, client.fields);
    assertConforms({ name, parser, bytes, value });
  });
}

Deno.test("every parser has samples", () => {
  const tested = new Set(samples.map(({ parser }) => parser));
  assert.deepEqual(parserNames.filter((name) => !tested.has(name)), []);
});

Deno.test("every exception for two formats is in use", () => {
  for (const [of, others] of Object.entries(indistinguishable)) {
    for (const [other, word] of Object.entries(others)) {
      const isUsed = samples.some(({ parser, bytes }) => {
        const got = (parsers as Record<string, Parser<object>>)[other]!(bytes);
        return parser === of &&
          (word === "waits" ? got === undefined : Boolean(got));
      });
      assert.ok(isUsed, `${other}() does refuse ${of}`);
    }
  }
});

Deno.test("every parser needs more of nothing", () => {
  for (const name of parserNames) {
    assert.equal(parsers[name](new Uint8Array()), undefined, name);
  }
});

for (const parser of parserNames) {
  Deno.test(`${parser}() has one answer that stays when a message is damaged`, () => {
    const own = samples.filter((sample) =>
      sample.parser === parser && sample.bytes.length < 1000
    );
    fc.assert(
      fc.property(fc.constantFrom(...own).chain(damaged), (bytes) => {
        assertMonotone(parser, bytes);
      }),
      { numRuns: 300 },
    );
  });
}

Deno.test("no parser changes its mind on another's message", () => {
  const short = samples.filter((sample) => sample.bytes.length < 1000);
  const prefixes = fc.array(fc.nat(200), { maxLength: 12 });
  const input = fc.constantFrom(...short).chain((sample) =>
    fc.tuple(damaged(sample), prefixes)
  );
  fc.assert(
    fc.property(input, ([bytes, some]) => {
      const lengths = [...some, bytes.length].sort((a, b) => a - b);
      for (const parser of parserNames) assertMonotone(parser, bytes, lengths);
    }),
    { numRuns: 300 },
  );
});

Deno.test("no parser throws for any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const parser of parserNames) assertMonotone(parser, bytes);
    }),
    { numRuns: 300 },
  );
});

Deno.test("tls() reads a hello in whatever records it comes", () => {
  const hello = samples.find(({ name }) => name === "hello with everything")!;
  const message = hello.bytes.subarray(5);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: message.length - 1 })),
      (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), message.length];
        const bytes = ends.flatMap((end, i) => {
          const fragment = message.subarray(ends[i - 1] ?? 0, end);
          return [
            0x16,
            3,
            3,
            fragment.length >> 8,
            fragment.length & 0xff,
            ...fragment,
          ];
        });
        assert.deepEqual(
          plain(parsers.tls(new Uint8Array(bytes))),
          hello.value,
        );
        assertMonotone("tls", new Uint8Array(bytes));
      },
    ),
    { numRuns: 50 },
  );
});

/** The message with some bytes replaced, removed and put in. */
function damaged(sample: Sample): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(sample.bytes.length);
  const byte = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0, 1, 0x0a, 0x0d, 0x20, 0x7f, 0x80, 0xff),
  );
  const edit = fc.tuple(at, fc.nat(2), fc.array(byte, { maxLength: 3 }));
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    const bytes = [...sample.bytes];
    for (const [index, removed, added] of edits) {
      bytes.splice(index, removed, ...added);
    }
    return new Uint8Array(bytes);
  });
}

function assertHas(
  value: unknown,
  fields: Readonly<Record<string, unknown>>,
): void {
  for (const [key, expected] of Object.entries(fields)) {
    const got = (value as Record<string, unknown>)[key];
    if (key === "headers") assertHas(got, expected as Record<string, unknown>);
    else assert.deepEqual(got, expected, key);
  }
}
