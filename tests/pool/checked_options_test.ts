import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { planPool, PoolError } from "../../src/pool/checked_options.ts";

Deno.test("planPool() fills in the defaults", () => {
  const plan = planPool("p", { members: ["a:1", { remote: "unix:/b" }] });
  assertEquals(plan, {
    name: "p",
    policy: "round-robin",
    members: [
      {
        target: { remote: "a:1", address: { hostname: "a", port: 1 } },
        weight: 1,
      },
      { target: { remote: "unix:/b", address: { path: "/b" } }, weight: 1 },
    ],
    passive: { failures: 3, backoff: 1000, maxBackoff: 60_000 },
    check: undefined,
  });
  const { check } = planPool("p", { members: ["a:1"], check: {} });
  assertEquals(check, {
    interval: 5000,
    timeout: 2000,
    rise: 2,
    fall: 3,
    proxyProtocol: undefined,
    tls: undefined,
    send: undefined,
    expect: undefined,
  });
  const { passive } = planPool("p", {
    members: ["a:1"],
    passive: { backoff: 90 },
  });
  assertEquals(passive?.maxBackoff, 90_000);
});

Deno.test("planPool() gives a RegExp no memory of the check before", () => {
  const expect = /OK/gy;
  const { check } = planPool("p", { members: ["a:1"], check: { expect } });
  assertEquals(String(check?.expect), "/OK/");
});

Deno.test("planPool() names the key, the rule and the value when one is broken", () => {
  const members = ["a:1"];
  const cases: [name: unknown, options: unknown, message: RegExp][] = [
    [
      "",
      { members },
      /^Cannot make a pool as its name must be 1 to 64 letters.*: current value is ""$/,
    ],
    ["a b", { members }, /current value is "a b"$/],
    [7, { members }, /current value is 7$/],
    [
      "p",
      undefined,
      /pool p as its options must be an object: current value is undefined$/,
    ],
    [
      "p",
      {},
      /pool p as "members" must be a list of 1 to 1000: current value is undefined$/,
    ],
    ["p", { members: [] }, /"members" must be a list/],
    ["p", { members: Array(1001).fill("a:1") }, /"members" must be a list/],
    [
      "p",
      { members: ["a:1", "a"] },
      /"members\[1\].remote" must be "host:port": current value is "a"$/,
    ],
    [
      "p",
      { members: ["a:1", "a:1"] },
      /"members\[1\].remote" must not be listed twice/,
    ],
    [
      "p",
      { members: [{ remote: 1 }] },
      /"members\[0\].remote" must be a string "host:port" or "unix:\/path": current value is 1$/,
    ],
    [
      "p",
      { members: [7] },
      /"members\[0\]" must be an object: current value is 7$/,
    ],
    [
      "p",
      { members: [{ remote: "a:1", weight: 257 }] },
      /"members\[0\].weight" must be a whole number from 0 to 256: current value is 257$/,
    ],
    [
      "p",
      { members: [{ remote: "a:1", wieght: 1 }] },
      /"members\[0\].wieght" is not one of remote, weight: current value is 1$/,
    ],
    [
      "p",
      { members, policy: "random" },
      /"policy" must be one of round-robin, least-connections, hash: current value is "random"$/,
    ],
    [
      "p",
      { members, size: 1 },
      /"size" is not one of members, policy, passive, check/,
    ],
    [
      "p",
      { members, passive: true },
      /"passive" must be an object: current value is true$/,
    ],
    [
      "p",
      { members, passive: { failures: 0 } },
      /"passive.failures" must be a whole number from 1 to 1000/,
    ],
    [
      "p",
      { members, passive: { backoff: 0 } },
      /"passive.backoff" must be a number of seconds from 0.001 to 86400: current value is 0$/,
    ],
    [
      "p",
      { members, passive: { backoff: 5, maxBackoff: 4 } },
      /"passive.maxBackoff" must be at least backoff: current value is 4$/,
    ],
    [
      "p",
      { members, check: true },
      /"check" must be an object: current value is true$/,
    ],
    [
      "p",
      { members, check: { interval: NaN } },
      /"check.interval" must be a number of seconds/,
    ],
    [
      "p",
      { members, check: { rise: "2" } },
      /"check.rise" must be a whole number from 1 to 1000: current value is "2"$/,
    ],
    [
      "p",
      { members, check: { tls: 1 } },
      /"check.tls" must be true or an object: current value is 1$/,
    ],
    [
      "p",
      { members, check: { tls: { name: "a" } } },
      /"check.tls.name" is not one of serverName, ca, alpn: current value is "a"$/,
    ],
    [
      "p",
      { members, check: { tls: { ca: "a" } } },
      /"check.tls.ca" must be certificates in PEM, .*: current value is "a"$/,
    ],
    [
      "p",
      { members: ["a:1", "unix:/a"], check: { tls: true } },
      /"check.tls" needs members of the form "host:port": current value is true$/,
    ],
    [
      "p",
      { members, check: { send: 1 } },
      /"check.send" must be a Uint8Array or a string: current value is 1$/,
    ],
    [
      "p",
      { members, check: { expect: [1] } },
      /"check.expect" must be a Uint8Array, a string or a RegExp/,
    ],
  ];
  for (const [name, options, message] of cases) {
    const error = assertThrows(() => planPool(name, options), PoolError);
    assertMatch(error.message, message);
    assert(!error.message.includes("\n"));
  }
});
