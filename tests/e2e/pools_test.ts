/**
 * Pools: several workers, real backends.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import net from "node:net";
import { Folder } from "../support/folder.ts";
import { hashedKeys } from "../support/hashed_keys.ts";
import { REFUSING } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { run } from "../support/run.ts";
import { Backend, named } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Authority, OpensslServer } from "../support/tls.ts";

const TWO_WORKERS: ProxyOptions = { args: ["-w", "2"] };

/** A router for one pool. */
function router(
  members: readonly unknown[],
  options = "",
  hooks = "accept: () => p.pick()",
): string {
  return `import { pool } from "proxymachine/pool";
const p = pool("p", { members: ${JSON.stringify(members)}, ${options} });
export default { ${hooks} };`;
}

/** Connects, may send something, and returns all that comes back. */
async function ask(proxy: Proxy, request = ""): Promise<string> {
  using client = await proxy.connect();
  if (request !== "") await send(client, request);
  return await receiveAll(client);
}

test("workers take turns together, by weight", async () => {
  await using one = named("1");
  await using two = named("2");
  await using proxy = await Proxy.start(
    router([one.remote, { remote: two.remote, weight: 3 }]),
    TWO_WORKERS,
  );
  let answers = "";
  for (let i = 0; i < 40; i++) answers += await ask(proxy);
  assertEquals(answers.replaceAll("2", ""), "1".repeat(10));
  assertEquals(answers, "2122".repeat(10));
});

test("a member that refuses is down after some failures, and up when a probe gets a byte", async () => {
  await using good = named("good");
  // an address of its own, so that nobody else is given the port meanwhile
  const hostname = "127.0.0.4";
  const unused = Deno.listen({ hostname, port: 0 });
  const { port } = unused.addr as Deno.NetAddr;
  unused.close();
  const remote = `${hostname}:${port}`;
  await using proxy = await Proxy.start(
    router([remote, good.remote], "passive: { failures: 2, backoff: 3 }"),
    TWO_WORKERS,
  );
  // no client notices: another member is tried at once
  for (let i = 0; i < 4; i++) assertEquals(await ask(proxy), "good");
  const line = await proxy.log.find(`Member ${remote} of pool p is down`);
  assertMatch(
    line,
    /is down for [234](?:\.\d)? seconds: Connection refused .*\(2 failures\)$/,
  );
  await proxy.access.findAll(`remote=${good.remote}`, 4);

  using listener = Deno.listen({ hostname, port });
  const serving = (async () => {
    for await (const socket of listener) {
      await send(socket, "back");
      socket.close();
    }
  })();
  const until = performance.now() + 60_000;
  let answer = "";
  while (answer !== "back" && performance.now() < until) {
    answer = await ask(proxy);
  }
  assertEquals(answer, "back");
  await proxy.log.find(`Member ${remote} of pool p is up`);
  assertEquals(proxy.log.count("is down"), 1);
  listener.close();
  await serving;
});

test("a member that closes before it sends a byte is down, too; a hook may pick another", async () => {
  await using bad = new Backend(() => {});
  await using good = named("good");
  await using proxy = await Proxy.start(
    router(
      [bad.remote, good.remote],
      "passive: { failures: 2, backoff: 60 }",
      "accept: () => p.pick(), connectError: () => p.pick()",
    ),
    TWO_WORKERS,
  );
  for (let i = 0; i < 8; i++) assertEquals(await ask(proxy), "good");
  await proxy.log.find(
    `Member ${bad.remote} of pool p is down for`,
  );
  assertEquals(bad.accepted, 2);
});

