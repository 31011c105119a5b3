import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import fc from "fast-check";
import {
  capture,
  hasGroup,
  literalPrefix,
  matches,
  parsePattern,
} from "../../../src/routes/matchers/pattern.ts";
import {
  type FieldKind,
  PROTOCOLS,
  readField,
} from "../../../src/routes/matchers/protocols.ts";
import { formatTemplate, parseTemplate } from "../../../src/routes/template.ts";
import { samples } from "../../support/protocols/samples.ts";

function pattern(
  text: string,
  kind: FieldKind = "text",
): Exclude<ReturnType<typeof parsePattern>, string> {
  const parsed = parsePattern(text, kind);
  assert(typeof parsed !== "string", `${text}: ${parsed}`);
  return parsed;
}

Deno.test("matches() takes exact texts, globs and regular expressions", () => {
  const cases: [text: string, value: string, expected: boolean][] = [
    ["a", "a", true],
    ["a", "A", false],
    ["a", "ab", false],
    ["*.example.com", "a.example.com", true],
    ["*.example.com", "a.b.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "a.example.com.evil", false],
    ["a.*.c", "a.b.c", true],
    ["a.*.c", "a.c", false],
    ["*", "", true],
    ["aba*aba", "aba", false],
    ["aba*aba", "abaaba", true],
    ["*a*b*", "xxaxxbxx", true],
    ["*a*b*", "xxbxxaxx", false],
    ["/^a+$/", "aaa", true],
    ["/^A+$/i", "aaa", true],
    ["/b/", "abc", true],
  ];
  for (const [text, value, expected] of cases) {
    assertStrictEquals(
      matches(pattern(text), value),
      expected,
      `${text} ${value}`,
    );
  }
});

Deno.test("a glob matches what the regular expression of it does", () => {
  const letters = fc.string({
    unit: fc.constantFrom("a", "b", "."),
    maxLength: 8,
  });
  const globs = fc.string({
    unit: fc.constantFrom("a", "b", ".", "*"),
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(globs, letters, (glob, value) => {
      const source = glob.replaceAll(".", "\\.").replaceAll("*", ".*?");
      assertStrictEquals(
        matches(pattern(glob), value),
        new RegExp(`^${source}$`).test(value),
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a glob with many stars takes no time", () => {
  const glob = pattern("*a".repeat(50) + "*b");
  const started = performance.now();
  assertEquals(matches(glob, "a".repeat(60_000)), false);
  // some milliseconds; by trying all ways, years
  assert(performance.now() - started < 5000);
});

Deno.test("parsePattern() compares hosts in lower case, and takes paths as they are", () => {
  assertEquals(pattern("WWW.Example.COM", "host"), {
    kind: "exact",
    text: "www.example.com",
  });
  assertEquals(matches(pattern("/api/", "path"), "/api/"), true);
  assertEquals(matches(pattern("/api/", "path"), "/x/api/y"), false);
  assertEquals(matches(pattern("/a/s", "path"), "/a/s"), true);
  assertEquals(matches(pattern("/^\\/api\\//", "path"), "/api/y"), true);
  assertEquals(matches(pattern("::1", "host"), "::1"), true);
});

Deno.test("capture() gives what stars and groups have matched", () => {
  const cases: [text: string, value: string, group: string, part?: string][] = [
    ["*.example.com", "a.b.example.com", "1", "a.b"],
    ["*.*.com", "a.b.c.com", "2", "b.c"],
    ["*.*.com", "a.b.c.com", "3"],
    ["/^(a)(?<rest>.*)$/", "abc", "1", "a"],
    ["/^(a)(?<rest>.*)$/", "abc", "rest", "bc"],
    ["/^(a)(x)?/", "abc", "2"],
    ["/^(b)/", "abc", "1"],
    ["abc", "abc", "1"],
  ];
  for (const [text, value, group, part] of cases) {
    assertStrictEquals(capture(pattern(text), value, group), part, text);
  }
  assertEquals(hasGroup(pattern("/(a)(?<n>b)/"), "2"), true);
  assertEquals(hasGroup(pattern("/(a)(?<n>b)/"), "n"), true);
  assertEquals(hasGroup(pattern("/(a)/"), "2"), false);
  assertEquals(hasGroup(pattern("/(a)/"), "toString"), false);
  assertEquals(hasGroup(pattern("*"), "1"), true);
  assertEquals(hasGroup(pattern("*"), "0"), false);
});

Deno.test("literalPrefix() finds what all matches begin with", () => {
  const cases: [regex: RegExp, prefix: string][] = [
    [/^SSH-/, "SSH-"],
    [/^SSH-\d/, "SSH-"],
    [/^\xe9\x41[^a]/, "\xe9A"],
    [/^\r\n\.\//, "\r\n./"],
    [/^ab*/, "a"],
    [/^ab+c/, "ab"],
    [/^ab?/, "a"],
    [/^ab{2}/, "a"],
    [/^a|b/, ""],
    [/^a/i, ""],
    [/^a/m, ""],
    [/a/, ""],
    [/^(a)/, ""],
    [/^a$/, "a"],
    [/^\bab/, ""],
    [/^\u0041/, ""],
  ];
  for (const [regex, prefix] of cases) {
    assertStrictEquals(literalPrefix(regex), prefix, String(regex));
  }
});

Deno.test("parseTemplate() and formatTemplate() are inverse", () => {
  for (
    const text of [
      "a:1",
      "${tls.serverName}:443",
      "a${http.headers.x-a}b${client.address}",
      "$${no} $ {x} ${git.path.1}",
      "",
    ]
  ) {
    const template = parseTemplate(text);
    assert(typeof template !== "string", String(template));
    assertStrictEquals(formatTemplate(template), text);
  }
  assertEquals(parseTemplate("$${a}"), ["${a}"]);
});

Deno.test("the fields of the protocols are those of their parsers", () => {
  for (const [name, { parse, fields }] of Object.entries(PROTOCOLS)) {
    const of = samples.filter(({ parser }) => parser === name);
    assertNotEquals(of.length, 0, name);
    for (const { bytes } of of) {
      const message = parse(bytes);
      assert(message, name);
      for (const [field, kind] of Object.entries(fields)) {
        const value = (message as Readonly<Record<string, unknown>>)[field];
        if (value === undefined) continue; // the client did not say
        if (kind === "lookup") {
          assertEquals(readField(message, field, "no-such-name"), undefined);
          continue;
        }
        const type: string = typeof value;
        const expected = kind === "texts" || kind === "numbers"
          ? Array.isArray(value)
          : type === (["number", "boolean"].includes(kind) ? kind : "string");
        assert(expected, `${name}.${field} is ${typeof value}`);
      }
    }
  }
});
