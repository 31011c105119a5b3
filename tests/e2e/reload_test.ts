/**
 * Reloading: a new generation of workers takes over, and nobody notices.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { refused, unusedPort } from "../support/ports.ts";
import { PROGRAM, ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { routerTo } from "../support/routers.ts";
import { Backend, Upstream } from "../support/servers.ts";
import {
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { Terminal } from "../support/terminal.ts";
import { test } from "../support/test.ts";
import { Authority } from "../support/tls.ts";
import { delay } from "../support/delay.ts";

const ROUTER = `router.${ROUTER_EXTENSION}`;
const DEPENDENCY = `dependency.${ROUTER_EXTENSION}`;

/** A router that answers with a text. */
const answering = (text: string) =>
  `export default { accept: () => ({ close: ${JSON.stringify(text)} }) };`;

/** One that takes the text from a file that it imports, which may import, too. */
const IMPORTING = `import { text } from "./${DEPENDENCY}";
  export default { accept: () => ({ close: text }) };`;

/** Asks the router for its answer. */
async function ask(proxy: Proxy, port = proxy.port): Promise<string> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  return await receiveAll(client);
}

/** Reloads, and waits until so many generations have begun to serve. */
async function reload(proxy: Proxy, times: number): Promise<void> {
  proxy.kill("SIGHUP");
  await proxy.log.findAll("Reloaded: ", times);
}

// ------------------------------------------------------------- what is reread

test("HUP imports the router, and all that it imports, anew", async () => {
  await using folder = await Folder.make({
    [ROUTER]: IMPORTING,
    [DEPENDENCY]: `import more from "./more.json" with { type: "json" };
      export const text = "one " + more;`,
    "more.json": "1",
  });
  await using proxy = await Proxy.start(folder.url(ROUTER), {
    args: ["-w", "2"],
  });
  assertEquals(await ask(proxy), "one 1");
  await Deno.writeTextFile(folder.file("more.json"), "2");
  await reload(proxy, 1);
  assertEquals(await ask(proxy), "one 2");
  await Deno.writeTextFile(
    folder.file(DEPENDENCY),
    `export const text = "two";`,
  );
  await reload(proxy, 2);
  for (let i = 0; i < 8; i++) assertEquals(await ask(proxy), "two");
  await Deno.writeTextFile(folder.file(ROUTER), answering("three"));
  await reload(proxy, 3);
  assertEquals(await ask(proxy), "three");
});

test("listeners with port 0 have a port each, and keep them", async () => {
  const router = (text: string) =>
    `export default {
      accept: ({ localAddr }) => ({ close: "${text} " + localAddr.port }),
    };`;
  await using folder = await Folder.make({ [ROUTER]: router("one") });
  await using proxy = await Proxy.start(folder.url(ROUTER), {
    listen: ["-h", "127.0.0.1", "-p", "0", "-p", "0"],
    // what the router is granted does not matter to listeners
    args: ["-w", "2", "--allow-net=127.0.0.1:9"],
  });
  const ports = (await proxy.log.findAll("Listening on", 2))
    .map((line) => Number(/:(\d+) with 2 workers$/.exec(line)?.[1]));
  assertEquals(new Set(ports).size, 2);
  for (const port of ports) assertEquals(await ask(proxy, port), `one ${port}`);
  await Deno.writeTextFile(folder.file(ROUTER), router("two"));
  await reload(proxy, 1);
  for (const port of ports) assertEquals(await ask(proxy, port), `two ${port}`);
});