test("a hook that picks again and again gets each member, and then a pause", async () => {
  await using one = new Backend(() => {});
  await using two = new Backend(() => {});
  await using proxy = await Proxy.start(router(
    [one.remote, two.remote],
    "passive: false",
    `accept: () => p.pick(),
     connectError: (remote, error, client) => {
       client.failures = (client.failures ?? 0) + 1;
       return client.failures < 6 ? p.pick() : { close: "failed" };
     }`,
  ));
  const started = performance.now();
  assertEquals(await ask(proxy), "failed");
  // before the third and the fifth
  assert(performance.now() - started >= 190);
  assertEquals([one.accepted, two.accepted], [3, 3]);
});

test("least connections goes by those that last, in all workers", async () => {
  const handler = (name: string) => async (socket: Deno.TcpConn) => {
    await send(socket, name);
    await socket.read(new Uint8Array(1));
  };
  await using one = new Backend(handler("1"));
  await using two = new Backend(handler("2"));
  await using proxy = await Proxy.start(
    router([one.remote, two.remote], `policy: "least-connections"`),
    TWO_WORKERS,
  );
  const clients: { client: Deno.TcpConn; name: string }[] = [];
  const open = async () => {
    const client = await proxy.connect();
    clients.push({ client, name: await receive(client, 1) });
  };
  for (let i = 0; i < 8; i++) await open();
  const count = (name: string) =>
    clients.filter((one) => one.name === name).length;
  assertEquals([count("1"), count("2")], [4, 4]);
  // all of one end: the next four are for it
  for (const one of clients) if (one.name === "1") one.client.close();
  await proxy.access.findAll(`remote=${one.remote}`, 4);
  const rest = clients.filter(({ name }) => name === "2");
  clients.splice(0, clients.length, ...rest);
  for (let i = 0; i < 4; i++) await open();
  assertEquals([count("1"), count("2")], [4, 4]);
  for (const { client } of clients) client.close();
});

test("a key goes to the same member, and to another while that is gone", async () => {
  // addresses of their own, so that nobody else is given the port of one that ends
  const backends = ["1", "2", "3"]
    .map((name) => named(name, `127.0.1.${name}`));
  try {
    await using proxy = await Proxy.start(
      router(
        backends.map(({ remote }) => remote),
        `policy: "hash", passive: { failures: 1, backoff: 600 }`,
        `route: (data) => data.text.endsWith("\\n")
          ? p.pick(data.bytes) : undefined`,
      ),
      TWO_WORKERS,
    );
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}\n`);
    const askAll = async () => {
      const answers: string[] = [];
      for (const key of keys) answers.push(await ask(proxy, key));
      return answers;
    };
    const before = await askAll();
    assertEquals(new Set(before), new Set(["1", "2", "3"]));
    assertEquals(await askAll(), before);
    await backends[1]?.[Symbol.asyncDispose]();
    const after = await askAll();
    after.forEach((answer, index) => {
      if (before[index] === "2") assertNotEquals(answer, "2");
      else assertStrictEquals(answer, before[index]);
    });
  } finally {
    await backends[0]?.[Symbol.asyncDispose]();
    await backends[2]?.[Symbol.asyncDispose]();
  }
});

test("without a key, the hash is that of the client's address", async () => {
  await using one = named("1");
  await using two = named("2");
  await using proxy = await Proxy.start(
    router([one.remote, two.remote], `policy: "hash"`),
    TWO_WORKERS,
  );
  const answers = new Map<string, Set<string>>();
  for (let i = 0; i < 48; i++) {
    const hostname = `127.0.0.${10 + i % 16}`;
    const answer = await askFrom(hostname, proxy);
    answers.set(hostname, (answers.get(hostname) ?? new Set()).add(answer));
  }
  const sets = [...answers.values()];
  assert(sets.every(({ size }) => size === 1));
  assertEquals(new Set(sets.flatMap((set) => [...set])).size, 2);
});

test("one worker at a time checks a member, which is left alone while its answer is wrong", async () => {
  let status = 200;
  const checks: number[] = [];
  const enough = Promise.withResolvers<void>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    ({ url }) => {
      if (url.endsWith("/health")) {
        checks.push(performance.now());
        if (checks.length === 20) enough.resolve();
      }
      return new Response("served\n", { status });
    },
  );
  await using spare = named("spare");
  const { hostname, port } = server.addr;
  const remote = `${hostname}:${port}`;
  await using proxy = await Proxy.start(
    router(
      [remote, spare.remote],
      String.raw`check: {
        interval: 0.2, fall: 2, rise: 2, timeout: 60,
        send: "GET /health HTTP/1.0\r\n\r\n",
        expect: /^HTTP\/1\.\d 200 /,
      }`,
    ),
    { args: ["-w", "4"] },
  );
  // the other member speaks no HTTP, so only this one stays
  await proxy.log.find(
    `Member ${spare.remote} of pool p is down: unexpected answer "spare" (2 checks)`,
  );
  const get = "GET / HTTP/1.0\r\n\r\n";
  for (let i = 0; i < 4; i++) assertMatch(await ask(proxy, get), /served/);
  await enough.promise;
  // were all four workers to check, it would take a quarter of the time
  assert((checks[19] ?? 0) - (checks[0] ?? 0) > 19 * 200 / 2);

  status = 503;
  await proxy.log.find(
    new RegExp(
      `Member ${remote} of pool p is down: unexpected answer "HTTP/1.\\d 503 .*\\(2 checks\\)$`,
    ),
  );
  status = 200;
  await proxy.log.find(`Member ${remote} of pool p is up (2 checks)`);
  assertEquals(proxy.log.count(`Member ${remote}`), 2);
});

