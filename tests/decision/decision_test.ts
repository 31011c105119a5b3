import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  fail,
} from "@std/assert";
import {
  DecisionError,
  parseDecision,
  type Verdict,
} from "../../src/decision/decision.ts";
import type { Hook } from "../../src/router/contract.ts";
import { latin1 } from "../../src/mod.ts";
import { pool } from "../../src/pool/mod.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const PEM = "-----BEGIN CERTIFICATE-----\n";

const CONNECT = {
  kind: "connect",
  targets: [{
    remote: "10.0.0.1:80",
    address: { hostname: "10.0.0.1", port: 80 },
  }],
  pool: undefined,
  data: undefined,
  reply: undefined,
  connectTimeout: undefined,
  inactivityTimeout: undefined,
  idleTimeout: undefined,
  halfCloseTimeout: undefined,
  maxDuration: undefined,
  proxyProtocol: undefined,
  tls: undefined,
  route: undefined,
} as const;

/** What the message says, without the name of the error. */
function refusal(
  decision: unknown,
  hook: Hook = "route",
  buffered = 0,
): string {
  try {
    parseDecision(decision, hook, buffered);
  } catch (error) {
    assert(error instanceof DecisionError, String(error));
    return error.message;
  }
  fail("the decision was accepted");
}

Deno.test("parseDecision() waits when there is nothing, null or noop", () => {
  for (const decision of [undefined, null, { noop: true }]) {
    assertEquals(parseDecision(decision, "route", 0), { kind: "wait" });
  }
});

Deno.test("parseDecision() connects when there is a remote", () => {
  const cases: [decision: unknown, verdict: Verdict][] = [
    [{ remote: "10.0.0.1:80" }, CONNECT],
    [
      { remote: "10.0.0.1:80", data: "é" },
      { ...CONNECT, data: encode("é") },
    ],
    [
      { remote: "10.0.0.1:80", data: latin1("é\0") },
      { ...CONNECT, data: new Uint8Array([0xe9, 0]) },
    ],
    [{ remote: "10.0.0.1:80", data: "" }, { ...CONNECT, data: encode("") }],
    [
      { remote: "10.0.0.1:80", reply: "HELLO\r\n" },
      { ...CONNECT, reply: encode("HELLO\r\n") },
    ],
    [
      { remote: "10.0.0.1:80", connectTimeout: 1.5, inactivityTimeout: 10 },
      { ...CONNECT, connectTimeout: 1500, inactivityTimeout: 10_000 },
    ],
    [
      {
        remote: "10.0.0.1:80",
        idleTimeout: 0.5,
        halfCloseTimeout: 0.25,
        maxDuration: 3600,
      },
      {
        ...CONNECT,
        idleTimeout: 500,
        halfCloseTimeout: 250,
        maxDuration: 3_600_000,
      },
    ],
    [{ remote: "10.0.0.1:80", tls: false }, CONNECT],
    [
      { remote: "10.0.0.1:80", tls: true },
      { ...CONNECT, tls: { serverName: undefined, ca: [], alpn: undefined } },
    ],
    [
      {
        remote: "10.0.0.1:80",
        tls: { serverName: "a.example", ca: PEM, alpn: ["h2", "http/1.1"] },
      },
      {
        ...CONNECT,
        tls: { serverName: "a.example", ca: [PEM], alpn: ["h2", "http/1.1"] },
      },
    ],
    [
      { remote: "10.0.0.1:80", proxyProtocol: 1 },
      { ...CONNECT, proxyProtocol: 1 },
    ],
    [
      { remote: "10.0.0.1:80", proxyProtocol: 2 },
      { ...CONNECT, proxyProtocol: 2 },
    ],
    [
      // undefined counts as absent, so that a key can be computed
      {
        remote: "10.0.0.1:80",
        data: undefined,
        reply: undefined,
        connectTimeout: undefined,
        inactivityTimeout: undefined,
        idleTimeout: undefined,
        halfCloseTimeout: undefined,
        maxDuration: undefined,
        proxyProtocol: undefined,
        tls: undefined,
        consume: undefined,
        close: undefined,
        noop: undefined,
      },
      CONNECT,
    ],
  ];
  for (const [decision, verdict] of cases) {
    assertEquals(parseDecision(decision, "route", 0), verdict);
  }
});

