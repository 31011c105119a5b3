import { assertEquals, assertNotMatch, assertThrows } from "@std/assert";
import { pool } from "../../src/pool/make_pool.ts";
import { planTable, TableError } from "../../src/redis/checked_options.ts";
import { parseValue } from "../../src/redis/parse_value.ts";

Deno.test("planTable() takes the parts of a URL, and has defaults for the rest", () => {
  assertEquals(planTable({ url: "redis://10.0.0.1" }), {
    title: "route:* in redis://10.0.0.1:6379/0",
    address: { hostname: "10.0.0.1", port: 6379 },
    tls: false,
    ca: [],
    user: undefined,
    password: undefined,
    database: 0,
    prefix: "route:",
    timeout: 1000,
    maxEntries: 100_000,
  });
  assertEquals(
    planTable({
      url: "rediss://joe:p%40ss@[::1]:7000/3",
      prefix: "",
      ca: "pem",
      timeout: 0.5,
      maxEntries: 10,
    }),
    {
      title: "* in rediss://[::1]:7000/3",
      address: { hostname: "::1", port: 7000 },
      tls: true,
      ca: ["pem"],
      user: "joe",
      password: "p@ss",
      database: 3,
      prefix: "",
      timeout: 500,
      maxEntries: 10,
    },
  );
});

Deno.test("planTable() names the key, the rule and the value, but no password", () => {
  const url = "redis://a";
  const cases: [options: unknown, message: RegExp][] = [
    [undefined, /its options must be an object: current value is undefined/],
    [{ url, prefx: 1 }, /"prefx" is not one of url, prefix, /],
    [{}, /"url" must be a string "redis:\/\/host:port\/database"/],
    [{ url: "http://a" }, /"url" .*: current value is "http:\/\/a"/],
    [
      { url: "redis://joe:hidden@a/x" },
      /number of a database.*redis:\/\/…@a\/x/,
    ],
    [{ url: "redis://joe:hidden@a b" }, /"url" must be a string/],
    [{ url: "redis://:hidden@a?x=1" }, /must have nothing behind/],
    [{ url: "redis://joe@a" }, /must have a password beside the user/],
    [{ url: "redis://:%ff@a" }, /percent-encoded UTF-8/],
    [{ url: "redis://:hidden@a", password: "hidden" }, /cannot stand beside/],
    [{ url, password: 1 }, /"password" must be a string: .* is a secret/],
    [{ url, prefix: 1 }, /"prefix" must be a string of at most 256/],
    [{ url, prefix: "\ud800" }, /"prefix" must be/],
    [{ url, ca: "pem" }, /"ca" must go with rediss/],
    [{ url, ca: [1] }, /"ca" must be a string, or a list/],
    [{ url, timeout: 0 }, /"timeout" must be .* from 0.01 to 60: .* 0$/],
    [{ url, maxEntries: 1.5 }, /"maxEntries" must be a whole number from 2/],
  ];
  for (const [options, message] of cases) {
    const error = assertThrows(() => planTable(options), TableError, message);
    assertNotMatch(error.message, /hidden|\n/);
  }
});

Deno.test("parseValue() reads one remote or several, and says what is wrong", () => {
  assertEquals(parseValue("10.0.0.1:80"), "10.0.0.1:80");
  assertEquals(parseValue(" unix:/run/a.sock\n"), "unix:/run/a.sock");
  assertEquals(parseValue("a:1, b:2\n[::1]:3"), ["a:1", "b:2", "[::1]:3"]);
  assertEquals(parseValue(""), undefined);
  assertEquals(parseValue(" \n"), undefined);
  assertEquals(parseValue("a:1 b"), {
    rule: `must be "host:port"`,
    current: `"b"`,
  });
  assertEquals(parseValue("ä".repeat(2049)), {
    rule: "must have at most 4096 bytes",
    current: `longer, and begins with "${"ä".repeat(40)}"`,
  });
});

Deno.test("parseValue() takes the name of a pool, if there is one", () => {
  pool("web", { members: ["10.0.0.1:80"] });
  assertEquals(parseValue("pool:web\n"), "pool:web");
  assertEquals(parseValue("pool:80"), "pool:80", "a host");
  assertEquals(parseValue("pool:wbe"), {
    rule: "must name a pool that the router has made",
    current: `"pool:wbe"`,
  });
  assertEquals(parseValue("pool:web 10.0.0.1:80"), {
    rule: "must end in a port from 1 to 65535",
    current: `"pool:web"`,
  });
});
