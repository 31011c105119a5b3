import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import { DecisionError } from "../../src/decision/decision.ts";
import { compileTable } from "../../src/routes/compile.ts";
import { Call } from "../../src/routes/matchers/call.ts";
import { compileMatch, type Match } from "../../src/routes/matchers/match.ts";
import { PROTOCOLS, readField } from "../../src/routes/matchers/protocols.ts";
import { matches, type Pattern } from "../../src/routes/matchers/pattern.ts";
import { describeTable } from "../../src/routes/describe.ts";
import { latin1 } from "../../src/router/latin1.ts";
import { Preread } from "../../src/router/preread.ts";
import { KINDS, measureKind } from "../bench/routes.ts";
import {
  alpn,
  clientHello,
  serverName,
} from "../support/protocols/builders.ts";
import {
  bytes,
  client,
  decide,
  get,
  read,
  remoteOf,
  router,
} from "../support/route_tables.ts";

const hello = (name: string, ...protocols: string[]) =>
  clientHello(
    serverName(name),
    ...protocols.length ? [alpn(...protocols)] : [],
  );

Deno.test("a table routes by the fields of protocols", () => {
  const table = router(String.raw`
routes:
  - { match: { tls: { serverName: a.example, alpn: h2 } }, remote: "a-h2:1" }
  - { match: { tls: { serverName: [a.example, "*.b.example"] } }, remote: "ab:1" }
  - { match: { http: { host: A.example, path: "/x/*", headers: { X-Env: "/^test/i" } } }, remote: "x:1" }
  - { match: { http: { method: [POST, PUT] } }, remote: "write:1" }
  - { match: { ssh: true }, remote: "ssh:22" }
  - { match: { minecraft: { port: 25565 } }, remote: "minecraft:1" }
default: { remote: "rest:1" }
`);
  const cases: [data: string | Uint8Array, remote: string][] = [
    [hello("a.example", "http/1.1", "h2"), "a-h2:1"],
    [hello("a.example"), "ab:1"],
    [hello("x.y.b.example"), "ab:1"],
    [hello("b.example"), "rest:1"],
    [get("a.example:80", "/x/y", "x-env: Testing"), "x:1"],
    [get("a.example", "/x/y"), "rest:1"],
    [get("a.example", "/x/y").replace("GET", "PUT"), "write:1"],
    ["SSH-2.0-x\r\n", "ssh:22"],
    ["\0\0\0\0", "rest:1"],
  ];
  for (const [data, remote] of cases) {
    assertStrictEquals(remoteOf(table, data), remote);
  }
});

Deno.test("a lookup without names asks for its protocol, not for nothing", () => {
  const table = router(`
routes:
  - { match: { http: { headers: {} } }, remote: "http:80" }
default: { remote: "rest:1" }
`);
  assertStrictEquals(remoteOf(table, get("a.example")), "http:80");
  assertStrictEquals(remoteOf(table, "SSH-2.0-x\r\n"), "rest:1");
});

Deno.test("a route wins only when every route above it has said no", () => {
  const table = router(`
routes:
  - { match: { tls: true }, remote: "tls:1" }
  - { match: { ssh: true }, remote: "ssh:1" }
  - { match: { bytes: { prefix: "SSH" } }, remote: "early:1" }
default: { remote: "rest:1" }
`);
  assertEquals(decide(table, "S"), undefined);
  assertEquals(decide(table, "SSH"), undefined);
  assertEquals(decide(table, "SSH-2.0-x"), undefined);
  assertEquals(remoteOf(table, "SSH-2.0-x\n"), "ssh:1");
  assertEquals(remoteOf(table, "SSHx"), "early:1");
  assertEquals(remoteOf(table, "X"), "rest:1");
});

Deno.test("a table routes by client, port and listener before a byte has come", () => {
  const table = router(`
listen: [{ port: 443, name: main }, { port: 80, name: web }]
routes:
  - { match: { client: [10.0.0.0/8, "2001:db8::/32"] }, remote: "inside:1" }
  - { match: { localPort: 3306 }, remote: "mysql:3306" }
  - { match: { listener: "w*" }, remote: "web:1" }
  - { match: { tls: true }, remote: "tls:1" }
`);
  assertEquals(table.accept?.(client("10.1.2.3")), {
    remote: "inside:1",
    reply: undefined,
    connectTimeout: undefined,
    inactivityTimeout: undefined,
    idleTimeout: undefined,
    halfCloseTimeout: undefined,
    maxDuration: undefined,
    proxyProtocol: undefined,
    tls: undefined,
    route: "route 1",
  });
  const accept = (...who: Parameters<typeof client>) =>
    (table.accept?.(client(...who)) as { remote: string } | undefined)?.remote;
  assertEquals(accept("2001:db8::5"), "inside:1");
  assertEquals(accept("192.0.2.1", 3306), "mysql:3306");
  assertEquals(accept("192.0.2.1", 80, "web"), "web:1");
  assertEquals(accept("192.0.2.1"), undefined);
  const bytesFirst = "routes: [{ match: { tls: true }, remote: 'a:1' }]";
  assertEquals(router(bytesFirst).accept, undefined);
  assertEquals(remoteOf(router("default: { remote: 'a:1' }"), ""), "a:1");
});