test("a check that gets no answer, or no connection, fails in time", async () => {
  await using silent = new Backend(async (socket) => {
    await socket.read(new Uint8Array(1));
  });
  await using proxy = await Proxy.start(
    router(
      [silent.remote, REFUSING],
      `check: { interval: 0.1, timeout: 2, fall: 1, expect: "+PONG" }`,
    ),
  );
  await proxy.log.find(
    `Member ${silent.remote} of pool p is down: no answer within 2 seconds (1 check)`,
  );
  await proxy.log.find(
    `Member ${REFUSING} of pool p is down: Connection refused`,
  );
});

test("checks speak TLS, and a member whose certificate has expired is down", async () => {
  await using authority = await Authority.make();
  const names = "IP:127.0.0.1";
  await using good = await OpensslServer.start(
    await authority.issue({ names }),
  );
  await using bad = await OpensslServer.start(
    await authority.issue({ names, time: "expired" }),
  );
  const members = [good.remote, bad.remote];
  const settings = "interval: 0.2, timeout: 30, fall: 2";
  const options = JSON.stringify({ ca: authority.pem });
  const module = Proxy.start(router(
    members,
    `check: { tls: ${options}, ${settings} }`,
    `route: () => ({ ...p.pick(), tls: ${options} })`,
  ));
  const table = Proxy.start(
    `pools:
  p:
    members: ${JSON.stringify(members)}
    check: { tls: { ca: ca.pem }, ${settings}, send: "ok\\n", expect: "ko" }
default: { pool: p, tls: { ca: ca.pem } }
`,
    { file: "routes.yaml", files: { "ca.pem": authority.pem } },
  );
  for (const starting of [module, table]) {
    await using proxy = await starting;
    const line = await proxy.log.find(`Member ${bad.remote} of pool p is down`);
    assertMatch(line, /the TLS handshake failed: .*expired.* \(2 checks\)$/i);
    for (let i = 0; i < 4; i++) {
      using client = await proxy.connect();
      await send(client, "abc\n");
      assertEquals(await receive(client, 4), "cba\n");
    }
    assertEquals(proxy.log.count("is down"), 1);
  }
});

