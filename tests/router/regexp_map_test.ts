import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { requiredLiterals } from "../../src/router/literals.ts";
import { RegExpMap } from "../../src/router/regexp_map.ts";

Deno.test("requiredLiterals() finds what every match contains", () => {
  const cases: [regex: RegExp, literals: string[]][] = [
    [/^[^.]+\.tenant-1\.example\.com$/, [".tenant-1.example.com"]],
    [/abc?d+ef*g{2}h{0}i/, ["ab", "d", "e", "i"]],
    [/ab|cd/, []],
    [/(ab|cd)efgh/, ["efgh"]],
    [/(?=ab)cd(?:[)]x\)y)*ef/, ["cd", "ef"]],
    [/a[\]bc]d/, ["a", "d"]],
    [/\r\nHost: \x41\/\./, ["\r\nHost: A/."]],
    [/(x)a\u0041b\cAc\d\w\1d/, ["a", "b", "c", "d"]],
    [/\p{L}\u{41}a/u, ["a"]],
    [/(?<k>x)\k<k>abc/, ["abc"]],
    [/HoSt/i, ["host"]],
    [/sÉs/i, ["s", "s"]],
    [/host/iu, []],
    [/[a--b]host/v, []],
    [/a.b^c$d/, ["a", "b", "c", "d"]],
    [/a{x}b/, ["a", "x", "b"]],
    [/(?:)/, []],
  ];
  for (const [regex, literals] of cases) {
    assertEquals(requiredLiterals(regex), literals, String(regex));
  }
});

/** Sources of expressions, of few characters, so that texts meet them. */
const sources = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("a", "b") },
    { weight: 2, arbitrary: fc.constantFrom("b?", "b*", "b+", "b{2}", "b{0}") },
    fc.constantFrom("K", "é", "ſ", "\\.", ".", "[ab]", "\\w", "^", "$", "|"),
    fc.constantFrom("(a|b)", "(?:aabb)?", "(?=a)", "\\x61", "\\u0061"),
  ),
  { minLength: 1, maxLength: 8 },
).map((parts) => parts.join(""));

const texts = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("a", "b", "A") },
    fc.constantFrom("k", "K", "\u212a", ".", "é", "É", "ſ", "s"),
  ),
  { maxLength: 24 },
).map((parts) => parts.join(""));

Deno.test("a RegExpMap finds what a loop over its entries finds", () => {
  const expressions = fc.tuple(
    sources,
    fc.constantFrom("", "i", "u", "iu", "s"),
  )
    .map(([source, flags]) => new RegExp(source, flags));
  fc.assert(
    fc.property(
      fc.array(expressions, { minLength: 1, maxLength: 3 }),
      fc.array(texts, { minLength: 8, maxLength: 16 }),
      (list, some) => {
        const map = new RegExpMap(list.map((regex, i) => [regex, i]));
        for (const text of some) {
          const found = list.findIndex((regex) => regex.test(text));
          assertStrictEquals(map.get(text), found < 0 ? undefined : found);
        }
      },
    ),
    { numRuns: 4000 },
  );
});

Deno.test("a RegExpMap of many expressions keeps their order", () => {
  const map = new RegExpMap([
    [/never matches/, "never"],
    ...Array.from(
      { length: 1000 },
      (_, i) => [RegExp(`^[^.]+\\.t-${i}\\.example\\.com$`), `${i}`] as const,
    ),
    [/\.t-7\.example\.com$/, "later"],
    [/^.+$/, "any"],
  ]);
  assertEquals(map.size, 1003);
  assertEquals(map.get("www.t-7.example.com"), "7");
  assertEquals(map.get("a.b.t-7.example.com"), "later");
  assertEquals(map.get("www.t-999.example.com"), "999");
  assertEquals(map.get("www.t-1000.example.com"), "any");
  assertEquals(map.get(""), undefined);
});

Deno.test("a RegExpMap gives what the groups have matched", () => {
  const map = new RegExpMap([[/^(\w+)\.example\.(com|org)$/i, 1]]);
  const [value, match] = map.exec("WWW.Example.org") ?? [];
  assertEquals(value, 1);
  assertEquals([...match ?? []], ["WWW.Example.org", "WWW", "org"]);
  assertEquals(map.exec("www.example.net"), undefined);
});

Deno.test("a RegExpMap refuses expressions that remember where they were", () => {
  assertThrows(
    () => new RegExpMap([[/a/g, 1]]),
    TypeError,
    /^Cannot look texts up with \/a\/g as .*: current flags are g$/,
  );
  assertThrows(() => new RegExpMap([[/a/y, 1]]), TypeError);
});