Deno.test("parseDecision() keeps the array of bytes when it is given one", () => {
  const data = new Uint8Array(3);
  const verdict = parseDecision({ remote: "a:1", data }, "route", 0);
  assert(verdict.kind === "connect" && verdict.data === data);
});

Deno.test("parseDecision() splits the remote when it is well-formed", () => {
  const remotes: [remote: string, hostname: string, port: number][] = [
    ["example.com:443", "example.com", 443],
    ["my_host:1", "my_host", 1],
    ["a-b.c-d.:65535", "a-b.c-d.", 65535],
    ["127.0.0.1:08080", "127.0.0.1", 8080],
    ["[::1]:80", "::1", 80],
    ["[2001:db8::1]:22", "2001:db8::1", 22],
    ["[::ffff:10.0.0.1]:22", "::ffff:10.0.0.1", 22],
    ["[fe80::1%eth0]:22", "fe80::1%eth0", 22],
    [`${"a".repeat(253)}:1`, "a".repeat(253), 1],
  ];
  for (const [remote, hostname, port] of remotes) {
    // twice, as the second result comes from a cache
    for (const _ of [1, 2]) {
      const verdict = parseDecision({ remote }, "route", 0);
      assert(verdict.kind === "connect");
      assertEquals(verdict.targets, [
        { remote, address: { hostname, port } },
      ]);
    }
  }
});

Deno.test("parseDecision() names the remote and the rule when it is malformed", () => {
  const rules: [remote: unknown, rule: string, shown?: string][] = [
    ["", `must be "host:port"`],
    ["localhost", `must be "host:port"`],
    [":80", `must be "host:port"`],
    ["localhost:", "must end in a port from 1 to 65535"],
    ["localhost:0", "must end in a port from 1 to 65535"],
    ["localhost:65536", "must end in a port from 1 to 65535"],
    ["localhost:99999999", "must end in a port from 1 to 65535"],
    ["localhost:-1", "must end in a port from 1 to 65535"],
    ["localhost:80 ", "must end in a port from 1 to 65535"],
    ["localhost:http", "must end in a port from 1 to 65535"],
    ["localhost:8e1", "must end in a port from 1 to 65535"],
    ["[::1]", "must end in a port from 1 to 65535"],
    ["[]:80", "has no IPv6 address between its brackets"],
    ["[localhost]:80", "has no IPv6 address between its brackets"],
    ["[1.2.3.4]:80", "has no IPv6 address between its brackets"],
    ["[::g]:80", "has no IPv6 address between its brackets"],
    ["[1:2:3]:80", "has no IPv6 address between its brackets"],
    ["::1:80", `must have an IPv6 address in brackets, as in "[::1]:80"`],
    ["a:b:80", `must have an IPv6 address in brackets, as in "[::1]:80"`],
    ["my host:80", "must begin with a host name or an IP address"],
    ["user@host:80", "must begin with a host name or an IP address"],
    [
      "host/path:80",
      "must begin with a host name or an IP address",
    ],
    ["höst:80", "must begin with a host name or an IP address"],
    [
      `${"a".repeat(254)}:1`,
      "must begin with a host name or an IP address",
      `"${"a".repeat(199)}…`,
    ],
    [
      80,
      `must be a string "host:port" or "unix:/path", or a list of those`,
      "80",
    ],
    [
      undefined,
      `must be a string "host:port" or "unix:/path", or a list of those`,
      "undefined",
    ],
    [
      null,
      `must be a string "host:port" or "unix:/path", or a list of those`,
      "null",
    ],
    [
      { host: "a", port: 1 },
      `must be a string "host:port" or "unix:/path", or a list of those`,
    ],
  ];
  for (const [remote, rule, shown] of rules) {
    const text = shown ??
      (typeof remote === "string"
        ? JSON.stringify(remote)
        : Deno.inspect(remote, { compact: true }));
    assertEquals(
      refusal({ remote }),
      `Cannot use the decision of route() as "remote" ${rule}: current value is ${text}`,
    );
  }
});