Deno.test("a client of a socket file is in no network and on no port", () => {
  const table = router(`
routes:
  - { match: { client: ["0.0.0.0/0", "::/0"] }, close: true }
  - { match: { localPort: 443 }, close: true }
  - { match: { not: { client: 0.0.0.0/0 } }, remote: "\${client.address}:1" }
`);
  const who = {
    ...client(),
    remoteAddr: { transport: "unix", path: "" },
    localAddr: { transport: "unix", path: "/run/a.sock" },
  } as const;
  assertThrows(
    () => table.accept?.(who),
    DecisionError,
    /^Cannot fill in \$\{client\.address\} of route 3 as the client must have it: current value is nothing$/,
  );
});

Deno.test("bytes are matched by prefix, hex and regex, within a limit or not", () => {
  const one = (bytes: string) =>
    router(`
routes:
  - { match: { bytes: ${bytes} }, remote: "yes:1" }
default: { remote: "no:1" }
`);
  const cases: [bytes: string, answers: [data: string, remote?: string][]][] = [
    [`{ prefix: "\\x16\\xff" }`, [["\x16"], ["\x16\xff", "yes:1"], [
      "\x16\x03",
      "no:1",
    ]]],
    [`{ hex: "16 FF" }`, [["\x16"], ["\x16\xff", "yes:1"], ["x", "no:1"]]],
    [`{ regex: "/b/" }`, [["aaa"], ["aab", "yes:1"]]],
    [`{ regex: "/^ab.*c/s" }`, [["a"], ["ax", "no:1"], ["ab\n"], [
      "ab\nc",
      "yes:1",
    ]]],
    [`{ regex: "/c/", within: 3 }`, [
      ["ab"],
      ["abc", "yes:1"],
      ["abd", "no:1"],
      ["abdc", "no:1"],
    ]],
    [`{ prefix: ab, regex: "/c/" }`, [["c", "no:1"], ["ab"], ["abc", "yes:1"]]],
  ];
  for (const [rule, answers] of cases) {
    const table = one(rule);
    for (const [data, remote] of answers) {
      assertStrictEquals(remoteOf(table, data), remote, `${rule} ${data}`);
    }
  }
});

Deno.test("all, any and not combine answers as Kleene's logic does", () => {
  // after "ab": a prefix "ab" says yes, "x" no, and "abc" needs more
  const leaf = { yes: "ab", no: "x", more: "abc" } as const;
  type Truth = keyof typeof leaf;
  const rank: Record<Truth, number> = { no: -1, more: 0, yes: 1 };
  const match = (truth: Truth): Match => ({
    kind: "bytes",
    prefix: latin1(leaf[truth]),
    regex: undefined,
    within: undefined,
  });
  const answer = (match: Match) =>
    compileMatch(match)(new Call(new Preread(latin1("ab")), client()));
  const truths: Truth[] = ["yes", "no", "more"];
  for (const one of truths) {
    assertEquals(answer({ kind: "not", of: match(one) }), 0 - rank[one]);
    for (const other of truths) {
      const of = [match(one), match(other)];
      const [low, high] = [rank[one], rank[other]].sort((a, b) => a - b);
      assertStrictEquals(answer({ kind: "all", of }), low);
      assertStrictEquals(answer({ kind: "any", of }), high);
    }
  }
});

