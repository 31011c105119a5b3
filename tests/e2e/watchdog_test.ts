/**
 * Workers that get stuck, or die, while the proxy runs.
 */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { Folder } from "../support/folder.ts";
import { unusedPort } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

/**
 * Answers, unless it is told to loop (for some milliseconds, until there is a
 * file, or for ever), or to break the runtime so that the worker dies. Where
 * nobody asks for anything, connections stay open.
 */
const ROUTER = `let me = crypto.randomUUID();
  const isThere = (path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  export default (data) => {
    const [, word, end] = /^(\\w+) ?(\\S*)\\n/.exec(data.text) ?? [];
    if (word === "loop") {
      console.error("looping");
      if (end.startsWith("/")) {
        while (!isThere(end));
      } else {
        const until = end === "" ? Infinity : performance.now() + Number(end);
        while (performance.now() < until);
      }
      return { close: "looped" };
    }
    if (word === "die") {
      Event.prototype.preventDefault = () => {};
      setTimeout(() => { throw new Error("broken"); });
    }
    if (word === "who") return { close: me };
    if (word === "name") return { reply: me, consume: data.length };
    if (word === "hold") return { reply: ".", consume: data.length };
    return { noop: true };
  };`;

/** Sends a word, and waits for the end. */
async function ask(proxy: Proxy, word: string): Promise<string> {
  using client = await proxy.connect();
  await send(client, `${word}\n`);
  return await receiveAll(client);
}

/** Opens a connection that stays. */
async function hold(proxy: Proxy): Promise<Deno.TcpConn> {
  const client = await proxy.connect();
  await send(client, "hold\n");
  await receive(client, 1);
  return client;
}

const start = (...args: string[]) => Proxy.start(ROUTER, { args });

/** Where to listen so that it stays the same without any worker. */
const fixedPort = () => ["-h", "127.0.0.1", "-p", String(unusedPort())];

test("a worker that is stuck is reported with its connections, and replaced", async () => {
  await using proxy = await start("-w", "1", "--watchdog", "2");
  using _held = await hold(proxy);
  using client = await proxy.connect();
  await send(client, "loop\n");
  await proxy.log.find(
    "error Worker 1.1 has not answered for 2 seconds: it is stuck, and 2 connections with it; 1 stuck",
  );
  await proxy.log.find("Worker 1.2 serves in place of one that does not");
  // although the one that is stuck has a clone of the listener
  for (let i = 0; i < 20; i++) {
    assertEquals((await ask(proxy, "who")).length, 36);
  }
  await proxy.access.findAll("end=router-close", 20);
  proxy.kill("SIGUSR2");
  await proxy.log.find("Connections: 2/");
});

test("a worker that is busy for less than --watchdog stays", async () => {
  await using proxy = await start("-w", "1", "--watchdog", "20");
  const before = await ask(proxy, "who");
  assertEquals(await ask(proxy, "loop 1500"), "looped");
  assertStrictEquals(await ask(proxy, "who"), before);
  assertEquals(proxy.log.count("stuck"), 0);
});

test("a worker that wakes is told to drain: its connections go on, others go elsewhere", async () => {
  await using folder = await Folder.make();
  const file = folder.file("over");
  await using proxy = await start(
    ...["-w", "1", "--watchdog", "1", `--allow-read=${file}`],
  );
  using held = await hold(proxy);
  const before = await ask(proxy, "who");
  const looped = ask(proxy, `loop ${file}`);
  await proxy.log.find("is stuck");
  await proxy.log.find("Worker 1.2 serves in place");
  assertNotEquals(await ask(proxy, "who"), before);
  await Deno.writeTextFile(file, "");
  await proxy.log.find(
    /warn Worker 1.1 answers again after \d+ seconds: .*; 0 stuck/,
  );
  assertEquals(await looped, "looped");
  await send(held, "hold\n");
  await receive(held, 1);
  await send(held, "who\n");
  assertEquals(await receiveAll(held), before);
  for (let i = 0; i < 5; i++) assertNotEquals(await ask(proxy, "who"), before);
});

test("no worker is taken for stuck when the whole process was suspended", async () => {
  await using proxy = await start("-w", "2", "--watchdog", "2");
  const before = await ask(proxy, "who");
  await proxy.suspend();
  const waiting = ask(proxy, "who");
  // this is about time that passes
  await delay(4500);
  proxy.kill("SIGCONT");
  assertEquals((await waiting).length, before.length);
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  await proxy.log.ended;
  assertEquals(proxy.log.count("stuck"), 0);
});