Deno.test("parseDecision() names key and value when a field is malformed", () => {
  const remote = "10.0.0.1:80";
  const cases: [decision: unknown, message: string][] = [
    [
      { remote, data: 5 },
      `"data" must be a Uint8Array or a string: current value is 5`,
    ],
    [
      { remote, data: null },
      `"data" must be a Uint8Array or a string: current value is null`,
    ],
    [
      { remote, data: [1, 2] },
      `"data" must be a Uint8Array or a string: current value is [ 1, 2 ]`,
    ],
    [
      { remote, reply: true },
      `"reply" must be a Uint8Array or a string: current value is true`,
    ],
    [
      { remote, reply: new ArrayBuffer(0) },
      `"reply" must be a Uint8Array or a string: current value is ArrayBuffer`,
    ],
    ...[0, -1, NaN, Infinity, "1", 2 ** 31, null, true].flatMap((value) =>
      [
        "connectTimeout",
        "inactivityTimeout",
        "idleTimeout",
        "halfCloseTimeout",
        "maxDuration",
      ].map((key): [unknown, string] => [
        { remote, [key]: value },
        `"${key}" must be a positive number of seconds: current value is ${
          JSON.stringify(value) === "null" ? String(value) : JSON.stringify(
            value,
          )
        }`,
      ])
    ),
    ...([
      [1, `"tls" must be true or an object: current value is 1`],
      [
        { verify: false },
        `"tls.verify" is not one of "tls.serverName", "tls.ca", "tls.alpn": current value is false`,
      ],
      [{ serverName: "a b" }, `"tls.serverName" must be a host name`],
      [{ serverName: 1 }, `"tls.serverName" must be a host name`],
      [{ ca: "/etc/ca.pem" }, `"tls.ca" must be certificates in PEM`],
      [{ ca: [PEM, 1] }, `"tls.ca" must be certificates in PEM`],
      [{ alpn: [] }, `"tls.alpn" must be protocols of 1 to 255`],
      [{ alpn: "é" }, `"tls.alpn" must be protocols of 1 to 255`],
    ] as const).map(([tls, rule]): [unknown, string] => [
      { remote, tls },
      rule,
    ]),
    [
      { remote: "unix:/run/a", tls: true },
      `"tls" needs a "remote" of the form "host:port": current value is "unix:/run/a"`,
    ],
    [
      { close: false },
      `"close" must be true or a Uint8Array or a string: current value is false`,
    ],
    [
      { close: undefined },
      `"close" must be true or a Uint8Array or a string: current value is undefined`,
    ],
    [
      { close: 1 },
      `"close" must be true or a Uint8Array or a string: current value is 1`,
    ],
    [{ noop: false }, `"noop" must be true: current value is false`],
    [{ noop: 1 }, `"noop" must be true: current value is 1`],
    [
      { reply: 1 },
      `"reply" must be a Uint8Array or a string: current value is 1`,
    ],
    [
      { reply: undefined },
      `"reply" must be a Uint8Array or a string: current value is undefined`,
    ],
    ...[-1, 11, 0.5, NaN, "1", true].map((consume): [unknown, string] => [
      { reply: "", consume },
      `"consume" must be a whole number from 0 to the 10 bytes read so far: current value is ${
        typeof consume === "string" ? `"${consume}"` : consume
      }`,
    ]),
  ];
  for (const [decision, message] of cases) {
    assert(
      refusal(decision, "route", 10).startsWith(
        `Cannot use the decision of route() as ${message}`,
      ),
      `${Deno.inspect(decision)}: ${refusal(decision, "route", 10)}`,
    );
  }
});

Deno.test("parseDecision() names the key when it cannot stand beside another", () => {
  const cases: [decision: unknown, key: string, beside: string][] = [
    [{ remote: "a:1", close: true }, "close", "remote"],
    [{ remote: "a:1", noop: true }, "noop", "remote"],
    [{ remote: "a:1", consume: 1 }, "consume", "remote"],
    [{ close: true, noop: true }, "noop", "close"],
    [{ close: true, data: "" }, "data", "close"],
    [{ close: "x", reply: "y" }, "reply", "close"],
    [{ close: "x", consume: 0 }, "consume", "close"],
    [{ close: "x", connectTimeout: 1 }, "connectTimeout", "close"],
    [{ close: "x", inactivityTimeout: 1 }, "inactivityTimeout", "close"],
    [{ close: "x", idleTimeout: 1 }, "idleTimeout", "close"],
    [{ noop: true, maxDuration: 1 }, "maxDuration", "noop"],
    [{ noop: true, reply: "" }, "reply", "noop"],
    [{ noop: true, data: "" }, "data", "noop"],
    [{ noop: true, consume: 0 }, "consume", "noop"],
    [{ reply: "", data: "" }, "data", "reply"],
    [{ reply: "", connectTimeout: 1 }, "connectTimeout", "reply"],
    [{ reply: "", inactivityTimeout: 1 }, "inactivityTimeout", "reply"],
    [{ reply: "", idleTimeout: 1 }, "idleTimeout", "reply"],
    [{ reply: "", maxDuration: 1 }, "maxDuration", "reply"],
    [{ reply: "", proxyProtocol: 1 }, "proxyProtocol", "reply"],
    [{ close: "x", proxyProtocol: 1 }, "proxyProtocol", "close"],
    [{ close: true, tls: true }, "tls", "close"],
    [{ reply: "", tls: true }, "tls", "reply"],
  ];
  for (const [decision, key, beside] of cases) {
    const value = Deno.inspect((decision as Record<string, unknown>)[key]);
    assertEquals(
      refusal(decision, "route", 10),
      `Cannot use the decision of route() as "${key}" cannot stand beside "${beside}": current value is ${value}`,
    );
  }
});

