import { assertEquals } from "@std/assert";
import { describeTable } from "../../src/routes/describe.ts";
import { tableSockets } from "../../src/routes/socket_paths.ts";
import {
  bytes,
  client,
  decide,
  get,
  mistakes,
  read,
  router,
} from "../support/route_tables.ts";

Deno.test("readTable() makes the options of pools as a router has them", () => {
  const { table } = read(String.raw`
pools:
  one: { members: "a:1" }
  two:
    members: ["a:1", { remote: "unix:/run/b.sock", weight: 2 }]
    policy: hash
    passive: { failures: 5, backoff: 0.5, maxBackoff: 10 }
    check: { interval: 1, timeout: 0.5, rise: 1, fall: 2, send: "PING\r\n", expect: "+PONG" }
  three:
    members: ["c:1"]
    passive: false
    check: { tls: { serverName: c.example, ca: ca.pem }, send: { hex: "00 ff" }, expect: "/^HTTP\\S+ 200/" }
routes:
  - { match: true, pool: one }
`);
  assertEquals(table.pools.map(({ name }) => name), [
    "one",
    "two",
    "three",
  ]);
  assertEquals(table.pools.map(({ options }) => options), [
    { members: ["a:1"] },
    {
      members: ["a:1", { remote: "unix:/run/b.sock", weight: 2 }],
      policy: "hash",
      passive: { failures: 5, backoff: 0.5, maxBackoff: 10 },
      check: {
        ...{ interval: 1, timeout: 0.5, rise: 1, fall: 2 },
        ...{ send: "PING\r\n", expect: "+PONG" },
      },
    },
    {
      members: ["c:1"],
      passive: false,
      check: {
        tls: { serverName: "c.example", ca: ["ca.pem"], alpn: undefined },
        ...{ send: bytes("\0\xff"), expect: /^HTTP\S+ 200/ },
      },
    },
  ]);
  assertEquals(tableSockets(structuredClone(table)), ["/run/b.sock"]);
});

Deno.test("readTable() says what is wrong with a pool, and with a route that names one", () => {
  const source = String.raw`
pools:
  a b: { members: ["a:1"] }
  p: { members: ["a:1", "b:1", "a:1"], passive: { backoff: 5, maxBackoff: 4 } }
  q: { members: ["a", { remote: "a:1", weight: 300 }], policy: random }
  r: { members: [], check: { every: 1, interval: 0, expect: "/(/" } }
  s: { members: ["a:1"], passive: true, check: { tls: { ca: 1 } } }
  u: { members: ["unix:/a"], check: { tls: true } }
  t: { members: ["a:1"] }
routes:
  - { match: true, pool: none }
  - { match: true, pool: t, remote: "a:1" }
  - { match: true, pool: t, key: "x" }
  - { match: { http: true }, pool: h, key: "${"$"}{tls.serverName}" }
  - { match: true, pool: t, close: true }
  - { match: true, remote: "a:1", key: x }
  - { match: true, pool: h, key: "${"$"}{client.address}", reply: x, connectTimeout: 1 }
`.replace("  t:", `  h: { members: ["a:1"], policy: hash }\n  t:`);
  const lines = mistakes(source).map((line) => line.replace(/^r\.yaml:/, ""));
  assertEquals(lines, [
    '3: pools.a b: must have a name of 1 to 64 letters, digits or any of _.:-: current value is { members: [ "a:1" ] }',
    '4: pools.p.members.3.remote: must not be listed twice: current value is "a:1"',
    '5: pools.q.members.1: must be "host:port": current value is "a"',
    "5: pools.q.members.2.weight: must be a whole number from 0 to 256: current value is 300",
    '5: pools.q.policy: must be one of round-robin, least-connections, hash: current value is "random"',
    "6: pools.r.members: must be a text host:port or a mapping, or a list of those: current value is []",
    "6: pools.r.check.interval: must be a number of seconds from 0.001 to 86400: current value is 0",
    '6: pools.r.check.expect: must be a regular expression (Unterminated group): current value is "/(/"',
    "6: pools.r.check.every: is not one of interval, timeout, rise, fall, proxyProtocol, tls, send, expect: current value is 1",
    "7: pools.s.passive: must be false, or a mapping: current value is true",
    "7: pools.s.check.tls.ca: must be a path, or a list of those: current value is 1",
    '8: pools.u.check.tls: needs members of the form "host:port": current value is true',
    '12: route 1: pool: must name one of the pools a b, p, q, r, s, u, h, t: current value is "none"',
    '13: route 2: pool: cannot stand beside remote: current value is "t"',
    '14: route 3: key: must go with a pool of the policy hash: current value is "x"',
    '15: route 4: key: must take ${tls.serverName} from its match, which does not ask for tls: current value is "${tls.serverName}"',
    '16: route 5: pool: cannot stand beside close: current value is "t"',
    '17: route 6: key: must stand beside pool or table: current value is "x"',
  ]);
});

Deno.test("a route of a table decides for a pool, with a key of variables", () => {
  const routes = router(`
pools:
  by-host: { members: ["a:1", "b:1"], policy: hash }
  by-turns: { members: ["a:1"] }
routes:
  - match: { http: { path: /big/* } }
    pool: by-host
    key: "\${http.host} \${client.address}"
    reply: wait
    connectTimeout: 2
default: { pool: by-turns }
`);
  const big = decide(routes, get("a.example", "/big/1"), client("192.0.2.7"));
  assertEquals(defined(big), {
    pool: "by-host",
    key: "a.example 192.0.2.7",
    reply: "wait",
    connectTimeout: 2,
    route: "route 1",
  });
  const small = decide(routes, get("a.example", "/small"));
  assertEquals(defined(small), { pool: "by-turns", route: "default" });
});

Deno.test("describeTable() names the pool and the key", () => {
  const { table } = read(`
pools:
  p: { members: ["a:1"], policy: hash }
routes:
  - { match: { tls: true }, pool: p, key: "\${tls.serverName}", idleTimeout: 5 }
`);
  assertEquals(
    describeTable(table, undefined)[0],
    'route 1, line 5: tls -> pool p, key "${tls.serverName}", idleTimeout 5',
  );
});

/** Without the keys that are undefined. */
function defined(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