test("the proxy exits with 70 when more than --max-stuck-workers are stuck", async () => {
  await using proxy = await start(
    ..."-w 1 --watchdog 1 --max-stuck-workers 1".split(" "),
  );
  using first = await proxy.connect();
  await send(first, "loop\n");
  await proxy.log.find("Worker 1.2 serves in place");
  using second = await proxy.connect();
  await send(second, "loop\n");
  assertEquals((await proxy.status).code, 70);
  await proxy.log.ended;
  await proxy.log.find(
    "Cannot go on as at most 1 workers may be stuck: exiting with status 70",
  );
});

test("before it exits with 70, the connections of others may end", async () => {
  await using proxy = await start(
    ..."-w 2 --watchdog 1 --max-stuck-workers 0".split(" "),
  );
  using clients = new DisposableStack();
  const open = async () => {
    const client = clients.use(await proxy.connect());
    await send(client, "name\n");
    return { client, worker: await receive(client, 36) };
  };
  const first = await open();
  const others: Awaited<ReturnType<typeof open>>[] = [];
  while (others.every(({ worker }) => worker === first.worker)) {
    others.push(...await Promise.all([open(), open(), open(), open()]));
  }
  await send(first.client, "loop\n");
  await proxy.log.find("exiting with status 70");
  for (const { client, worker } of others) {
    if (worker === first.worker) continue; // it ends with the process
    await send(client, "who\n");
    assertEquals(await receiveAll(client), worker);
  }
  assertEquals((await proxy.status).code, 70);
});

test("a stuck worker keeps nobody waiting who stops the proxy", async () => {
  await using proxy = await start("-w", "2", "--watchdog", "1");
  using client = await proxy.connect();
  await send(client, "loop\n");
  await proxy.log.find("is stuck");
  proxy.kill("SIGQUIT");
  assertEquals((await proxy.status).code, 0);
  await proxy.log.ended;
  await proxy.log.find("Giving up 1 connections of stuck workers");
});

test("--watchdog 0 takes no worker for stuck", async () => {
  await using proxy = await start("-w", "1", "--watchdog", "0");
  assertEquals(await ask(proxy, "loop 2500"), "looped");
  assertEquals(proxy.log.count("stuck"), 0);
});

test("a worker that dies is replaced, and the places of its connections are free", async () => {
  await using proxy = await Proxy.start(ROUTER, {
    args: ["-w", "1", "--max-connections", "3"],
    listen: fixedPort(),
  });
  using _first = await hold(proxy);
  using _second = await hold(proxy);
  using killer = await proxy.connect();
  await send(killer, "die\n");
  await proxy.log.find(
    /error Worker 1.1 has died, and its 3 connections with it: .*broken/,
  );
  await proxy.log.find("Worker 1.2 serves in place of one that does not");
  using _third = await hold(proxy);
  using _fourth = await hold(proxy);
  using _fifth = await hold(proxy);
  proxy.kill("SIGUSR2");
  await proxy.log.find("Connections: 3/3/6");
  await proxy.log.find(/Counters: .*\bworker-died 3, .*\bworkers-died 1\b/);
});

test("a worker that dies again and again is replaced after growing pauses", async () => {
  await using proxy = await Proxy.start(ROUTER, {
    args: ["-w", "1"],
    listen: fixedPort(),
  });
  for (let i = 1; i <= 5; i++) {
    using client = await proxy.connect();
    await send(client, "die\n");
    await proxy.log.findAll("serves in place", i);
  }
  const times = (text: string) =>
    proxy.log.all.filter((line) => line.includes(text))
      .map((line) => Date.parse(line.slice(0, 24)));
  const replaced = times("serves in place");
  const pauses = times("has died").map((time, i) => (replaced[i] ?? 0) - time);
  for (const [i, least] of [0, 100, 200, 400, 800].entries()) {
    assert((pauses[i] ?? 0) >= least, pauses.join());
  }
  assertEquals((await ask(proxy, "who")).length, 36);
});

test("a router cannot speak for the main thread to its worker", async () => {
  await using proxy = await Proxy.start(
    `const say = (data) => {
      for (const type of ["message", "stop"]) {
        dispatchEvent(new MessageEvent(type, { data }));
      }
      self.onmessage?.({ data });
    };
    let heard = 0;
    addEventListener("message", () => heard++);
    export default (data) => {
      if (data.text !== "?") {
        say({ type: "stop" });
        say({ type: "abort", reason: "shutdown" });
        say({ port: new MessageChannel().port1 });
        return { reply: "." , consume: data.length};
      }
      return { close: "still here" };
    };`,
  );
  using client = await proxy.connect();
  await send(client, "!");
  await receive(client, 1);
  await send(client, "?");
  assertEquals(await receiveAll(client), "still here");
  using other = await proxy.connect();
  await send(other, "?");
  assertEquals(await receiveAll(other), "still here");
});