test("a member that is drained in one worker gets no connection in any; those it has go on", async () => {
  await using one = new Backend(async (socket) => {
    await send(socket, "1");
    await send(socket, await receive(socket, 1));
  });
  await using two = named("2");
  const command = (what: string) =>
    `data.text === "${what}\\n" ? (p.${what}("${one.remote}"), { close: "ok" }) : `;
  await using proxy = await Proxy.start(
    router(
      [one.remote, two.remote],
      "",
      `route: (data) => !data.text.endsWith("\\n") ? undefined :
        ${command("drain")} ${command("undrain")} p.pick()`,
    ),
    TWO_WORKERS,
  );
  using lasting = await proxy.connect();
  await send(lasting, "\n");
  assertEquals(await receive(lasting, 1), "1");
  assertEquals(await ask(proxy, "drain\n"), "ok");
  await proxy.log.find(
    `Member ${one.remote} of pool p gets no more connections`,
  );
  for (let i = 0; i < 8; i++) assertEquals(await ask(proxy, "\n"), "2");
  await send(lasting, "x");
  assertEquals(await receiveAll(lasting), "\n");
  assertEquals(await ask(proxy, "undrain\n"), "ok");
  await proxy.log.find(`Member ${one.remote} of pool p gets connections again`);
  const again = ask(proxy, "\n");
  const other = ask(proxy, "\n");
  assertEquals(
    new Set([(await again)[0], (await other)[0]]),
    new Set(["1", "2"]),
  );
});

test("when no member can be connected to, connectError gets the last one", async () => {
  const list = [REFUSING, "127.0.0.2:1"];
  await using proxy = await Proxy.start(
    router(
      list,
      "passive: { failures: 2, backoff: 60 }",
      `accept: () => p.pick(),
       connectError: (remote, error) => ({ close: remote + " " + error.name })`,
    ),
    TWO_WORKERS,
  );
  const answer = await ask(proxy);
  assertMatch(answer, /^127\.0\.0\.[12]:1 ConnectionRefused$/);
  await proxy.log.find(
    `Connect ${answer.split(" ")[0]} failed after 10 retries`,
  );
  for (const remote of list) {
    await proxy.log.find(`Member ${remote} of pool p is down`);
  }
  // both were tried again and again
  for (const remote of list) {
    assert(proxy.log.count(`Retrying connection with ${remote}`) >= 4);
  }
});

test("when all members are drained, connectError gets the name of the pool", async () => {
  await using proxy = await Proxy.start(
    router(
      [{ remote: REFUSING, weight: 0 }],
      "",
      `accept: () => p.pick(),
       connectError: (remote, error) => ({ close: remote + ": " + error.message })`,
    ),
  );
  assertEquals(await ask(proxy), "p: all members of the pool p are drained");
  await proxy.log.find(
    "Cannot connect as all members of the pool p are drained (client 127.0.0.1:",
  );
});

test("a decision for a pool that there is not closes that client, and says so", async () => {
  await using proxy = await Proxy.start(
    router(
      [REFUSING],
      "",
      `route: (data) => data.startsWith("q")
        ? { pool: "q" }
        : data.startsWith("k") ? p.pick("key") : pool("late", {})`,
    ),
  );
  for (const first of ["q", "k", "x"]) {
    assertEquals(await ask(proxy, first), "");
  }
  await proxy.log.find(
    `Cannot use the decision of route() as "pool" must be the name of a pool that the router has made (p): current value is "q"`,
  );
  await proxy.log.find(
    `"key" must go with the policy hash, which the pool p does not have: current value is "key"`,
  );
  await proxy.log.find(
    /route\(\) threw: PoolError: Cannot make the pool late as "members"/,
  );
});

