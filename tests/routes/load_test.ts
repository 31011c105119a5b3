import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { mistakes, read } from "../support/route_tables.ts";

Deno.test("readTable() understands the table in the manual", async () => {
  const text = await Deno.readTextFile(join(ROOT, "docs", "tables.md"));
  const [, source = ""] = /```yaml\n([^]*?)```/.exec(text) ?? [];
  const { table, settings } = read(source);
  assertEquals(table.routes.length, 3);
  assertEquals(settings.listen?.length, 2);
});

Deno.test("readTable() names all mistakes at once, with line, entry, rule and value", () => {
  const source = `
workers: 0
max-preread: 7
bogus: 1
routes:
  - name: web
    match:
      tls: { servername: x, serverName: "/(/" }
      client: 10.0.0.1/8
    remote: foo
  - match: { http: { version: 1.0 } }
    remote: "\${tls.serverName}:443"
    close: true
  - match: { nothing: 1 }
    reply: x
  - remote: a:1
default: { remote: "\${bytes.1}:80" }
`;
  const known =
    "client, localPort, listener, serverName, alpn, bytes, any, all, not, amqp, dns, git, http, http2, ldap, minecraft, mqtt, openvpn, postgres, rdp, redis, socks4, socks5, ssh, tls, xmpp";
  assertEquals(mistakes(source), [
    "r.yaml:2: workers: must be a whole number from 1 to 1024: current value is 0",
    "r.yaml:3: max-preread: is written maxPreread: current value is 7",
    "r.yaml:4: bogus: is not one of listen, workers, maxPreread, prereadTimeout, connectTimeout, dnsHold, halfCloseTimeout, idleTimeout, maxDuration, maxConnections, maxConnectionsPerIp, rateLimit, logLevel, logFormat, accessLog, drainTimeout, allow, admin, router, pools, tables, routes, default: current value is 1",
    'r.yaml:8: route 1 (web): match.tls.serverName: must be a regular expression (Unterminated group): current value is "/(/"',
    'r.yaml:8: route 1 (web): match.tls.servername: is written serverName: current value is "x"',
    'r.yaml:9: route 1 (web): match.client: must have no bits set behind the first 8: current value is "10.0.0.1/8"',
    'r.yaml:10: route 1 (web): remote: must be "host:port": current value is "foo"',
    "r.yaml:11: route 2: match.http.version: must be a text in quotes, or a list of those: current value is 1",
    'r.yaml:12: route 2: remote: cannot stand beside close: current value is "${tls.serverName}:443"',
    `r.yaml:14: route 3: match.nothing: is not one of ${known}: current value is 1`,
    'r.yaml:15: route 3: reply: must stand beside remote, or beside consume to go on routing: current value is "x"',
    "r.yaml:16: route 4: match: is needed",
    'r.yaml:17: default.remote: must take ${bytes.1} from a group of bytes.regex in its match: current value is "${bytes.1}:80"',
  ]);
});

/** A table with one route, and the one mistake that it has. */
function mistake(match: string, action = "close: true"): string {
  const found = mistakes(`routes:\n  - match: ${match}\n    ${action}\n`);
  assertEquals(found.length, 1, found.join("\n"));
  return (found[0] ?? "").replace(/^r\.yaml:[23]: route 1: /, "");
}