test("HUP reads the whole route table anew: routes, listeners, workers and limits", async () => {
  const [first, second] = [unusedPort(), unusedPort()];
  const table = (text: string, ports: number[], rest = "") =>
    `listen: [${ports.map((port) => `"127.0.0.1:${port}"`)}]\n${rest}
routes:\n  - match: { client: 127.0.0.1 }\n    close: ${text}\n`;
  await using folder = await Folder.make({ "t.yaml": table("one", [first]) });
  await using proxy = await Proxy.start(folder.url("t.yaml"), {
    listen: [],
    args: [],
  });
  assertEquals(await ask(proxy, first), "one");
  await Deno.writeTextFile(
    folder.file("t.yaml"),
    table("two", [first, second], "workers: 3\nlogFormat: json\n"),
  );
  await reload(proxy, 1);
  await proxy.log.find(/\{.*Reloaded: generation 2 serves with 3 workers/);
  assertEquals(await ask(proxy, first), "two");
  assertEquals(await ask(proxy, second), "two");
  await proxy.access.findAll("router-close", 3);
  await proxy.access.findAll(/^\{.*"end":"router-close"/, 2);
  await Deno.writeTextFile(
    folder.file("t.yaml"),
    table("three", [second], "workers: 1\naccessLog: off\n"),
  );
  await reload(proxy, 2);
  assertEquals(await ask(proxy, second), "three");
  await refused(first);
  assertEquals(proxy.access.all.length, 3, "the access log is off");
});

test("HUP changes the limit of connections", async () => {
  const table = (most: number) =>
    `maxConnections: ${most}\nrouter: ./router.js\n`;
  await using folder = await Folder.make({
    "t.yaml": table(1),
    "router.js": `export default () => ({ reply: "." });`,
  });
  await using proxy = await Proxy.start(folder.url("t.yaml"));
  using first = await proxy.connect();
  await send(first, "a");
  await receive(first, 1);
  using second = await proxy.connect();
  await send(second, "a"); // waits for a place
  await Deno.writeTextFile(folder.file("t.yaml"), table(2));
  await reload(proxy, 1);
  await receive(second, 1);
  await send(first, "a");
  await receive(first, 1);
});

test("what the command line says stays as it is when the table changes", async () => {
  await using folder = await Folder.make({
    "t.yaml": "routes: [{ match: { client: 127.0.0.1 }, close: one }]",
  });
  await using proxy = await Proxy.start(folder.url("t.yaml"));
  await Deno.writeTextFile(
    folder.file("t.yaml"),
    `listen: 127.0.0.1:${unusedPort()}\nworkers: 7\n` +
      "routes: [{ match: { client: 127.0.0.1 }, close: two }]",
  );
  await reload(proxy, 1);
  await proxy.log.find("generation 2 serves with 1 worker;");
  assertEquals(await ask(proxy), "two");
});

test("a router from standard input goes on with the same text", async () => {
  const child = new Deno.Command(PROGRAM[0] as string, {
    args: [
      ...PROGRAM.slice(1),
      ..."-c - -h 127.0.0.1 -p 0 -w 1 --access-log off".split(" "),
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(answering("the same")));
  await writer.close();
  let log = "";
  const text = child.stderr.pipeThrough(
    new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
  );
  for await (const part of text) {
    const before = log;
    log += part;
    const came = (words: string) =>
      log.includes(words) && !before.includes(words);
    if (came("Send TERM")) child.kill("SIGHUP");
    if (!came("Reloaded: ")) continue;
    assertMatch(log, /standard input cannot be read again/);
    const port = Number(/Listening on .*:(\d+) with/.exec(log)?.[1]);
    using client = await Deno.connect({ hostname: "127.0.0.1", port });
    assertEquals(await receiveAll(client), "the same");
    child.kill("SIGTERM");
  }
  assertEquals((await child.status).code, 0);
});

// ------------------------------------------------------------ what goes wrong

const BROKEN: Record<string, [text: string, message: RegExp]> = {
  "has a syntax error": ["export default (", /SyntaxError/],
  "exports no router": ["export default 1;", /its default export must be/],
  "throws while it loads": [`throw new Error("no luck");`, /no luck/],
};

for (const [name, [text, message]] of Object.entries(BROKEN)) {
  test(`a router that ${name} leaves the old one running, and the log says why`, async () => {
    await using folder = await Folder.make({ [ROUTER]: answering("one") });
    await using proxy = await Proxy.start(folder.url(ROUTER));
    await Deno.writeTextFile(folder.file(ROUTER), text);
    proxy.kill("SIGHUP");
    assertMatch(
      await proxy.log.find("error Cannot reload, and go on as before: "),
      message,
    );
    assertEquals(await ask(proxy), "one");
    await Deno.writeTextFile(folder.file(ROUTER), answering("two"));
    await reload(proxy, 1);
    assertEquals(await ask(proxy), "two");
  });
}

test("a router that is gone leaves the old one running", async () => {
  await using folder = await Folder.make({ [ROUTER]: answering("one") });
  await using proxy = await Proxy.start(folder.url(ROUTER));
  await Deno.remove(folder.file(ROUTER));
  proxy.kill("SIGHUP");
  await proxy.log.find(/Cannot reload, .*: Cannot read the router .*no such/);
  assertEquals(await ask(proxy), "one");
});

test("a table with mistakes leaves the old one running, and the log names all of them in a line", async () => {
  await using folder = await Folder.make({
    "t.yaml": "routes: [{ match: { client: 127.0.0.1 }, close: one }]",
  });
  await using proxy = await Proxy.start(folder.url("t.yaml"));
  await Deno.writeTextFile(
    folder.file("t.yaml"),
    "workers: no\nroutes: [{ match: { client: x }, close: one }]",
  );
  proxy.kill("SIGHUP");
  const line = await proxy.log.find("Cannot reload, and go on as before: ");
  assertMatch(line, /2 mistakes.*workers.*client/);
  assertEquals(await ask(proxy), "one");
});

test("a port that is taken leaves the old listeners alone", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const own = unusedPort();
  const table = (...ports: number[]) =>
    `listen: [${ports.map((port) => `"127.0.0.1:${port}"`)}]
routes: [{ match: { client: 127.0.0.1 }, close: ok }]`;
  await using folder = await Folder.make({ "t.yaml": table(own) });
  await using proxy = await Proxy.start(folder.url("t.yaml"), { listen: [] });
  await Deno.writeTextFile(folder.file("t.yaml"), table(own, port));
  proxy.kill("SIGHUP");
  await proxy.log.find(
    `Cannot reload, and go on as before: Cannot listen on 127.0.0.1:${port}: another program listens there`,
  );
  assertEquals(await ask(proxy, own), "ok");
});

// -------------------------------------------------------- what happens at once

test("HUP signals during a reload are one more reload after it", async () => {
  await using folder = await Folder.make({ [ROUTER]: answering("none") });
  await using proxy = await Proxy.start(folder.url(ROUTER));
  // one that loads until the test lets it
  using gate = new Upstream();
  const [hostname, port] = gate.remote.split(":");
  await Deno.writeTextFile(
    folder.file(ROUTER),
    `const gate = await Deno.connect({ hostname: "${hostname}", port: ${port} });
    await gate.read(new Uint8Array(1));
    ${answering("one")}`,
  );
  proxy.kill("SIGHUP");
  const loading = await gate.accept();
  await Deno.writeTextFile(folder.file(ROUTER), answering("two"));
  for (let i = 0; i < 5; i++) proxy.kill("SIGHUP");
  // it is heard after those
  proxy.kill("SIGUSR2");
  await proxy.log.find("Connections: ");
  loading.close();
  await proxy.log.findAll("Reloaded: ", 2);
  assertEquals(await ask(proxy), "two");
  await reload(proxy, 3);
  assertEquals(proxy.log.count("Reloading: "), 3);
  assertEquals(proxy.log.count("Reloaded: "), 3);
});

test("TERM during a reload gives it up, and stops", async () => {
  await using folder = await Folder.make({ [ROUTER]: answering("one") });
  await using proxy = await Proxy.start(folder.url(ROUTER));
  await Deno.writeTextFile(
    folder.file(ROUTER),
    `console.error("loading"); await new Promise(() => {});`,
  );
  proxy.kill("SIGHUP");
  await proxy.log.find("loading");
  proxy.kill("SIGTERM");
  assertEquals(await proxy.ended(), 0);
  assertEquals(proxy.log.count(/Cannot|Reloaded/), 0);
});

test("HUP is ignored while the proxy stops", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  const { client, server } = await proxy.join(upstream);
  proxy.kill("SIGQUIT");
  await proxy.log.find("Waiting for 1 connections");
  proxy.kill("SIGHUP");
  await proxy.log.find("Not reloading, as the proxy is stopping.");
  client.close();
  server.close();
  assertEquals(await proxy.ended(), 0);
  assertEquals(proxy.log.count("Reloading"), 0);
});

test("QUIT waits for the connections of all generations", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    routerTo(upstream.remote),
    { args: ["-w", "2"] },
  );
  using first = await proxy.join(upstream);
  await reload(proxy, 1);
  using second = await proxy.join(upstream);
  await reload(proxy, 2);
  proxy.kill("SIGQUIT");
  await proxy.log.find("Waiting for 2 connections");
  for (const { client, server } of [second, first]) {
    await send(server, "last words");
    await server.closeWrite();
    assertEquals(await receiveAll(client), "last words");
    await client.closeWrite();
  }
  assertEquals(await proxy.ended(), 0);
  assertEquals(proxy.access.count("end=done"), 2);
});

