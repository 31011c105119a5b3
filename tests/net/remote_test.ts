import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  MAX_REMOTES,
  parseTarget,
  parseTargets,
} from "../../src/net/remote.ts";

Deno.test("parseTarget() gives the same result when there are more remotes than it remembers", () => {
  for (const _ of [1, 2]) {
    for (let port = 1; port <= 5000; port++) {
      const remote = `a:${port}`;
      assertEquals(parseTarget(remote), [
        { remote, address: { hostname: "a", port } },
      ]);
    }
  }
});

Deno.test("parseTargets() keeps the order of a list, and remotes that stand in it twice", () => {
  assertEquals(parseTargets(["b:2", "unix:/a", "b:2"]), [
    { remote: "b:2", address: { hostname: "b", port: 2 } },
    { remote: "unix:/a", address: { path: "/a" } },
    { remote: "b:2", address: { hostname: "b", port: 2 } },
  ]);
  const most = Array.from({ length: MAX_REMOTES }, (_, i) => `a:${i + 1}`);
  assertEquals((parseTargets(most) as unknown[]).length, MAX_REMOTES);
});

Deno.test("parseTargets() says which rule of a list is broken, and by what", () => {
  const many = Array.from({ length: MAX_REMOTES + 1 }, () => "a:1");
  const bad: [value: unknown, rule: RegExp, value: unknown][] = [
    [[], /^must have at least one remote$/, []],
    [many, /^must have at most 1000 remotes$/, 1001],
    [["a:1", "a"], /^must be "host:port"$/, "a"],
    [["a:1", 80], /^must be a list of strings "host:port"/, 80],
    [["a:1", ["b:1"]], /^must be a list of strings/, ["b:1"]],
    [{ 0: "a:1" }, /^must be a string "host:port" .* or a list/, { 0: "a:1" }],
  ];
  for (const [value, rule, shown] of bad) {
    const result = parseTargets(value);
    assert("rule" in result);
    assertMatch(result.rule, rule);
    assertEquals(result.value, shown);
  }
});
