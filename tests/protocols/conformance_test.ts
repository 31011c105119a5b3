import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  alpn,
  bytes,
  clientHello,
  extension,
  frame,
  hex,
  http2Connection,
  type Part,
  postgresMessage,
  PREFACE,
} from "../support/protocols/builders.ts";
import {
  answer,
  assertConforms,
  assertMonotone,
  indistinguishable,
  type ParserName,
  parserNames,
  parsers,
  plain,
  type Sample,
} from "../support/protocols/checks.ts";
import { capture } from "../support/protocols/capture.ts";
import { realClients } from "../support/protocols/clients.ts";
import { samples } from "../support/protocols/samples.ts";

for (const sample of samples) {
  Deno.test(`${sample.parser}() decides at the last byte of a message: ${sample.name}`, () => {
    assertConforms(sample);
  });
}

for (const client of realClients) {
  Deno.test(`${client.parser}() decides at the last byte of what ${client.name} sends`, async () => {
    const { name, parser } = client;
    const bytes = await capture(client);
    const value = answer(parser, bytes);
    assertHas(value, client.fields);
    assertConforms({ name, parser, bytes, value });
  });
}

Deno.test("capture() says what to install when a program is missing", async () => {
  const missing = { ...realClients[0]!, program: "no-such-program" };
  await assertRejects(
    () => capture(missing),
    Error,
    /is not installed: apt-get install/,
  );
});

Deno.test("every parser has samples", () => {
  const tested = new Set(samples.map(({ parser }) => parser));
  assertEquals(parserNames.filter((name) => !tested.has(name)), []);
});

Deno.test("every exception for two formats is in use", () => {
  for (const [of, others] of Object.entries(indistinguishable)) {
    for (const [other, words] of Object.entries(others)) {
      for (const word of words) {
        const isUsed = samples.some(({ parser, bytes }) => {
          const parse = parsers[other as ParserName];
          const got = parse(bytes);
          return parser === of &&
            (word === "waits" ? got === undefined : Boolean(got));
        });
        assert(isUsed, `${other}() of ${of}: ${word}`);
      }
    }
  }
});

Deno.test("every parser needs more of nothing", () => {
  for (const name of parserNames) {
    assertEquals(parsers[name](new Uint8Array()), undefined, name);
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
      { numRuns: 1000 },
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
        assertEquals(
          plain(parsers.tls(new Uint8Array(bytes))),
          hello.value,
        );
        assertMonotone("tls", new Uint8Array(bytes));
      },
    ),
    { numRuns: 50 },
  );
});

/**
 * Messages of 64 KiB that cost the most if anything is done again for each
 * byte.
 */
const expensive: Readonly<Record<string, readonly Part[]>> = {
  "fields of HTTP": ["GET / HTTP/1.1\r\n", "a:b\r\n".repeat(13_000), "\r\n"],
  "folded lines of HTTP": [
    "GET / HTTP/1.1\r\na:\r\n",
    " \r\n".repeat(21_000),
    "\r\n",
  ],
  "space in HTTP": ["GET / HTTP/1.1\r\na: b", " ".repeat(65_000), "c\r\n\r\n"],
  "the target of HTTP": ["GET http://", "a".repeat(65_000)],
  "settings of HTTP/2": [
    PREFACE,
    ...Array.from({ length: 9 }, () => frame(4, 0, 0, new Uint8Array(6000))),
  ],
  "fields of HTTP/2": [
    http2Connection(frame(1, 5, 1, "\0\x01a\0".repeat(4000))),
  ],
  "entries of the table of HTTP/2": [
    http2Connection(frame(1, 5, 1, "\x40\x01a\0".repeat(4000))),
  ],
  "sizes of the table of HTTP/2": [
    http2Connection(frame(1, 5, 1, "\x20".repeat(16_000))),
  ],
  "Huffman codes of HTTP/2": [
    http2Connection(frame(1, 1, 1, "\0\xff\x80\x7c", "\x1c\x71".repeat(8000))),
  ],
  "records of TLS": [
    hex("160301000101160301000100160301000120160301000100"),
    hex("160301000100".repeat(10_000)),
  ],
  "extensions of TLS": [
    clientHello(...Array.from({ length: 4000 }, () => extension(21))),
  ],
  "protocols of TLS": [
    clientHello(alpn(...Array.from({ length: 8000 }, () => "a"))),
  ],
  "arguments of Redis": ["*10000\r\n", "$1\r\na\r\n".repeat(9_000)],
  "words of Redis": ["ECHO ", "a ".repeat(32_000), "\r\n"],
  "quotes of Redis": ['ECHO "', "\\x41".repeat(16_000), '"\r\n'],
  "parameters of PostgreSQL": [
    postgresMessage(0x0003_0000, "a\0b\0".repeat(2400), "user\0a\0\0"),
  ],
  "attributes of XMPP": [
    "<stream:stream",
    Array.from({ length: 1100 }, (_, i) => ` a${i}=''`).join(""),
  ],
  "space of XMPP": ["<?xml ?>", " ".repeat(65_000)],
};

for (const [what, parts] of Object.entries(expensive)) {
  Deno.test(`every parser takes time linear in the length of ${what}`, () => {
    const message = bytes(...parts);
    for (const parser of parserNames) {
      // a busy machine may be late: the best of some tries counts
      let milliseconds = Infinity;
      for (let tries = 0; tries < 5 && milliseconds >= 500; tries++) {
        const start = performance.now();
        plain(parsers[parser](message));
        milliseconds = Math.min(milliseconds, performance.now() - start);
      }
      // Linear is below 10 ms, quadratic takes seconds.
      assert(milliseconds < 500, `${parser}() took ${milliseconds} ms`);
    }
  });
}

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
    else assertEquals(got, expected, key);
  }
}