test("a terminal that hangs up ends the proxy", async () => {
  await using folder = await Folder.make({ [ROUTER]: answering("one") });
  const file = folder.file("access.log");
  const terminal = new Terminal([
    ...PROGRAM.flatMap((word) =>
      word === "--allow-net" ? [word, `--allow-write=${file}`] : [word]
    ),
    ..."-h 127.0.0.1 -p 0 -w 1 --access-log".split(" "),
    file,
    "-c",
    folder.file(ROUTER),
  ]);
  const line = await terminal.screen.find("Listening on");
  await terminal[Symbol.asyncDispose]();
  await refused(Number(/:(\d+) with/.exec(line)?.[1]));
});

// ------------------------------------------------------------ what nobody notices

test("no connection is lost and no transfer is cut by 8 reloads under load", async () => {
  const answer = "x".repeat(2000);
  await using backend = new Backend(async (socket) => {
    const request = await receive(socket, 4);
    if (request === "ping") return await send(socket, answer);
    await sendBulk(socket, 4_000_000);
  });
  await using proxy = await Proxy.start(
    `export default (data) => data.length < 4 ? { noop: true }
      : { remote: "${backend.remote}" };`,
    { args: ["-w", "2", "--access-log", "off"] },
  );
  const load = new AbortController();
  let done = 0;
  const failures: unknown[] = [];
  const clients = Array.from({ length: 16 }, async () => {
    while (!load.signal.aborted) {
      try {
        using client = await proxy.connect();
        await send(client, "ping");
        assertEquals((await receiveAll(client)).length, answer.length);
        done++;
      } catch (error) {
        failures.push(error);
      }
    }
  });
  const transfers: Promise<number>[] = [];
  for (let i = 1; i <= 8; i++) {
    const client = await proxy.connect();
    await send(client, "bulk");
    await receive(client, 1000); // it is under way
    transfers.push(
      receiveBulk(client).then(({ length }) => length)
        .finally(() => client.close()),
    );
    await reload(proxy, i);
  }
  assertEquals(
    await Promise.all(transfers),
    Array(8).fill(4_000_000 - 1000),
  );
  load.abort();
  await Promise.all(clients);
  assertEquals(failures, []);
  assert(done > 100, `${done} connections`);
  proxy.kill("SIGQUIT"); // which waits for every connection
  assertEquals(await proxy.ended(), 0);
});

