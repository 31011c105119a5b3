/**
 * Tables in Redis: several proxies, each with several workers, and one Redis.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
} from "@std/assert";
import { Folder } from "../support/folder.ts";
import { REFUSING } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { run } from "../support/run.ts";
import { named } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Redis } from "../support/redis.ts";

const TWO_WORKERS: ProxyOptions = { args: ["-w", "2"] };

/**
 * Milliseconds in which a change has come, also on a machine that stalls. What
 * is remembered holds for ever unless Redis tells that it has changed.
 */
const SOON = 10_000;

/** A router for clients that send a name and a line break. */
function router(options: string, timeout = 10): string {
  return `import { redisTable } from "proxymachine/table";
const worker = crypto.randomUUID();
const names = redisTable({ timeout: ${timeout}, ${options} });
export default async (data) => {
  const name = data.match(/^(.*)\\n/)?.[1];
  if (name === undefined) return { noop: true };
  const remote = await names.get(name);
  return remote === undefined
    ? { close: worker + " unknown" }
    : { remote, reply: worker + " " };
};`;
}

/** What a worker answers a client that asks for a name. */
async function askWorker(
  proxy: Proxy,
  name: string,
): Promise<{ worker: string; answer: string }> {
  using client = await proxy.connect();
  await send(client, `${name}\n`);
  const [worker = "", answer = ""] = (await receiveAll(client)).split(" ");
  return { worker, answer };
}

/** What a client is answered that asks for a name. */
async function ask(proxy: Proxy, name: string): Promise<string> {
  return (await askWorker(proxy, name)).answer;
}

/** Waits until so many workers, of whichever proxies, are connected to Redis. */
async function connected(redis: Redis, workers: number): Promise<void> {
  for (;;) {
    const clients = await redis.command("CLIENT", "LIST");
    if (clients.match(/name=proxymachine /g)?.length === workers) return;
  }
}

/**
 * Asks again and again, until both workers of each proxy give an answer, and no
 * other one.
 *
 * @returns Milliseconds from the call to the last client that got another one.
 */
async function follow(
  proxies: readonly Proxy[],
  name: string,
  answer: string,
): Promise<number> {
  const begun = performance.now();
  const last = proxies.map(async (proxy) => {
    let other = 0;
    const same = new Map<string, number>();
    const ask = async () => {
      const now = performance.now() - begun;
      const { worker, answer: given } = await askWorker(proxy, name);
      if (given === answer) same.set(worker, (same.get(worker) ?? 0) + 1);
      else {
        same.delete(worker);
        other = now;
      }
    };
    while (same.size < 2 || Math.min(...same.values()) < 5) {
      // together, so that one worker cannot serve them all
      await Promise.all(Array.from({ length: 8 }, ask));
    }
    return other;
  });
  return Math.max(...await Promise.all(last));
}

test("two proxies follow a change in Redis", async () => {
  await using one = named("1");
  await using two = named("2");
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", one.remote);
  const text = router(`url: "${redis.url}"`);
  await using a = await Proxy.start(text, TWO_WORKERS);
  await using b = await Proxy.start(text, TWO_WORKERS);
  const proxies = [a, b];
  assertEquals(await follow(proxies, "a", "1"), 0);
  await connected(redis, 4);
  for (const [server, answer] of [[two, "2"], [one, "1"]] as const) {
    await redis.command("SET", "route:a", server.remote);
    const late = await follow(proxies, "a", answer);
    assert(late < SOON, `${late} ms`);
  }
  await redis.command("DEL", "route:a");
  assert(await follow(proxies, "a", "unknown") < SOON);
  // the first remote of a list that answers
  await redis.command("SET", "route:a", `127.0.0.1:1 ${two.remote}`);
  assert(await follow(proxies, "a", "2") < SOON);
  for (const { log } of proxies) assertEquals(log.count("Redis"), 0);
});

test("a name that many clients ask for at once is looked up once by each worker", async () => {
  await using one = named("1");
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", one.remote);
  await using proxy = await Proxy.start(
    router(`url: "${redis.url}"`),
    TWO_WORKERS,
  );
  const lookUps = async () =>
    Number(
      /cmdstat_getrange:calls=(\d+)/.exec(
        await redis.command("INFO", "commandstats"),
      )?.[1],
    );
  // each worker asks one question when it connects
  while (await lookUps() !== 2);
  for (const [name, answer, most] of [["a", "1", 4], ["b", "unknown", 6]]) {
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => ask(proxy, String(name))),
    );
    assertEquals([...new Set(answers)], [answer]);
    const count = await lookUps();
    assert(count <= Number(most), `${count} look-ups`);
  }
});

