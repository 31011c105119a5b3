import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { makeLog, render } from "../../src/log/log.ts";
import { MadeTable } from "../../src/redis/cached_table.ts";
import { Notices } from "../../src/redis/notices.ts";
import type { RedisTableOptions } from "../../src/redis/options.ts";
import { planTable } from "../../src/redis/checked_options.ts";
import { unusedPort } from "../support/ports.ts";
import { Backend } from "../support/servers.ts";
import { receive, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Redis } from "../support/redis.ts";
import { Authority } from "../support/tls.ts";
import { delay } from "../support/delay.ts";

/** A table, and what it says. */
class Client implements Disposable {
  readonly table: MadeTable;
  readonly lines: string[] = [];
  #waiting: (() => void) | undefined;

  constructor(options: RedisTableOptions) {
    const log = makeLog("info", (line) => {
      this.lines.push(`${line.level} ${render(line)}`);
      this.#waiting?.();
    });
    const notices = new Notices(log, undefined);
    const plan = planTable({ timeout: 10, ...options });
    this.table = new MadeTable(plan, 0, () => notices, () => {});
  }

  /** Waits for a line. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
  }

  /** Asks until the answer is another one: a message is under way. */
  async until(key: string, remote: string | undefined): Promise<void> {
    while (await this.table.get(key) !== remote) {
      await delay(1);
    }
  }

  [Symbol.dispose](): void {
    this.table.close();
  }
}

test("get() asks Redis once, and again only when the value has changed", async () => {
  await using redis = await Redis.start();
  await redis.commands(
    ["SET", "route:a", "10.0.0.1:80"],
    ["SET", "route:b", "10.0.0.2:80, 10.0.0.3:80"],
    ["SET", "other:a", "10.0.0.9:80"],
  );
  using client = new Client({ url: redis.url });
  const { table } = client;
  const first = table.get("a");
  assert(first instanceof Promise);
  assertStrictEquals(table.get("a"), first, "asked once for both");
  assertEquals(await first, "10.0.0.1:80");
  assertEquals(table.get("a"), "10.0.0.1:80");
  assertEquals(await table.get("b"), ["10.0.0.2:80", "10.0.0.3:80"]);
  assertEquals(await table.get("none"), undefined);
  assertEquals(table.get("none"), undefined);

  await redis.command("SET", "route:a", "10.0.0.4:80");
  await client.until("a", "10.0.0.4:80");
  await redis.command("SET", "route:none", "10.0.0.5:80");
  await client.until("none", "10.0.0.5:80");
  await redis.command("DEL", "route:a");
  await client.until("a", undefined);
  await redis.command("SET", "route:a", "10.0.0.6:80");
  await client.until("a", "10.0.0.6:80");
  await redis.command("PEXPIRE", "route:a", "50");
  await client.until("a", undefined); // it has expired
  await redis.command("FLUSHALL");
  await client.until("none", undefined);
  assertEquals(client.lines, []);
});

test("get() gives the last known value while Redis is away, and asks when it is back", async () => {
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", "10.0.0.1:80");
  using client = new Client({ url: redis.url });
  const { table } = client;
  assertEquals(await table.get("a"), "10.0.0.1:80");
  assertEquals(await table.get("none"), undefined);
  await redis.stop();
  assertMatch(
    await client.line(/^warn /),
    /^warn Cannot ask Redis for route:\* in redis:\/\/127\.0\.0\.1:\d+\/0 as .*: the last known remotes hold until it can be asked again$/,
  );
  assertEquals(table.get("a"), "10.0.0.1:80");
  assertEquals(table.get("none"), undefined);
  await redis.start();
  await redis.command("SET", "route:a", "10.0.0.2:80");
  await client.line(/^info Connected to Redis: /);
  assertEquals(await table.get("a"), "10.0.0.2:80");
  assertEquals(client.lines.length, 2, client.lines.join("\n"));
});

test("get() does not wait longer than the time-out for Redis", async () => {
  await using silent = new Backend(async (socket) => {
    for await (const _ of socket.readable);
  });
  using client = new Client({ url: `redis://${silent.remote}`, timeout: 0.1 });
  assertEquals(await client.table.get("a"), undefined);
  assertMatch(await client.line(/^warn /), /not answered within 0\.1 seconds/);
});