Deno.test("readTable() refuses matches that cannot be meant", () => {
  const cases: [match: string, expected: RegExp][] = [
    ["{}", /^match: must have at least one key; true matches every client/],
    ["false", /^match: must be a mapping, or true for every client/],
    ["{ tls: false }", /^match\.tls: must be true, or a mapping of its fields/],
    ["{ tls: }", /^match\.tls: must be true, or a mapping of its fields/],
    ["{ any: [] }", /^match\.any: must have at least one match/],
    ["{ all: [{ tls: { x: 1 } }] }", /^match\.all\.1\.tls\.x: is not one of/],
    ["{ not: { ssh: 1 } }", /^match\.not\.ssh: must be true, or a mapping/],
    ["{ http: { host: 'a:80' } }", /host: must be a host name without a port/],
    ["{ http: { host: 'a b' } }", /host: must be a host name, a glob such as/],
    ["{ http: { host: [] } }", /host: must be a host name, or a list/],
    ["{ http: { method: '' } }", /method: must not be empty/],
    ["{ http: { headers: x } }", /headers: must be a mapping of names/],
    ["{ tls: { alpn: '/x/g' } }", /alpn: must have no flags but i, m, s, u/],
    ["{ client: 10.0.0.0/33 }", /client: must have 0 to 32 bits behind/],
    ["{ client: example.com }", /client: must be an IP address or a network/],
    ["{ localPort: 0 }", /localPort: must be a whole number from 1 to 65535/],
    ["{ bytes: {} }", /bytes: must have one of prefix, hex, regex/],
    ["{ bytes: { prefix: € } }", /prefix: must have characters up to U\+00FF/],
    ["{ bytes: { hex: 1g } }", /hex: must be bytes of two hexadecimal digits/],
    ["{ bytes: { regex: x } }", /regex: must be a regular expression between/],
    ["{ bytes: { prefix: a, within: 3 } }", /within: must stand beside regex/],
    ["{ mqtt: { cleanStart: 1 } }", /cleanStart: must be true or false/],
  ];
  for (const [match, expected] of cases) {
    assertMatch(mistake(match), expected, match);
  }
});