test("a value can name a pool, in a module and in a route table", async () => {
  await using web = named("web");
  await using redis = await Redis.start();
  await redis.commands(
    ["SET", "route:a", "pool:web"],
    ["SET", "route:b", "pool:wbe"],
  );
  await using module = await Proxy.start(
    `import { pool } from "proxymachine/pool";
pool("web", { members: ["${REFUSING}", "${web.remote}"] });
${router(`url: "${redis.url}"`)}`,
  );
  await using table = await Proxy.start(
    `
pools: { web: { members: ["${REFUSING}", "${web.remote}"] } }
tables: { names: { redis: "${redis.url}", timeout: 10 } }
routes:
  - { match: { http: true }, table: names, key: "\${http.host}" }
  - { match: { http: true }, close: unknown }
`,
    { file: "routes.yaml" },
  );
  const get = async (host: string) => {
    using client = await table.connect();
    await send(client, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return await receiveAll(client);
  };
  for (let count = 0; count < 4; count++) {
    assertEquals(await ask(module, "a"), "web");
    assertEquals(await get("a"), "web");
  }
  assertEquals(await ask(module, "b"), "unknown");
  assertEquals(await get("b"), "unknown");
  for (const { log } of [module, table]) {
    await log.find(
      /error Cannot use the value of "b" in route:\* .* as it must name a pool that the router has made: current value is "pool:wbe", which counts as none/,
    );
  }
});

test("the last known routes hold while Redis is away, which is said once by each proxy", async () => {
  await using one = named("1");
  await using two = named("2");
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", one.remote);
  const text = router(`url: "${redis.url}"`, 5);
  await using a = await Proxy.start(text, TWO_WORKERS);
  await using b = await Proxy.start(text, TWO_WORKERS);
  const proxies = [a, b];
  await follow(proxies, "a", "1");
  await connected(redis, 4);
  await redis.stop();
  for (const { log } of proxies) {
    await log.find(
      / warn Cannot ask Redis for route:\* in redis:\/\/127\.0\.0\.1:\d+\/0 as .*: the last known remotes hold until it can be asked again$/,
    );
  }
  assertEquals(await follow(proxies, "a", "1"), 0);
  assertEquals(await ask(a, "b"), "unknown");
  await redis.start();
  await redis.command("SET", "route:a", two.remote);
  await connected(redis, 4);
  assert(await follow(proxies, "a", "2") < SOON);
  for (const { log } of proxies) {
    await log.find(" info Connected to Redis: what it has for route:* in ");
    assertEquals(log.count("Cannot ask Redis"), 1);
    assertEquals(log.count("Connected to Redis"), 1);
  }
});

test("a proxy starts without Redis, and connects as soon as there is one", async () => {
  await using one = named("1");
  await using redis = await Redis.start();
  await redis.stop();
  const text = router(`url: "${redis.url}"`, 0.1);
  await using proxy = await Proxy.start(text, TWO_WORKERS);
  await proxy.log.find("Cannot ask Redis for route:*");
  assertEquals(await ask(proxy, "a"), "unknown");
  await redis.start();
  await redis.command("SET", "route:a", one.remote);
  await proxy.log.find("Connected to Redis");
  await connected(redis, 2);
  await follow([proxy], "a", "1");
});

test("a wrong password is said in one line, without the password", async () => {
  await using redis = await Redis.start("--requirepass", "open-sesame");
  const url = redis.url.replace("//", "//:open-says-me@");
  const text = router(`url: "${url}"`, 2);
  await using proxy = await Proxy.start(text, TWO_WORKERS);
  const line = await proxy.log.find("Cannot ask Redis");
  assertMatch(line, /as it answers HELLO with WRONGPASS invalid username/);
  assertEquals(await ask(proxy, "a"), "unknown");
  assertNotMatch(proxy.log.all.join("\n"), /open-s/);
  assertEquals(proxy.log.count("Cannot ask Redis"), 1);
});

test("a value that is no remote is logged, and the others hold", async () => {
  await using one = named("1");
  await using redis = await Redis.start();
  await redis.commands(
    ["SET", "route:a", one.remote],
    ["SET", "route:b", "10.0.0.1"],
  );
  await using proxy = await Proxy.start(router(`url: "${redis.url}"`));
  assertEquals(await ask(proxy, "b"), "unknown");
  await proxy.log.find(
    `error Cannot use the value of "b" in route:* in ${redis.url}/0 as it must be "host:port": current value is "10.0.0.1", which counts as none`,
  );
  assertEquals(await ask(proxy, "a"), "1");
});

test("a reload takes the table over without a client that is lost", async () => {
  await using one = named("1");
  await using redis = await Redis.start();
  await redis.command("SET", "route:a", one.remote);
  await using proxy = await Proxy.start(
    router(`url: "${redis.url}"`),
    TWO_WORKERS,
  );
  await follow([proxy], "a", "1");
  proxy.kill("SIGHUP");
  const [, ...others] = await Promise.all([
    proxy.log.find("Reloaded"),
    ...Array.from({ length: 50 }, () => ask(proxy, "a")),
  ]);
  assertEquals([...new Set(others)], ["1"]);
  // the workers from before end, and their connections with them
  await connected(redis, 2);
});

test("a table that cannot be made is said before anything starts", async () => {
  await assertRejects(
    () => Proxy.start(router(`url: "redis://a", prefx: ""`)),
    Error,
    /Cannot make a table as "prefx" is not one of url, prefix, /,
  );
});

test("route tables of two proxies follow a change in Redis; without a value, the routes below are tried", async () => {
  await using web = named("web");
  await using moved = named("moved");
  await using below = named("below");
  await using redis = await Redis.start("--requirepass", "open sesame");
  const table = `
tables:
  sites: { redis: "${redis.url}/1", prefix: "site:", passwordFile: secret, timeout: 10 }
routes:
  - match: { http: { path: "/one/*" } }
    table: sites
    key: "\${http.host}\${http.path.1}"
    connectTimeout: 10
  - name: any
    match: { http: true }
    table: sites
    key: "\${http.host}"
  - match: { http: { host: "*.example" } }
    remote: "${below.remote}"
  - { match: { http: { host: b.test } }, close: nobody }
`;
  const options = {
    ...TWO_WORKERS,
    file: "routes.yaml",
    files: { secret: "open sesame\n" },
  };
  const get = async (proxy: Proxy, host: string, path = "/") => {
    using client = await proxy.connect();
    await send(client, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return await receiveAll(client);
  };
  await using a = await Proxy.start(table, options);
  await using b = await Proxy.start(table, options);
  for (const proxy of [a, b]) {
    assertEquals(await get(proxy, "a.example"), "below");
    assertEquals(await get(proxy, "b.test"), "nobody");
    assertEquals(await get(proxy, "c.test"), "");
  }
  const changes = [
    ["a.example", "/", web, "web"],
    ["a.example", "/", moved, "moved"],
    ["A.Example", "/one/x", web, "web"],
  ] as const;
  for (const [host, path, server, answer] of changes) {
    const key = `site:${host.toLowerCase()}${path === "/" ? "" : "x"}`;
    await redis.commands(
      ["AUTH", "open sesame"],
      ["SELECT", "1"],
      ["SET", key, server.remote],
    );
    const begun = performance.now();
    for (const proxy of [a, b]) {
      let late = 0;
      for (let same = 0; same < 40; same++) {
        const now = performance.now() - begun;
        if (await get(proxy, host, path) !== answer) [same, late] = [0, now];
      }
      assert(late < SOON, `${late} ms`);
    }
  }
  assertEquals(await get(a, "a.example", "/two"), "moved");
  await redis.stop();
  await a.log.find("Cannot ask Redis for site:* in redis://127.0.0.1:");
  assertEquals(a.log.count("sesame"), 0);
});

test("--dry-run asks the table, and --check does not", async () => {
  await using redis = await Redis.start();
  await redis.command("SET", "route:b.example", "10.0.0.1:80, 10.0.0.2:80");
  const text = (url: string) => `
tables: { sites: { redis: "${url}", timeout: 10 } }
routes:
  - { match: { http: true }, table: sites, key: "\${http.host}" }
  - { name: rest, match: { http: true }, remote: "10.0.0.3:80" }
`;
  await using folder = await Folder.make({
    "routes.yaml": text(redis.url),
    "away.yaml": text(`redis://joe:hidden@${REFUSING}`),
    "a.txt": "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "b.txt": "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
  });
  const config = ["-c", folder.file("routes.yaml")];
  for (
    const [file, lines] of [
      ["a.txt", /\nroute 2 \(rest\), line 5\n.*: remote 10\.0\.0\.3:80\n/],
      [
        "b.txt",
        /\nroute 1, line 4\n.*: remote 10\.0\.0\.1:80 \| 10\.0\.0\.2:80\n/,
      ],
    ] as const
  ) {
    const { code, stdout, stderr } = await run([
      ...[...PROGRAM, ...config, "--dry-run", folder.file(file)],
    ]);
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, lines);
  }
  const { code, stdout, stderr } = await run(
    [...PROGRAM, "-c", folder.file("away.yaml"), "--check"],
  );
  assertEquals(code, 0, stderr);
  assertEquals(stderr, "");
  assertMatch(
    stdout,
    /table sites: route:\* in redis:\/\/127\.0\.0\.1:1\/0\n/,
  );
  assertNotMatch(stdout, /hidden/);
});