Deno.test("variables are filled in from what the client has sent", () => {
  const table = router(String.raw`
routes:
  - { match: { tls: { serverName: "*.example.com" } }, remote: "${"$"}{tls.serverName.1}.internal:${"$"}{local.port}" }
  - { match: { tls: true }, remote: "${"$"}{tls.serverName}:443" }
  - { match: { git: { path: "/^\\/(?<who>[^\\/]+)\\//" } }, remote: "${"$"}{git.path.who}.git:9418" }
  - { match: { bytes: { regex: "/^TO ([^\\n]*)\\n/" } }, remote: "${"$"}{bytes.1}" }
  - { match: { http: { path: /old } }, close: "HTTP/1.1 301 Moved\r\nLocation: https://${"$"}{http.host}/new?${"$"}{http.headers.X-A}$${"$"}{x}\r\n\r\n" }
  - { match: { http: true }, remote: "${"$"}{http.host}:80", reply: "from ${"$"}{client.address}" }
`);
  const cases: [data: string | Uint8Array, remote: string][] = [
    [hello("a.b.example.com"), "a.b.internal:443"],
    [hello("other.example"), "other.example:443"],
    [
      "0028git-upload-pack /joe/r\0host=a.example\0".replace("0028", "002a"),
      "joe.git:9418",
    ],
    ["TO 10.0.0.1:5\n", "10.0.0.1:5"],
    [get("a.example"), "a.example:80"],
    [get("[::1]:80"), "[::1]:80"],
  ];
  for (const [data, remote] of cases) {
    assertStrictEquals(remoteOf(table, data), remote);
  }
  assertEquals(decide(table, get("a.example"))?.reply, "from 192.0.2.1");
  assertEquals(
    decide(table, get("a.example", "/old", "x-a: b"))?.close,
    "HTTP/1.1 301 Moved\r\nLocation: https://a.example/new?b${x}\r\n\r\n",
  );
  const failures: [data: string | Uint8Array, message: RegExp][] = [
    [
      clientHello(),
      /^Cannot fill in \$\{tls\.serverName\} of route 2 as the client must send it: current value is nothing$/,
    ],
    [
      "TO nowhere\n",
      /^Cannot connect to \$\{bytes\.1\} of route 4 as it must be "host:port": current value is "nowhere"$/,
    ],
    ["TO a b:1\n", /must begin with a host name/],
  ];
  for (const [data, message] of failures) {
    assertThrows(() => decide(table, data), DecisionError, message);
  }
});

Deno.test("reply with consume goes on routing with the bytes that follow", () => {
  const table = router(`
routes:
  - { match: { postgres: { kind: [ssl, gss] } }, reply: N, consume: 8 }
  - { match: { postgres: { database: sales } }, remote: "sales:5432" }
`);
  const request = bytes("\0\0\0\x08\x04\xd2\x16\x2f");
  assertEquals(decide(table, request), {
    reply: "N",
    consume: 8,
    route: "route 1",
  });
});

Deno.test("a module serves what no route is for, and has its other hooks", async () => {
  const calls: string[] = [];
  const rest = {
    accept: () => void calls.push("accept"),
    route: (data: Preread) => {
      calls.push(`route ${data.text}`);
      return data.length > 2 ? { remote: "rest:1" } : undefined;
    },
    timeout: () => ({ close: true } as const),
  };
  const table = router(
    "router: ./r.ts\nroutes: [{ match: { ssh: true }, remote: 'ssh:1' }]",
    rest,
  );
  const who = client();
  assertEquals(remoteOf(table, "SSH-2.0-x\n", who), "ssh:1");
  assertEquals(decide(table, "S", who), undefined);
  assertEquals(calls, []);
  assertEquals(remoteOf(table, "ab", who), undefined);
  assertEquals(remoteOf(table, "abc", who), "rest:1");
  assertEquals(calls, ["accept", "route ab", "route abc"]);
  assertEquals(table.timeout?.(new Preread(bytes("")), who), {
    close: true,
  });
  assertEquals(table.connectError, undefined);

  const early = router("router: ./r.ts", {
    accept: () => Promise.resolve({ remote: "early:1" }),
  });
  assertEquals(await early.accept?.(client()), { remote: "early:1" });
  const none = router("router: ./r.ts", { accept: () => undefined });
  assertEquals(none.accept?.(who), undefined);
  assertThrows(
    () => decide(none, "x", who),
    Error,
    /accept\(\) of the table's router must decide/,
  );
});

Deno.test("each parser runs once at most in a call", () => {
  const table = read(`
routes:
  - { match: { tls: { serverName: a } }, remote: "a:1" }
  - { match: { client: 10.0.0.1 }, remote: "a:1" }
  - { match: { any: [{ tls: { serverName: "/b/" } }, { not: { tls: { alpn: h2 } } }] }, remote: "b:1" }
`).table;
  const { route } = compileTable(table, undefined).router;
  let reads = 0;
  const data = new Preread(hello("x.b.y", "h2"));
  const watched = new Proxy(data, {
    get(target, key) {
      if (key === "bytes") reads++;
      return Reflect.get(target, key, target);
    },
  });
  PROTOCOLS.tls.parse(watched);
  const once = reads;
  route?.(watched, client());
  assertEquals(reads, 2 * once);
});