/** Passes all on that comes from a socket, and then its end. */
async function pass(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  send: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      await send(buffer.subarray(0, count));
    }
  } finally {
    await to.closeWrite();
  }
}

/** A slow way to a server: what comes from it, in parts. */
class SlowWay implements AsyncDisposable {
  /** Bytes that are passed on at a time. */
  portion = Infinity;
  /** Milliseconds before each of them. */
  pause = 0;
  readonly #backend: Backend;

  constructor(port: number) {
    this.#backend = new Backend(async (socket) => {
      using server = await Deno.connect({ hostname: "127.0.0.1", port });
      const back = async (bytes: Uint8Array) => {
        for (let at = 0; at < bytes.length; at += this.portion) {
          await delay(this.pause);
          await send(socket, bytes.subarray(at, at + this.portion));
        }
      };
      // either side may leave in the middle
      await Promise.allSettled([
        pass(socket, server, (bytes) => send(server, bytes)),
        pass(server, socket, back),
      ]);
    });
  }

  get url(): string {
    return `redis://${this.#backend.remote}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#backend[Symbol.asyncDispose]();
  }
}

test("a Redis far away is asked once for each name, and is away if that takes too long", async () => {
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", "10.0.0.1:80");
  await using way = new SlowWay(redis.port);
  way.pause = 300;
  using patient = new Client({ url: way.url });
  const asked = performance.now();
  assertEquals(await patient.table.get("a"), "10.0.0.1:80");
  assert(performance.now() - asked >= 300);
  assertEquals(patient.table.get("a"), "10.0.0.1:80");
  assertEquals(patient.lines, []);
  using hasty = new Client({ url: way.url, timeout: 0.1 });
  assertEquals(await hasty.table.get("a"), undefined);
  await hasty.line(/^warn .*not answered within 0\.1 seconds/);
});

test("get() does not wait for an answer that comes byte by byte, which counts when it is there", async () => {
  await using redis = await Redis.start();
  await redis.commands(
    ["SET", "route:a", "10.0.0.1:80"],
    ["SET", "route:b", "10.0.0.2:80"],
  );
  await using way = new SlowWay(redis.port);
  using client = new Client({ url: way.url, timeout: 0.5 });
  const { table } = client;
  await client.until("a", "10.0.0.1:80");
  [way.portion, way.pause] = [1, 50];
  assertEquals(await table.get("b"), undefined);
  [way.portion, way.pause] = [Infinity, 0];
  await client.until("b", "10.0.0.2:80");
});

test("a table follows a replica, also when that becomes the primary", async () => {
  await using primary = await Redis.start();
  await primary.command("SET", "route:a", "10.0.0.1:80");
  await using replica = await Redis.start(
    ...["--replicaof", `127.0.0.1 ${primary.port}`],
    ...["--replica-serve-stale-data", "no"],
  );
  await primary.command("WAIT", "1", "0");
  using client = new Client({ url: replica.url });
  await client.until("a", "10.0.0.1:80");
  await primary.command("SET", "route:a", "10.0.0.2:80");
  await client.until("a", "10.0.0.2:80");
  await primary.stop();
  // unknown names tell it, as soon as the replica knows
  let invented = 0;
  while (client.lines.length === 0) {
    assertEquals(await client.table.get(`${invented++}`), undefined);
  }
  assertMatch(
    client.lines.join("\n"),
    /^warn Cannot ask Redis .* as it answers GETRANGE with MASTERDOWN .*: the last known remotes hold/,
  );
  assertEquals(client.table.get("a"), "10.0.0.2:80");
  await replica.command("REPLICAOF", "NO", "ONE");
  await replica.command("SET", "route:a", "10.0.0.3:80");
  await client.line(/^info Connected to Redis/);
  await client.until("a", "10.0.0.3:80");
});

test("a server that is too old, or does not tell of changes, is said to refuse", async () => {
  for (
    const [command, line] of [
      ["HELLO", /it answers HELLO with ERR unknown command/],
      ["CLIENT", /it answers CLIENT TRACKING ON .* with ERR unknown command/],
    ] as const
  ) {
    await using redis = await Redis.start("--rename-command", command, "");
    using client = new Client({ url: redis.url, timeout: 2 });
    assertEquals(await client.table.get("a"), undefined);
    assertMatch(await client.line(line), /^warn Cannot ask Redis for route:/);
    assertEquals(client.lines.length, 1);
  }
});

test("a Redis that is stopped counts as away, and what it has holds again when it goes on", async () => {
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", "10.0.0.1:80");
  using client = new Client({ url: redis.url, timeout: 1 });
  const { table } = client;
  await client.until("a", "10.0.0.1:80");
  redis.kill("SIGSTOP");
  // nobody asks it: it is found out by itself
  await client.line(/^warn .*not answered within 1 seconds/);
  assertEquals(table.get("a"), "10.0.0.1:80");
  assertEquals(await table.get("b"), undefined);
  redis.kill("SIGCONT");
  await client.line(/^info /);
  await redis.command("SET", "route:b", "10.0.0.2:80");
  await client.until("b", "10.0.0.2:80");
});

test("what Redis refuses is said in a line, and tried again", async () => {
  await using redis = await Redis.start("--requirepass", "open sesame");
  const cases: [options: RedisTableOptions, line: RegExp][] = [
    [{ url: redis.url }, /it answers HELLO with NOAUTH /],
    [
      { url: redis.url, password: "wrong" },
      /it answers HELLO with WRONGPASS /,
    ],
    [
      { url: `${redis.url}/99`, password: "open sesame" },
      /it answers SELECT with ERR DB index is out of range/,
    ],
  ];
  for (const [options, line] of cases) {
    using client = new Client({ ...options, timeout: 2 });
    assertEquals(await client.table.get("a"), undefined);
    const text = await client.line(line);
    assertMatch(text, /^warn /);
    assertNotMatch(text, /sesame|wrong\b/);
  }
  const auth = ["AUTH", "open sesame"];
  using client = new Client({ url: redis.url, password: "wrong" });
  client.table.start();
  await client.line(/WRONGPASS/);
  await redis.commands(
    auth,
    ["ACL", "SETUSER", "default", ">wrong"],
    ["SET", "route:a", "10.0.0.1:80"],
  );
  await client.line(/^info /);
  assertEquals(await client.table.get("a"), "10.0.0.1:80");

  // a user of its own, which may read this table only
  await redis.commands(
    auth,
    [
      ...["ACL", "SETUSER", "joe", "on", ">p@ss", "resetkeys", "~route:*"],
      ...["+hello", "+client|tracking", "+getrange", "+ping"],
    ],
  );
  const url = redis.url.replace("//", "//joe:p%40ss@");
  using joe = new Client({ url });
  assertEquals(await joe.table.get("a"), "10.0.0.1:80");
  using stranger = new Client({ url, prefix: "secret:", timeout: 2 });
  assertEquals(await stranger.table.get("a"), undefined);
  await stranger.line(/^warn .* it answers GETRANGE with NOPERM /);
});

test("a value that is no remote is logged, and counts as none until it changes", async () => {
  await using redis = await Redis.start();
  await redis.commands(
    ["SET", "route:a", "10.0.0.1"],
    ["HSET", "route:b", "x", "1"],
    ["SET", "route:c", "x".repeat(5000)],
  );
  using client = new Client({ url: redis.url });
  const { table } = client;
  for (const key of ["a", "b", "c"]) {
    assertEquals(await table.get(key), undefined);
    assertEquals(table.get(key), undefined);
  }
  const at = `in route:* in redis://${redis.address}/0`;
  assertEquals(client.lines, [
    `error Cannot use the value of "a" ${at} as it must be "host:port": current value is "10.0.0.1", which counts as none`,
    `error Cannot use the value of "b" ${at} as it must be a string: current value is of another type, which counts as none`,
    `error Cannot use the value of "c" ${at} as it must have at most 4096 bytes: current value is longer, and begins with "${
      "x".repeat(40)
    }", which counts as none`,
  ]);
  await redis.commands(["DEL", "route:b"], ["SET", "route:b", "10.0.0.2:80"]);
  await client.until("b", "10.0.0.2:80");
});

