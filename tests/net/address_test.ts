import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import {
  formatAddress,
  parsePort,
  parseRemote,
} from "../../src/net/address.ts";

Deno.test("parseRemote() takes the absolute path of a socket file", () => {
  assertEquals(parseRemote("unix:/run/a.sock"), { path: "/run/a.sock" });
  assertEquals(parseRemote("unix:/a:80"), { path: "/a:80" });
  const longest = `/${"é".repeat(53)}`;
  assertEquals(parseRemote(`unix:${longest}`), { path: longest });
});

Deno.test("parseRemote() takes unix for a host when a port follows", () => {
  assertEquals(parseRemote("unix:80"), { hostname: "unix", port: 80 });
  assertMatch(String(parseRemote("unix:")), /must end in a port/);
});

Deno.test("parseRemote() says which rule a socket file breaks", () => {
  const bad: [remote: string, rule: RegExp][] = [
    ["unix:a.sock", /^must have the absolute path of a socket file/],
    ["unix:./a", /^must have the absolute path/],
    ["unix:/", /^must have the absolute path/],
    ["unix:/run/", /^must have the absolute path/],
    ["unix:/a b", /^must have a path without spaces/],
    ["unix:/a\0", /control characters/],
    ["unix:/a\nremote=b", /control characters/],
    [`unix:/${"é".repeat(53)}a`, /^must have a path of at most 107 bytes/],
  ];
  for (const [remote, rule] of bad) {
    assertMatch(String(parseRemote(remote)), rule, remote);
  }
});

Deno.test("formatAddress() writes what parseRemote() reads", () => {
  for (const text of ["a.b:1", "[::1]:80", "unix:/run/a.sock", "unix:80"]) {
    const parsed = parseRemote(text);
    assert(typeof parsed === "object");
    assertStrictEquals(formatAddress(parsed), text);
  }
  assertEquals(formatAddress({ path: "" }), "unix:");
});

Deno.test("parsePort() takes decimal digits from the least port to 65535", () => {
  assertEquals(parsePort("0", 0), 0);
  assertEquals(parsePort("0", 1), undefined);
  assertEquals(parsePort("1", 1), 1);
  assertEquals(parsePort("65535", 1), 65535);
  for (const text of ["65536", "", "-1", "+1", " 1", "1.0", "0x10", "1e3"]) {
    assertEquals(parsePort(text, 0), undefined, text);
  }
});

Deno.test("formatAddress() puts an IPv6 address in brackets", () => {
  assertEquals(formatAddress({ hostname: "a.b", port: 1 }), "a.b:1");
  assertEquals(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
});