test("old generations are gone when they have drained: memory and descriptors stay flat", async () => {
  await using proxy = await Proxy.start(answering("one"));
  const round = async (from: number) => {
    for (let i = from; i < from + 10; i++) {
      await reload(proxy, i);
      assertEquals(await ask(proxy), "one");
    }
  };
  const look = async () => ({
    memory: await proxy.memory(),
    files: proxy.descriptors,
    threads: [...Deno.readDirSync(`/proc/${proxy.pid}/task`)].length,
  });
  await round(1);
  await round(11);
  const before = await look();
  await round(21);
  const until = performance.now() + 30_000;
  for (;;) {
    // those of the last generations may still be on their way out
    const after = await look();
    if (
      after.files <= before.files + 20 &&
      after.threads <= before.threads + 3 &&
      // each worker takes some 10 MB
      after.memory < before.memory + 50_000_000
    ) break;
    const seen = JSON.stringify([before, after]);
    assert(performance.now() < until, seen);
    await delay(100);
  }
});

// ------------------------------------------------------------- drain-timeout

test("connections from before a reload go on as long as they need", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  using joined = await proxy.join(upstream);
  await reload(proxy, 1);
  await proxy.log.find("1 connections from before go on");
  await reload(proxy, 2);
  const [sent, received] = await Promise.all([
    sendBulk(joined.server, 1_000_000).finally(() =>
      joined.server.closeWrite()
    ),
    receiveBulk(joined.client),
  ]);
  assertEquals(received, sent);
});