test("names that clients invent do not displace those that exist, nor take memory", async () => {
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", "10.0.0.1:80");
  using client = new Client({ url: redis.url, maxEntries: 1000 });
  const { table } = client;
  assertEquals(await table.get("a"), "10.0.0.1:80");
  const odd = [
    "",
    "\0",
    "a b",
    "\r\nGET x",
    "ä\u{1f600}",
    "*",
    "x".repeat(1024),
  ];
  for (const key of odd) assertEquals(await table.get(key), undefined);
  for (const key of ["x".repeat(1025), "\ud800"]) {
    assertEquals(table.get(key), undefined);
  }
  for (let i = 0; i < 20; i++) {
    const names = Array.from({ length: 500 }, (_, n) => `${i}.${n}.example`);
    await Promise.all(names.map((name) => table.get(name)));
    assert(table.size <= 251, `${table.size}`);
  }
  assertEquals(table.get("a"), "10.0.0.1:80");
  assertThrows(
    () => table.get(undefined as unknown as string),
    TypeError,
    /as it must be a string: current value is undefined$/,
  );
});

test("10,000 names that change at once are all followed", async () => {
  await using redis = await Redis.start();
  const names = Array.from({ length: 10_000 }, (_, i) => `${i}.example`);
  const change = (port: number) =>
    redis.command(
      "MSET",
      ...names.flatMap((name) => [`route:${name}`, `10.0.0.1:${port}`]),
    );
  await change(1);
  using client = new Client({ url: redis.url });
  const { table } = client;
  for (const port of [1, 2]) {
    if (port > 1) await change(port);
    await client.until("9999.example", `10.0.0.1:${port}`);
    const found = await Promise.all(names.map((name) => table.get(name)));
    assert(found.every((remote) => remote === `10.0.0.1:${port}`));
  }
  assertEquals(table.size, 10_000);
});