test("--check names the pools, and a router whose workers disagree does not start", async () => {
  await using backend = named("x");
  await using good = await Proxy.start(router([backend.remote]), {
    ...TWO_WORKERS,
  });
  assertEquals(await ask(good), "x");
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/router.ts`;
    await Deno.writeTextFile(
      file,
      router([backend.remote, { remote: "a:1", weight: 2 }]),
    );
    const check = await run([...PROGRAM, "-c", file, "--check"]);
    assertMatch(
      check.stdout,
      new RegExp(
        `^pool +p: round-robin, ${backend.remote}, a:1 \\(weight 2\\)$`,
        "m",
      ),
    );
    await Deno.writeTextFile(
      file,
      router([backend.remote]).replace(
        `"${backend.remote}"`,
        "`127.0.0.1:${1 + Math.floor(Math.random() * 60000)}`",
      ),
    );
    const bad = await run([...PROGRAM, "-c", file, "-p", "0", "-w", "4"]);
    assertMatch(
      bad.stderr,
      /^proxymachine: Cannot use the router .* as it must make the same pools in every worker$/m,
    );
    assertNotEquals(bad.code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("a route table shares clients among the members of its pools", async () => {
  await using one = named("1");
  await using two = named("2");
  const table = `
pools:
  turns: { members: ["${one.remote}", "${two.remote}"] }
  lines:
    members: ["${one.remote}", "${two.remote}"]
    policy: hash
    passive: { failures: 1, backoff: 600 }
    check: { interval: 0.1, fall: 1, timeout: 60, expect: "/^[12]$/" }
  dead:
    members: "${REFUSING}"
    check: { interval: 0.1, fall: 2 }
routes:
  - match: { bytes: { regex: "/^key (.*)\\n/" } }
    pool: lines
    key: "\${bytes.1}"
  - match: { bytes: { prefix: "x" } }
    pool: turns
    reply: "hello "
`.replaceAll("\\\\n", "\\n");
  await using proxy = await Proxy.start(table, {
    ...TWO_WORKERS,
    file: "routes.yaml",
  });
  await proxy.log.find(
    /Member 127\.0\.0\.1:1 of pool dead is down: Connection refused .*\(2 checks\)$/,
  );
  let answers = "";
  for (let i = 0; i < 4; i++) answers += await ask(proxy, "x");
  assertEquals(answers, "hello 1hello 2hello 1hello 2");
  const keys = hashedKeys([[one.remote, 1], [two.remote, 1]], 6, String);
  for (const { key, remote } of [...keys, ...keys]) {
    const expected = remote === one.remote ? "1" : "2";
    assertEquals(await ask(proxy, `key ${key}\n`), expected);
  }
});

test("a reload keeps what is known of the members", async () => {
  await using good = named("good");
  await using other = named("other");
  const options = "passive: { failures: 1, backoff: 600 }";
  const list = [REFUSING, good.remote];
  await using folder = await Folder.make({
    "router.js": router(list, options),
  });
  await using proxy = await Proxy.start(folder.url("router.js"), TWO_WORKERS);
  for (let i = 0; i < 2; i++) assertEquals(await ask(proxy), "good");
  await proxy.log.find(`Member ${REFUSING} of pool p is down`);
  await proxy.log.find(`Connect ${REFUSING} failed, trying ${good.remote}`);

  proxy.kill("SIGHUP");
  await proxy.log.find("Reloaded: generation 2");
  for (let i = 0; i < 4; i++) assertEquals(await ask(proxy), "good");
  await Deno.writeTextFile(
    folder.file("router.js"),
    router([...list, other.remote], options),
  );
  proxy.kill("SIGHUP");
  await proxy.log.find("Reloaded: generation 3");
  const answers = new Set<string>();
  for (let i = 0; i < 6; i++) answers.add(await ask(proxy));
  assertEquals(answers, new Set(["good", "other"]));
  assertEquals(proxy.log.count(`Connect ${REFUSING} failed`), 1);
  assertEquals(proxy.log.count("is down"), 1);
});

/** Connects from an address of this machine, and returns all that comes back. */
async function askFrom(hostname: string, proxy: Proxy): Promise<string> {
  const socket = net.connect({
    host: "127.0.0.1",
    port: proxy.port,
    localAddress: hostname,
  });
  let text = "";
  for await (const part of socket) text += part;
  return text;
}