test("connections from before a reload are closed after --drain-timeout, others are not", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    routerTo(upstream.remote),
    { args: ["-w", "1", "--drain-timeout", "0.3"] },
  );
  using before = await proxy.join(upstream);
  await reload(proxy, 1);
  using after = await proxy.join(upstream);
  assertEquals(await receiveAll(before.client), "");
  await proxy.log.find(
    "Closing 1 connections of generation 1 that did not finish in 0.3 seconds after the reload",
  );
  await proxy.access.find("end=drain-timeout");
  await send(after.client, "still here");
  assertEquals(await receive(after.server, 10), "still here");
});

// ------------------------------------------------------------------- --watch

test("--watch reloads when the router, or what it imports, has changed", async () => {
  await using folder = await Folder.make({
    [ROUTER]: IMPORTING,
    [DEPENDENCY]: `export const text = "one";`,
  });
  await using proxy = await Proxy.start(folder.url(ROUTER), {
    args: ["-w", "2", "--watch"],
  });
  // in place
  await Deno.writeTextFile(
    folder.file(DEPENDENCY),
    `export const text = "two!";`,
  );
  await proxy.log.findAll("Reloaded: ", 1);
  assertEquals(await ask(proxy), "two!");
  // by an editor that writes another file, and renames it
  await Deno.writeTextFile(
    folder.file("new"),
    `export { text } from "./more.${ROUTER_EXTENSION}";`,
  );
  await Deno.writeTextFile(
    folder.file(`more.${ROUTER_EXTENSION}`),
    `export const text = "three";`,
  );
  await Deno.rename(folder.file("new"), folder.file(DEPENDENCY));
  await proxy.log.findAll("Reloaded: ", 2);
  assertEquals(await ask(proxy), "three");
  // a file that is imported since then only
  await Deno.writeTextFile(
    folder.file(`more.${ROUTER_EXTENSION}`),
    `export const text = "four!";`,
  );
  await proxy.log.findAll("Reloaded: ", 3);
  assertEquals(await ask(proxy), "four!");
});

test("--watch reloads once the mistake is mended, in whichever file it is", async () => {
  await using folder = await Folder.make({ [ROUTER]: answering("one") });
  await using proxy = await Proxy.start(folder.url(ROUTER), {
    args: ["-w", "1", "--watch"],
  });
  await Deno.writeTextFile(folder.file(ROUTER), IMPORTING);
  await proxy.log.findAll("Cannot reload", 1); // there is no such file
  await Deno.writeTextFile(folder.file(DEPENDENCY), "export const text = ;");
  await proxy.log.findAll("Cannot reload", 2);
  await Deno.writeTextFile(
    folder.file(DEPENDENCY),
    `export const text = "mended";`,
  );
  await proxy.log.find("Reloaded: ");
  assertEquals(await ask(proxy), "mended");
});