test("rediss:// speaks TLS, and verifies who answers", async () => {
  await using authority = await Authority.make();
  const { cert, key } = await authority.issue({ names: "DNS:localhost" });
  await using redis = await Redis.start();
  await redis.commands(
    ["CONFIG", "SET", "tls-cert-file", cert, "tls-key-file", key],
    ["CONFIG", "SET", "tls-auth-clients", "no"],
    ["SET", "route:a", "10.0.0.1:80"],
  );
  const port = unusedPort();
  await redis.command("CONFIG", "SET", "tls-port", String(port));
  const ca = authority.pem;
  using client = new Client({ url: `rediss://localhost:${port}`, ca });
  assertEquals(await client.table.get("a"), "10.0.0.1:80");
  await redis.command("SET", "route:a", "10.0.0.2:80");
  await client.until("a", "10.0.0.2:80");
  const others: RedisTableOptions[] = [
    { url: `rediss://localhost:${port}` },
    { url: `rediss://127.0.0.1:${port}`, ca },
  ];
  for (const options of others) {
    using other = new Client({ ...options, timeout: 2 });
    assertEquals(await other.table.get("a"), undefined);
    await other.line(/^warn .* as the TLS handshake has failed: .*certificate/);
  }
});

test("close() ends the connection, and what is remembered holds", async () => {
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", "10.0.0.1:80");
  const client = new Client({ url: redis.url });
  assertEquals(await client.table.get("a"), "10.0.0.1:80");
  assertMatch(await redis.command("CLIENT", "LIST"), /name=proxymachine /);
  const waiting = client.table.get("b");
  client.table.close();
  client.table.close();
  assertEquals(await waiting, undefined);
  assertEquals(client.table.get("a"), "10.0.0.1:80");
  assertEquals(client.table.get("c"), undefined);
  assertEquals(client.lines, []);
});

test("something that is no Redis is said to be none", async () => {
  await using web = new Backend(async (socket) => {
    await receive(socket, 8);
    await send(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  using client = new Client({ url: `redis://${web.remote}`, timeout: 2 });
  assertEquals(await client.table.get("a"), undefined);
  await client.line(/^warn .* it does not speak RESP3/);
});
