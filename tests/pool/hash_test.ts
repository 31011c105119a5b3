import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { hash, murmur3, score } from "../../src/pool/hash.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("murmur3() gives the published values", () => {
  const known: [text: string, seed: number, hash: number][] = [
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    ["a", 0x9747b28c, 0x7fa09ea6],
    ["aa", 0x9747b28c, 0x5d211726],
    ["aaa", 0x9747b28c, 0x283e0130],
    ["aaaa", 0x9747b28c, 0x5a97808a],
    ["abc", 0, 0xb3dd93fa],
    ["Hello, world!", 0x9747b28c, 0x24884cba],
    ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
  ];
  for (const [text, seed, expected] of known) {
    assertStrictEquals(murmur3(encode(text), seed), expected, text);
  }
});

Deno.test("hash() is that of the bytes, wherever they lie in memory", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.nat(9), (bytes, offset) => {
    const memory = new Uint8Array(bytes.length + 20).fill(0xa5);
    memory.set(bytes, offset);
    const view = memory.subarray(offset, offset + bytes.length);
    assertEquals(hash(view), hash(bytes));
  }));
  assertEquals(hash("é"), hash(encode("é")));
});

/** The winner among members: what the policy does with the scores. */
function winner(members: ReadonlyMap<string, number>, key: string): string {
  let best = "";
  let highest = 0;
  const hashed = hash(key);
  for (const [name, weight] of members) {
    const drawn = score(hash(name), weight, hashed);
    if (drawn > highest) [best, highest] = [name, drawn];
  }
  return best;
}

const someMembers = fc.uniqueArray(
  fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 256 })),
  { minLength: 2, maxLength: 12, selector: ([name]) => name },
);

Deno.test("when a member goes, only its own keys move, and return with it", () => {
  fc.assert(fc.property(
    someMembers,
    fc.nat(),
    fc.array(fc.string(), { minLength: 50, maxLength: 50 }),
    (list, pick, keys) => {
      const all = new Map(list);
      const gone = list[pick % list.length]?.[0] ?? "";
      const left = new Map(list.filter(([name]) => name !== gone));
      for (const key of keys) {
        const before = winner(all, key);
        if (before === gone) assert(left.has(winner(left, key)));
        else assertStrictEquals(winner(left, key), before);
      }
    },
  ));
});

Deno.test("a higher weight takes keys from others, and gives none away", () => {
  fc.assert(fc.property(someMembers, fc.string(), (list, key) => {
    const members = new Map(list);
    const before = winner(members, key);
    for (const [name, weight] of list) {
      const after = winner(new Map(members).set(name, weight + 1), key);
      assert([before, name].includes(after));
    }
  }));
});

Deno.test("keys are shared by weight", () => {
  const keyings: ((number: number) => string)[] = [
    String,
    (number) => `user-${number}@example.com`,
    (number) => `10.${number >> 16}.${number >> 8 & 255}.${number & 255}`,
  ];
  const weightings = [[1, 1], [1, 1, 1, 1, 1], [1, 2, 3, 10], [256, 1, 128]];
  const count = 20_000;
  for (const keying of keyings) {
    for (const weights of weightings) {
      const members = new Map(
        weights.map((weight, index) => [`10.0.0.${index}:80`, weight]),
      );
      const won = new Map<string, number>();
      for (let number = 0; number < count; number++) {
        const name = winner(members, keying(number));
        won.set(name, (won.get(name) ?? 0) + 1);
      }
      const sum = weights.reduce((one, other) => one + other);
      let chiSquare = 0;
      for (const [name, weight] of members) {
        const expected = count * weight / sum;
        chiSquare += ((won.get(name) ?? 0) - expected) ** 2 / expected;
      }
      // four degrees of freedom at most: more than 23.5 has a chance of 0.0001,
      // and the keys are always the same
      assert(chiSquare < 23.5, `${weights}: ${[...won.values()]} ${chiSquare}`);
    }
  }
});

Deno.test("the winners are the same in every process", () => {
  const members = new Map([["a:1", 1], ["b:1", 2], ["c:1", 1]]);
  assertEquals(
    Array.from({ length: 24 }, (_, i) => winner(members, `key ${i}`)[0])
      .join(""),
    "aacbbbcacaabbabbbbabbaca",
  );
});
