/**
 * Measures the parsers: nanoseconds per call on a message of their own and on
 * the first bytes of other protocols.
 *
 * ```sh
 * deno run tests/bench/parsers.ts [--json]
 * ```
 *
 * @module
 */
import { readArguments } from "../support/arguments.ts";
import {
  alpn,
  bytes,
  clientHello,
  padding,
  serverName,
  supportedVersions,
} from "../support/protocols/builders.ts";
import {
  parserNames,
  parsers,
  type Sample,
} from "../support/protocols/checks.ts";
import { samples } from "../support/protocols/samples.ts";

const ROUNDS = 15;
const ROUND_MILLISECONDS = 20;
const GET =
  "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.9.1\r\nAccept: */*\r\nA: b\r\n\r\n";

/** One line of the result. */
interface Measurement {
  /** Name of the parser. */
  readonly parser: string;
  /** What it was given. */
  readonly message: string;
  /** Length of that in bytes. */
  readonly bytes: number;
  /** Nanoseconds per call: the median of all rounds. */
  readonly ns: number;
}

/** What comes in as one read in practice. */
const typical: readonly Pick<Sample, "parser" | "name" | "bytes">[] = [
  { parser: "http", name: `GET of ${GET.length} bytes`, bytes: bytes(GET) },
  { parser: "tls", name: "hello of a browser's size", bytes: browserHello() },
  {
    parser: "tls",
    name: "hello in four records",
    bytes: sampleOf("tls", "hello of 5 KiB in four records"),
  },
];

function main(): void {
  const results = [...ownMessages(), ...othersMessages()];
  if (readArguments(Deno.args, ["json"]).json) {
    return console.log(JSON.stringify(results, null, 2));
  }
  for (const { parser, message, bytes, ns } of results) {
    console.log(
      `${parser.padEnd(18)} ${message.padEnd(44)} ${`${bytes} B`.padStart(7)} ${
        ns.toFixed(0).padStart(7)
      } ns`,
    );
  }
}

function ownMessages(): Measurement[] {
  const first = parserNames.map((name) =>
    samples.find(({ parser }) => parser === name)!
  );
  return [...typical, ...first].map(({ parser, name, bytes }) => ({
    parser,
    message: name,
    bytes: bytes.length,
    ns: measure(() => parsers[parser](bytes)),
  }));
}

/** How fast each says no, to one message of every other parser. */
function othersMessages(): Measurement[] {
  return parserNames.map((parser) => {
    const others = parserNames.filter((name) => name !== parser)
      .map((name) => samples.find((sample) => sample.parser === name)!.bytes);
    const ns = measure(() => {
      let last: unknown;
      for (const bytes of others) last = parsers[parser](bytes);
      return last;
    });
    const sum = others.reduce((total, { length }) => total + length, 0);
    return {
      parser,
      message: "no, to another protocol",
      bytes: Math.round(sum / others.length),
      ns: ns / others.length,
    };
  });
}

/** Nanoseconds per call. */
function measure(call: () => unknown): number {
  let calls = 1;
  while (run(call, calls) < ROUND_MILLISECONDS) calls *= 2; // this is the warm-up, too
  const rounds = Array.from(
    { length: ROUNDS },
    () => run(call, calls) * 1e6 / calls,
  );
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

let sink: unknown;

function run(call: () => unknown, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) sink = call();
  void sink; // so that no call can be left out
  return performance.now() - start;
}

function browserHello(): Uint8Array {
  return clientHello(
    serverName("www.example.com"),
    alpn("h2", "http/1.1"),
    supportedVersions(0x0a0a, 0x0304, 0x0303),
    ...Array.from({ length: 9 }, () => padding(20)),
    padding(120),
  );
}

function sampleOf(parser: string, name: string): Uint8Array {
  return samples.find((sample) =>
    sample.parser === parser && sample.name === name
  )!.bytes;
}

if (import.meta.main) main();