/** Random matches, from few values, so that routes often are for the same. */
const hosts = fc.constantFrom(
  "a.example",
  "b.example",
  "c.b.example",
  "*.example",
  "*.b.example",
  "*",
  "a*",
  "/^b/",
);
const leaves: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(hosts, { minLength: 1, maxLength: 3 }).map((list) =>
      `{ http: { host: ${JSON.stringify(list)} } }`
    ),
  },
  {
    weight: 4,
    arbitrary: fc.array(hosts, { minLength: 1, maxLength: 2 }).map((list) =>
      `{ tls: { serverName: ${JSON.stringify(list)} } }`
    ),
  },
  fc.constantFrom(
    "{ tls: true }",
    "{ http: true }",
    "{ ssh: true }",
    "{ client: 10.0.0.0/8 }",
    "{ localPort: 443 }",
    "{ tls: { alpn: [h2, x] } }",
    "{ http: { headers: { x-a: '1' } } }",
    "{ bytes: { prefix: GET } }",
    "{ bytes: { regex: '/a/', within: 20 } }",
    "{ bytes: { regex: '/^SSH/' } }",
  ),
);
const matchTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: leaves },
  fc.array(leaves, { minLength: 1, maxLength: 3 }).map((list) =>
    `{ any: [${list.join(", ")}] }`
  ),
  fc.array(leaves, { minLength: 1, maxLength: 3 }).map((list) =>
    `{ all: [${list.join(", ")}] }`
  ),
  leaves.map((one) => `{ not: ${one} }`),
);
const connections: fc.Arbitrary<Uint8Array> = fc.constantFrom(
  hello("a.example"),
  hello("c.b.example", "h2"),
  clientHello(),
  bytes(get("b.example")),
  bytes(get("a.example", "/", "X-A: 1")),
  bytes("SSH-2.0-a\r\n"),
  bytes("anything else, of no protocol at all"),
);

/** The truth about a match, the plain way: -1 no, 0 more, 1 yes. */
function truth(match: Match, data: Uint8Array, address: string): number {
  const of = (part: Match) => truth(part, data, address);
  const some = (patterns: readonly Pattern[], value: string) =>
    patterns.some((one) => matches(one, value));
  switch (match.kind) {
    case "all":
      return Math.min(...match.of.map(of));
    case "any":
      return Math.max(...match.of.map(of));
    case "not":
      return 0 - of(match.of);
    case "client":
      return address.startsWith("10.") ? 1 : -1;
    case "localPort":
      return match.ports.includes(443) ? 1 : -1;
    case "protocol": {
      const message = PROTOCOLS[match.protocol].parse(data);
      return message ? 1 : message === null ? -1 : 0;
    }
    case "field": {
      const message = PROTOCOLS[match.protocol].parse(data);
      if (!message) return message === null ? -1 : 0;
      const value = readField(message, match.field, match.key);
      return [value ?? []].flat().some((one) => some(match.patterns, one))
        ? 1
        : -1;
    }
    case "bytes": {
      const text = new Preread(data).text;
      const { prefix, regex, within = Infinity } = match;
      if (prefix !== undefined) {
        const start = new Preread(prefix).text;
        return text.startsWith(start) ? 1 : start.startsWith(text) ? 0 : -1;
      }
      const found = regex?.test(text.slice(0, within))
        ? 1
        : text.length >= within
        ? -1
        : 0;
      const anchor = String(regex) === "/^SSH/" ? "SSH" : "";
      return anchor.startsWith(text) || text.startsWith(anchor) ? found : -1;
    }
    default:
      return 1;
  }
}