Deno.test("readTable() refuses actions that cannot be meant", () => {
  const cases: [action: string, expected: RegExp][] = [
    [
      "name: x",
      /^\(x\)|must have one of remote, pool, table, close, or reply with consume/,
    ],
    ["remote: a", /^remote: must be "host:port"/],
    ["remote: a:0", /^remote: must end in a port from 1 to 65535/],
    ["remote: '::1:80'", /^remote: must have an IPv6 address in brackets/],
    ["remote: unix:a", /^remote: must have the absolute path of a socket/],
    ["remote: 7", /^remote: must be a text host:port or unix:\/path/],
    ["remote: '${a.b}:1'", /must not use the unknown variable \$\{a\.b\}/],
    ["remote: '${tls.x}:1'", /unknown variable \$\{tls\.x\} \(known are tls\./],
    ["remote: '${http.host}:1'", /from its match, which does not ask for http/],
    ["remote: '${tls.alpn}:1'", /must not use \$\{tls\.alpn\}, which has sev/],
    ["remote: '${tls.serverName.1}:1'", /from a \* or a group in its match/],
    ["remote: '${bytes.1}:1'", /from a group of bytes\.regex in its match/],
    ["remote: '${bytes}:1'", /must name a group of the regex/],
    ["remote: '${tls.serverName:1'", /must have a \} for each \$\{/],
    ["remote: '${tls.serverName}'", /^$/],
    ["pool: p", /^pool: must name a pool, and there are no pools/],
    ["close: false", /^close: must be true, a text, or a mapping with hex/],
    ["close: { hex: x }", /^close\.hex: must be bytes of two hexadecimal/],
    ["close: '${x}'", /^close: must not use the unknown variable/],
    ["reply: a", /^reply: must stand beside remote, or beside consume/],
  ];
  for (const [action, expected] of cases) {
    if (expected.source === "^$") {
      assertEquals(
        mistakes(`routes:\n  - match: { tls: true }\n    ${action}\n`),
        [],
      );
    } else assertMatch(mistake("{ tls: true }", action), expected, action);
  }
});

Deno.test("readTable() refuses a default beside a router, and a table of nothing", () => {
  assertEquals(mistakes("router: ./r.ts\ndefault: { close: true }\n"), [
    "r.yaml:2: default: cannot stand beside router, which serves the rest: current value is { close: true }",
  ]);
  assertEquals(mistakes(""), ["r.yaml:1: routes: is needed"]);
  assertEquals(mistakes("- 1\n"), [
    "r.yaml:1: table: must be a mapping: current value is [ 1 ]",
  ]);
});

Deno.test("readTable() refuses listeners that are the same, and names of none", () => {
  const source = `
listen:
  - 127.0.0.1:80
  - { host: 127.0.0.1, port: 80, name: other }
  - { port: 81, name: a }
  - { port: 82, name: a }
routes:
  - { match: { listener: nobody }, close: true }
`;
  assertEquals(mistakes(source), [
    'r.yaml:4: listen 2: must not be listed twice: current value is { host: "127.0.0.1", port: 80, name: "other" }',
    'r.yaml:6: listen 4: must have a name of its own: current value is "a"',
    'r.yaml:8: route 1: match: must name one of the listeners 127.0.0.1:80, other, a: current value is "nobody"',
  ]);
});

Deno.test("readTable() says where the file is not YAML", () => {
  const [unclosed = ""] = mistakes("routes: []\nlisten: [\n");
  assertMatch(unclosed, /^r\.yaml:3: table: must be YAML: /);
  assertEquals(mistakes("workers: 1\n\nworkers: 2\n"), [
    "r.yaml:3: table: must be YAML: duplicated mapping key",
  ]);
  assertMatch(mistakes("routes: []\n---\nroutes: []\n")[0] ?? "", /one doc/);
  assertMatch(mistakes("routes: *a\n")[0] ?? "", /:1: table: must /);
  assertMatch(mistakes("routes: &a [*a]\n")[0] ?? "", /must have an anchor/);
});

Deno.test("readTable() takes aliases, but not when they grow beyond all bounds", () => {
  const { table } = read(`
routes:
  - &web { match: { tls: true }, remote: "a:1" }
  - *web
`);
  assertEquals(table.routes.map(({ line }) => line), [3, 4]);
  assertEquals(table.routes[0]?.match, table.routes[1]?.match);
  let bomb = "a0: &a0 [x, x]\n";
  for (let i = 1; i < 64; i++) {
    bomb += `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`;
  }
  const started = performance.now();
  assertMatch(mistakes(bomb)[0] ?? "", /must have at most 1000000 values/);
  assert(performance.now() - started < 10_000);
});

Deno.test("readTable() gives the settings, with paths from the table's folder", () => {
  const { settings, router } = read(`
listen: ["0.0.0.0:443", "[::1]:0", 80, { host: "::1", port: 8080, name: alt }]
workers: 3
maxConnections: 100
maxConnectionsPerIp: 20
rateLimit: { perSecond: 5, burst: 50 }
maxPreread: 1000
prereadTimeout: 1.5
connectTimeout: 0.5
halfCloseTimeout: 2
drainTimeout: 9
idleTimeout: 0
maxDuration: 3600
logLevel: debug
logFormat: json
accessLog: access.log
admin: { port: 9901, tokenFile: token }
allow: { net: [10.0.0.1:80, "unix:/a"], read: [a, /b], env: true }
router: ./rest.ts
`);
  const cwd = Deno.cwd();
  assertEquals(router, `${cwd}/rest.ts`);
  assertEquals(settings, {
    listen: [
      { name: "0.0.0.0:443", hostname: "0.0.0.0", port: 443 },
      { name: "[::1]:0", hostname: "::1", port: 0 },
      { name: "80", hostname: "0.0.0.0", port: 80 },
      { name: "alt", hostname: "::1", port: 8080 },
    ],
    workers: 3,
    maxConnections: 100,
    maxConnectionsPerIp: 20,
    rateLimit: { perSecond: 5, burst: 50 },
    maxPreread: 1000,
    prereadTimeout: 1500,
    connectTimeout: 500,
    halfCloseTimeout: 2000,
    admin: {
      hostname: "127.0.0.1",
      port: 9901,
      tokenFile: `${cwd}/token`,
    },
    drainTimeout: 9000,
    idleTimeout: 0,
    maxDuration: 3_600_000,
    grants: {
      net: ["10.0.0.1:80", "unix:/a"],
      unix: ["/a"],
      read: [`${cwd}/a`, "/b"],
      env: true,
    },
    logLevel: "debug",
    logFormat: "json",
    accessLog: `${cwd}/access.log`,
  });
});

Deno.test("readTable() takes port 0 more than once, but no name", () => {
  const listen = (list: string) =>
    `listen: [${list}]\ndefault: { close: true }`;
  const { settings } = read(listen(`0, "127.0.0.1:0", { port: 0 }, ":0"`));
  assertEquals(
    settings.listen?.map((one) => "port" in one && one.port),
    [0, 0, 0, 0],
  );
  assertEquals(
    mistakes(listen("{ port: 0, name: a }, { port: 0, name: a }")),
    [
      'r.yaml:1: listen 2: must have a name of its own: current value is "a"',
    ],
  );
});

Deno.test("readTable() takes socket files to listen on", () => {
  const { settings } = read(`
listen: ["unix:/a.sock", { path: /b.sock, mode: "0660", name: b }]
default: { close: true }
`);
  assertEquals(settings.listen, [
    { name: "unix:/a.sock", path: "/a.sock" },
    { name: "b", path: "/b.sock", mode: 0o660 },
  ]);
  const bad: [listen: string, rule: RegExp][] = [
    [`"unix:a.sock"`, /listen: must have the absolute path of a socket file/],
    ["{ path: a.sock }", /listen\.path: must have the absolute path/],
    ["{ path: /a, port: 80 }", /listen\.port: cannot stand beside path/],
    ["{ path: /a, host: b }", /listen\.host: cannot stand beside path/],
    ["{ host: b }", /listen\.port: is needed/],
    ["{ port: 80, mode: '660' }", /listen\.mode: must stand beside path/],
    ["{ path: /a, mode: 660 }", /listen\.mode: must be octal digits in quotes/],
    ["{ path: /a, mode: '888' }", /listen\.mode: must be three octal digits/],
    [`["unix:/a", { path: /a }]`, /listen 2: must not be listed twice/],
  ];
  for (const [listen, rule] of bad) {
    const [mistake = "", ...more] = mistakes(
      `listen: ${listen}\ndefault: { close: true }`,
    );
    assertMatch(mistake, rule);
    assertEquals(more, [], mistake);
  }
});

Deno.test("what readTable() gives can be sent to a worker", () => {
  const { table } = read(`
routes:
  - match:
      any:
        - { tls: { serverName: ["*.a", "/^b/i", c] } }
        - { bytes: { prefix: "\\x16", regex: "/x/", within: 3 } }
        - { not: { client: "2001:db8::/32" }, localPort: 1 }
    remote: "\${client.address}:1"
`);
  assertEquals(structuredClone(table), table);
});

Deno.test("readTable() takes a rate as a number, and says what is wrong with one", () => {
  const rate = (value: string) =>
    read(`rateLimit: ${value}\nroutes: []\n`).settings.rateLimit;
  assertEquals(rate("2.5"), { perSecond: 2.5, burst: 3 });
  assertEquals(rate("{ perSecond: 0.5 }"), { perSecond: 0.5, burst: 1 });
  assertEquals(rate("0"), undefined);
  const mistake = (value: string) =>
    mistakes(`rateLimit: ${value}\nroutes: []\n`)[0] ?? "";
  assertMatch(mistake("fast"), /rateLimit: must be a number, or a mapping of/);
  assertMatch(mistake("5:20"), /rateLimit: must be a number, or a mapping of/);
  assertMatch(mistake("-1"), /rateLimit/);
  assertMatch(mistake("{ perSecond: 5, burst: 0.5 }"), /rateLimit/);
});