Deno.test("parseDecision() says how a key is written when it is that of the original", () => {
  const cases: [key: string, meant: string][] = [
    ["connect_timeout", "connectTimeout"],
    ["inactivity_timeout", "inactivityTimeout"],
    ["inactivitytimeout", "inactivityTimeout"],
    ["Remote", "remote"],
  ];
  for (const [key, meant] of cases) {
    assertEquals(
      refusal({ remote: "a:1", [key]: 1.5 }),
      `Cannot use the decision of route() as "${key}" is written "${meant}": current value is 1.5`,
    );
  }
});

Deno.test("parseDecision() names the known keys when one is unknown", () => {
  assertEquals(
    refusal({ remote: "a:1", timeout: 3 }),
    `Cannot use the decision of route() as "timeout" is not one of "remote", "pool", "key", "data", "reply", "connectTimeout", "inactivityTimeout", "idleTimeout", "halfCloseTimeout", "maxDuration", "proxyProtocol", "tls", "route", "consume", "close", "noop": current value is 3`,
  );
});

Deno.test("parseDecision() shows the value on one line when it is no decision", () => {
  const cases: [decision: unknown, shown: string][] = [
    ["10.0.0.1:80", `"10.0.0.1:80"`],
    ["two\nlines", `"two\\nlines"`],
    [42, "42"],
    [0, "0"],
    [true, "true"],
    [false, "false"],
    ["", `""`],
    [Symbol("s"), "Symbol(s)"],
    [[], "[]"],
    [["a:1"], `[ "a:1" ]`],
    [() => {}, "[Function (anonymous)]"],
  ];
  for (const [decision, shown] of cases) {
    assertEquals(
      refusal(decision),
      `Cannot use the decision of route() as a decision is an object: current value is ${shown}`,
    );
  }
  assertEquals(
    refusal({}),
    `Cannot use the decision of route() as a decision has one of "remote", "pool", "close", "reply", "noop": current value is {}`,
  );
  assertEquals(
    refusal({ data: "x" }),
    `Cannot use the decision of route() as a decision has one of "remote", "pool", "close", "reply", "noop": current value is { data: "x" }`,
  );
});

Deno.test("parseDecision() stays on one short line when the value is big or hostile", () => {
  const hostile = {
    get [Symbol.toStringTag](): string {
      throw new Error("no");
    },
  };
  const values: unknown[] = [
    "x\n".repeat(1000),
    { a: "x\n".repeat(1000), b: Array.from({ length: 1000 }, () => "\n") },
    { noop: hostile },
    Array.from({ length: 10_000 }, (_, i) => i),
  ];
  for (const value of values) {
    const message = refusal(value);
    assert(!message.includes("\n"), message);
    assert(message.length < 600, message);
  }
});

Deno.test("parseDecision() closes when told so", () => {
  const cases: [decision: unknown, data: Uint8Array | undefined][] = [
    [{ close: true }, undefined],
    [{ close: "bye" }, encode("bye")],
    [{ close: "" }, encode("")],
    [{ close: new Uint8Array([1, 2]) }, new Uint8Array([1, 2])],
  ];
  for (const hook of HOOKS) {
    for (const [decision, data] of cases) {
      assertEquals(parseDecision(decision, hook, 0), {
        kind: "close",
        data,
        route: undefined,
      });
    }
  }
});

const HOOKS: Hook[] = [
  "accept",
  "route",
  "timeout",
  "connectError",
  "inactivityError",
];

