import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../src/lib/config_error.ts";
import { describeTable } from "../../src/routes/describe.ts";
import { readRedisFiles, redisFiles } from "../../src/routes/redis_files.ts";
import { Folder } from "../support/folder.ts";
import { Authority } from "../support/tls.ts";
import { mistakes, read } from "../support/route_tables.ts";

Deno.test("a route can name a table and the key for it; others cannot be hidden by it", () => {
  const { table } = read(`
tables:
  sites: { redis: "redis://joe:hidden@10.0.0.1/2", prefix: "site:", timeout: 2 }
routes:
  - { match: { http: true }, table: sites, key: "\${http.host}", connectTimeout: 1 }
  - { match: { http: true }, close: true }
`);
  assertEquals(table.tables, [{
    name: "sites",
    options: {
      url: "redis://joe:hidden@10.0.0.1/2",
      prefix: "site:",
      timeout: 2,
    },
    passwordFile: undefined,
  }]);
  assertEquals(describeTable(table, undefined), [
    'route 1, line 5: http -> table sites, key "${http.host}", connectTimeout 1',
    "route 2, line 6: http -> close",
    "default: close",
    "table sites: site:* in redis://10.0.0.1:6379/2",
  ]);
});

Deno.test("mistakes in tables name the entry, the rule and the value, but no password", () => {
  assertEquals(
    mistakes(`
tables:
  one: { redis: "http://joe:hidden@a" }
  two: { redis: "redis://joe:hidden@a", passwordFile: p, timeout: 1 }
  three: { redis: "redis://a", ca: b.pem }
  four: { redis: "redis://a", timeout: 0 }
  five: { redis: "redis://a", perfix: x }
  six: { prefix: x }
  "s even": { redis: "redis://joe:hidden@a" }
  nine: { redis: "redis://a" }
routes:
  - { match: true, table: ten, key: x }
  - { match: true, table: nine }
  - { match: true, table: nine, key: "\${http.host}" }
  - { match: true, table: nine, key: x, remote: "a:1" }
  - { match: true, table: nine, key: x, pool: p }
  - { match: true, table: nine, key: x, close: true }
  - { match: true, key: x, remote: "a:1" }
default: { table: nine, key: x }
`),
    [
      'r.yaml:3: tables.one.redis: must be a string "redis://host:port/database", or the same with rediss://: current value is "http://…@a"',
      'r.yaml:4: tables.two.passwordFile: cannot stand beside a password in the URL: current value is "p"',
      'r.yaml:5: tables.three.ca: must go with rediss://: current value is "b.pem"',
      "r.yaml:6: tables.four.timeout: must be a number of seconds from 0.01 to 60: current value is 0",
      'r.yaml:7: tables.five.perfix: is not one of redis, prefix, passwordFile, ca, timeout, maxEntries: current value is "x"',
      "r.yaml:8: tables.six.redis: is needed",
      'r.yaml:9: tables.s even: must have a name of 1 to 64 letters, digits or any of _.:-: current value is { redis: "redis://…@a" }',
      'r.yaml:12: route 1: table: must name one of the tables one, two, three, four, five, six, s even, nine: current value is "ten"',
      "r.yaml:13: route 2: key: is needed beside table",
      'r.yaml:14: route 3: key: must take ${http.host} from its match, which does not ask for http: current value is "${http.host}"',
      'r.yaml:15: route 4: remote: cannot stand beside table: current value is "a:1"',
      'r.yaml:16: route 5: pool: cannot stand beside table: current value is "p"',
      'r.yaml:16: route 5: pool: must name a pool, and there are no pools: current value is "p"',
      'r.yaml:17: route 6: table: cannot stand beside close: current value is "nine"',
      'r.yaml:18: route 7: key: must stand beside pool or table: current value is "x"',
      'r.yaml:19: default.table: must stand in a route: a table may have no remote: current value is "nine"',
    ],
  );
});

Deno.test("passwords and authorities are read from files, which are watched", async () => {
  await using authority = await Authority.make();
  await using folder = await Folder.make({
    "redis.password": "open sesame\n",
    "two.password": "a\nb\n",
    "ca.pem": authority.pem,
  });
  const table = (password: string) => {
    const loaded = read(`
tables:
  a: { redis: "rediss://a", passwordFile: ${password}, ca: ca.pem }
routes: [{ match: true, table: a, key: "\${client.address}" }]
`);
    const file = folder.file("routes.yaml");
    return { ...loaded, table: { ...loaded.table, file } };
  };
  const loaded = table("redis.password");
  assertEquals(redisFiles(loaded), [
    folder.file("ca.pem"),
    folder.file("redis.password"),
  ]);
  const { tables: [found] } = (await readRedisFiles(loaded)).table;
  assert(found);
  assertEquals(found.options.password, "open sesame");
  assertEquals(found.options.ca, [authority.pem]);
  await assertRejects(
    () => readRedisFiles(table("two.password")),
    ConfigError,
    /^Cannot use the password in .*two\.password as it must be one line of at most 512 characters: current value is a secret of 3$/,
  );
  await assertRejects(
    () => readRedisFiles(table("none")),
    ConfigError,
    /^Cannot read the password in .*none: there is no such file$/,
  );
});
