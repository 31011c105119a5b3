/**
 * A run that changes messages and keeps those that reach new code of a parser,
 * for some seconds, from the same start each time.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Session } from "node:inspector";
import {
  assertMonotone,
  type ParserName,
  parserNames,
} from "../support/protocols/checks.ts";
import { samples } from "../support/protocols/samples.ts";

const ROUNDS = 500;
const MAX_LENGTH = 400;
/** Bytes that mean something in many protocols. */
const SPECIAL = [0, 1, 2, 3, 5, 0x0a, 0x0d, 0x20, 0x3a, 0x40, 0x7f, 0x80, 0xff];

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** Counts the blocks of code of the parsers that have run. */
class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#post("Profiler.enable");
    await this.#post("Profiler.startPreciseCoverage", {
      callCount: true,
      detailed: true,
    });
  }

  /** How many blocks have run for the first time since the last call. */
  async takeNew(): Promise<number> {
    const answer = await this.#post("Profiler.takePreciseCoverage");
    const { result } = answer as { result: readonly ScriptCoverage[] };
    const before = this.#seen.size;
    for (const { url, functions } of result) {
      if (!url.includes("/src/protocols/")) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.#seen.add(`${url}:${startOffset}:${endOffset}`);
        }
      }
    }
    return this.#seen.size - before;
  }

  #post(method: string, parameters?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // deno-lint-ignore no-explicit-any -- the types list some methods only
      (this.#session as any).post(
        method,
        parameters,
        (error: Error | null, result: unknown) =>
          error ? reject(error) : resolve(result),
      );
    });
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}

Deno.test("every parser has one answer that stays for messages that reach new code", async (t) => {
  using coverage = new Coverage();
  await coverage.start();
  const random = numbers(20_261_128);
  let found = 0;
  for (const parser of parserNames) {
    await t.step(parser, async () => {
      // one message to begin with: the run has to find the rest
      const corpus = [seedOf(parser)];
      assertMonotone(parser, corpus[0]!);
      await coverage.takeNew();
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = changed(corpus[random(corpus.length)]!, random);
        assertMonotone(parser, bytes);
        if (await coverage.takeNew() === 0) continue;
        corpus.push(bytes);
        found++;
      }
    });
  }
  // otherwise nothing was guided by coverage
  assert(found > parserNames.length, `only ${found} messages reach new code`);
});

function seedOf(parser: ParserName): Uint8Array {
  const sample = samples.find(({ parser: name, bytes }) =>
    name === parser && bytes.length <= MAX_LENGTH
  );
  assert(sample, `${parser}() has no short sample`);
  return sample.bytes;
}

/** The bytes with one to three places changed. */
function changed(
  bytes: Uint8Array,
  random: (below: number) => number,
): Uint8Array {
  const list = [...bytes];
  for (let edits = random(3); edits >= 0; edits--) {
    const at = random(list.length + 1);
    const byte = random(2) === 0
      ? SPECIAL[random(SPECIAL.length)]!
      : random(256);
    const kind = random(5);
    if (kind === 0) list.splice(at, 1);
    else if (kind === 1) list.splice(at, 0, byte);
    else if (kind === 2) list.splice(at, 1, byte);
    else if (kind === 3) list.splice(at, 1, (list[at] ?? 0) ^ 1 << random(8));
    else list.splice(at, 0, ...list.slice(random(list.length), at));
  }
  return new Uint8Array(list.slice(0, MAX_LENGTH));
}

/** Numbers from 0 on, the same for the same seed (xorshift32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