Deno.test("parseDecision() takes the name of a route with every decision but noop", () => {
  for (
    const rest of [{ remote: "a:1" }, { close: true }, { close: "x" }, {
      reply: "x",
    }]
  ) {
    const verdict = parseDecision({ ...rest, route: "web é" }, "route", 0);
    assertEquals(verdict.kind !== "wait" && verdict.route, "web é");
  }
  const long = "x".repeat(65);
  for (const route of ["", long, 7, null, "a\nb", "a\u2028b", "a\u200fb"]) {
    assertMatch(
      refusal({ remote: "a:1", route }),
      /^Cannot use the decision of route\(\) as "route" must be a text of 1 to 64 printable characters: current value is /,
    );
  }
  assertEquals(
    refusal({ noop: true, route: "web" }),
    `Cannot use the decision of route() as "route" cannot stand beside "noop": current value is "web"`,
  );
});

Deno.test("parseDecision() replies when there is no remote and routing goes on", () => {
  const cases: [decision: unknown, reply: string, consume: number][] = [
    [{ reply: "ok" }, "ok", 0],
    [{ reply: "ok", consume: undefined }, "ok", 0],
    [{ reply: "ok", consume: 0 }, "ok", 0],
    [{ reply: "", consume: 10 }, "", 10],
    [{ reply: encode("ok"), consume: 3 }, "ok", 3],
  ];
  for (const hook of ["accept", "route"] as const) {
    for (const [decision, reply, consume] of cases) {
      assertEquals(parseDecision(decision, hook, 10), {
        kind: "reply",
        reply: encode(reply),
        consume,
        route: undefined,
      });
    }
  }
});

Deno.test("parseDecision() refuses a reply without a remote when routing has ended", () => {
  for (const hook of ["timeout", "connectError", "inactivityError"] as const) {
    assertEquals(
      refusal({ reply: "x" }, hook),
      `Cannot use the decision of ${hook}() as routing has ended: answer with { close: bytes } or a "remote": current value is "x"`,
    );
    const verdict = parseDecision({ remote: "a:1", reply: "x" }, hook, 0);
    assertEquals(verdict.kind, "connect");
  }
});

Deno.test("parseDecision() takes pool:NAME for the pool, as a value of a table", () => {
  pool("web", { members: ["10.0.0.1:80"] });
  const verdict = parseDecision(
    { remote: "pool:web", connectTimeout: 1 },
    "route",
    0,
  );
  assertEquals(
    verdict,
    parseDecision({ pool: "web", connectTimeout: 1 }, "route", 0),
  );
  assertEquals(verdict.kind === "connect" && verdict.pool?.pool.name, "web");
  assertMatch(
    refusal({ remote: "pool:wbe" }),
    /"pool" must be the name of a pool that the router has made \(web\): current value is "wbe"$/,
  );
  assertMatch(
    refusal({ remote: "pool:web", pool: "web" }),
    /"pool" cannot stand beside "remote"/,
  );
  assertMatch(
    refusal({ remote: ["pool:web", "10.0.0.1:80"] }),
    /"remote" must end in a port from 1 to 65535: current value is "pool:web"$/,
  );
});

Deno.test("a remote and nothing else is checked once, and wrong ones each time", () => {
  const first = parseDecision({ remote: "10.0.0.1:80" }, "route", 0);
  assertEquals(first, CONNECT);
  assertStrictEquals(
    parseDecision({ remote: "10.0.0.1:80" }, "accept", 0),
    first,
  );
  const named = parseDecision(
    { remote: "10.0.0.1:80", route: "a" },
    "route",
    0,
  );
  assertEquals(named, { ...CONNECT, route: "a" });
  assertStrictEquals(
    parseDecision({ remote: "10.0.0.1:80" }, "route", 0),
    first,
  );
  assertStrictEquals(
    refusal({ remote: "10.0.0.1" }),
    refusal({ remote: "10.0.0.1" }),
  );
  assertStrictEquals(
    refusal({ remote: undefined }),
    refusal({ remote: undefined }),
  );
});

Deno.test("more different remotes than are remembered are decided all the same", () => {
  for (let port = 1; port <= 10_000; port++) {
    const verdict = parseDecision({ remote: `10.0.0.2:${port}` }, "route", 0);
    assertEquals(
      verdict.kind === "connect" && verdict.targets[0]?.remote,
      `10.0.0.2:${port}`,
    );
  }
});