test("--watch reloads when the route table, or the module that it names, has changed", async () => {
  await using folder = await Folder.make({
    "t.yaml": "router: ./router.js",
    "router.js": answering("one"),
  });
  await using proxy = await Proxy.start(folder.url("t.yaml"), {
    args: ["-w", "1", "--watch"],
  });
  assertEquals(await ask(proxy), "one");
  await Deno.writeTextFile(folder.file("router.js"), answering("two!"));
  await proxy.log.findAll("Reloaded: ", 1);
  assertEquals(await ask(proxy), "two!");
  await Deno.writeTextFile(
    folder.file("t.yaml"),
    "routes: [{ match: { client: 127.0.0.1 }, close: three }]",
  );
  await proxy.log.findAll("Reloaded: ", 2);
  assertEquals(await ask(proxy), "three");
});

test("--watch reloads when a certificate that the route table names has changed", async () => {
  await using before = await Authority.make();
  await using after = await Authority.make();
  await using folder = await Folder.make({
    "t.yaml": "default: { remote: 'a:1', tls: { ca: ca.pem } }",
    "ca.pem": before.pem,
  });
  await using proxy = await Proxy.start(folder.url("t.yaml"), {
    args: ["-w", "1", "--watch"],
  });
  await Deno.writeTextFile(folder.file("ca.pem"), "none");
  await proxy.log.find(/Cannot reload, .*ca\.pem/);
  await Deno.writeTextFile(folder.file("ca.pem"), after.pem);
  await proxy.log.find("Reloaded: ");
});

// ---------------------------------------------------------------- access log

/** How to run the program so that it may write to a folder. */
const writing = (path: string) =>
  PROGRAM.flatMap((word) =>
    word === "--allow-net" ? [word, `--allow-write=${path}`] : [word]
  );

test("HUP opens the access log once more", async () => {
  await using folder = await Folder.make();
  const file = folder.file("access.log");
  await using proxy = await Proxy.start(answering("one"), {
    program: writing(folder.path),
    args: ["-w", "1", "--access-log", file],
  });
  await ask(proxy);
  await fileHas(file, 1);
  await Deno.rename(file, folder.file("access.log.1"));
  proxy.kill("SIGHUP");
  await proxy.log.find("Opened the access log");
  await ask(proxy);
  await fileHas(file, 1);
  await fileHas(folder.file("access.log.1"), 1);
});

test("HUP keeps the open access log when it cannot be opened once more", async () => {
  await using folder = await Folder.make();
  await Deno.mkdir(folder.file("logs"));
  const file = folder.file("logs/access.log");
  await using proxy = await Proxy.start(answering("one"), {
    program: writing(folder.path),
    args: ["-w", "1", "--access-log", file],
  });
  await Deno.rename(folder.file("logs"), folder.file("moved"));
  await reload(proxy, 1);
  await proxy.log.find(
    /error Cannot open the access log .*; going on with the file that is open/,
  );
  await ask(proxy);
  await fileHas(join(folder.file("moved"), "access.log"), 1);
  await Deno.mkdir(folder.file("logs"));
  await reload(proxy, 2);
  await proxy.log.find("Opened the access log");
  await ask(proxy);
  await fileHas(file, 1);
});

/** Waits until a file has so many lines. */
async function fileHas(path: string, lines: number): Promise<void> {
  for (;;) {
    const text = await Deno.readTextFile(path);
    const count = text.split("\n").length - 1;
    assert(count <= lines, text);
    if (count === lines) return;
    await delay(10);
  }
}