Deno.test("a compiled table decides the same as its routes one by one, at every prefix", () => {
  fc.assert(
    fc.property(
      fc.array(matchTexts, { minLength: 1, maxLength: 12 }),
      connections,
      fc.constantFrom("10.0.0.1", "192.0.2.1"),
      (texts, data, address) => {
        const routes = texts.map((text, i) =>
          `  - { match: ${text}, remote: "r${i}:1" }`
        );
        const { table } = read(
          `routes:\n${routes.join("\n")}\ndefault: { remote: "none:1" }\n`,
        );
        const compiled = compileTable(table, undefined).router;
        const who = client(address);
        for (let end = 0; end <= data.length; end++) {
          const start = data.subarray(0, end);
          let expected: string | undefined = "none:1";
          for (const [index, { match }] of table.routes.entries()) {
            const answer = truth(match, start, address);
            if (answer < 0) continue;
            expected = answer > 0 ? `r${index}:1` : undefined;
            break;
          }
          assertStrictEquals(
            remoteOf(compiled, start, who),
            expected,
            `${end} bytes`,
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("describeTable() finds only routes that never win", () => {
  fc.assert(
    fc.property(
      fc.array(matchTexts, { minLength: 2, maxLength: 8 }),
      connections,
      (texts, data) => {
        const routes = texts.map((text, i) =>
          `  - { match: ${text}, remote: "r${i}:1" }`
        );
        const { table } = read(`routes:\n${routes.join("\n")}\n`);
        const compiled = compileTable(table, undefined).router;
        const lines = describeTable(table, undefined);
        for (let end = 0; end <= data.length; end++) {
          const remote = remoteOf(compiled, data.subarray(0, end));
          if (remote === undefined) continue;
          const number = Number(/^r(\d+):1$/.exec(remote)?.[1]) + 1;
          assert(
            !lines.some((line) =>
              line.startsWith(`unreachable: route ${number},`)
            ),
            remote,
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("describeTable() shows each route, and names those that never win", () => {
  const { table } = read(`
routes:
  - { name: web, match: { tls: { serverName: [a.example, b.example] } }, remote: "a:1", connectTimeout: 1.5, idleTimeout: 60 }
  - { match: { tls: { serverName: "*.c.example" } }, close: bye }
  - { match: { tls: { serverName: x.c.example } }, remote: "a:1" }
  - { match: { tls: { serverName: [b.example, "*.d.c.example"] } }, remote: "a:1" }
  - { match: { client: 10.0.0.0/8, not: { ssh: true } }, close: { hex: "15 03" } }
  - { match: { client: 10.1.0.0/16, not: { ssh: true } }, close: true }
  - { match: { any: [{ tls: { alpn: h2 } }, { bytes: { prefix: "A", regex: "/x/", within: 9 } }] }, close: true }
  - { match: true, remote: "a:1", reply: "hi" }
  - { match: { http: { headers: { x-a: "1" } } }, reply: "\\r\\n", consume: 3 }
`);
  assertEquals(describeTable(table, undefined), [
    "route 1, line 3 (web): tls.serverName a.example | b.example -> remote a:1, connectTimeout 1.5, idleTimeout 60",
    'route 2, line 4: tls.serverName *.c.example -> close after "bye"',
    "route 3, line 5: tls.serverName x.c.example -> remote a:1",
    "route 4, line 6: tls.serverName b.example | *.d.c.example -> remote a:1",
    "route 5, line 7: client 10.0.0.0/8 and not ssh -> close after hex 1503",
    "route 6, line 8: client 10.1.0.0/16 and not ssh -> close",
    "route 7, line 9: tls.alpn h2 or bytes 41 bytes /x/ within 9 -> close",
    'route 8, line 10: every client -> remote a:1, reply "hi"',
    'route 9, line 11: http.headers.x-a 1 -> reply "\\r\\n", consume 3, and go on routing',
    "default: close",
    "unreachable: route 3, line 5: its clients are all for route 2",
    "unreachable: route 4, line 6: its clients are all for routes 1, 2",
    "unreachable: route 6, line 8: its clients are all for route 5",
    "unreachable: route 9, line 11: its clients are all for route 8",
  ]);
});

Deno.test("describeTable() looks for routes that never win in bounded time, and says so", () => {
  const routes = Array.from(
    { length: 3000 },
    (_, i) =>
      `  - { match: { http: { path: /p${i % 2999}/* } }, remote: "a:1" }`,
  );
  routes.splice(1, 1, routes[0] ?? "");
  const { table } = read(`routes:\n${routes.join("\n")}\n`);
  const lines = describeTable(table, undefined)
    .filter((line) => line.startsWith("unreachable"));
  assertEquals(lines, [
    "unreachable: route 2, line 3: its clients are all for route 1",
    "unreachable: from route 2829 on, looked for among names only, as there are so many routes",
  ]);
});

Deno.test("10,000 exact names decide in at most twice the time of 10", () => {
  const [exact] = KINDS;
  assert(exact !== undefined);
  // the machine may be busy with other tests: the best of some tries counts
  let ratio = Infinity;
  for (let attempt = 0; attempt < 5 && ratio > 2; attempt++) {
    const results = measureKind(exact);
    const ns = (routes: number) =>
      results.find((result) => result.routes === routes)?.ns ?? NaN;
    ratio = Math.min(ratio, ns(10_000) / ns(10));
  }
  assert(ratio <= 2, `${ratio}`);
});
