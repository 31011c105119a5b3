/**
 * A router's mistake costs the one client that it was made for, and is logged
 * on one line.
 */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** Starts a router with a mistake; the request "ok" has a good answer. */
function start(mistake: string, hooks = ""): Promise<Proxy> {
  return Proxy.start(`export default {
    route(data) {
      if (data.text === "ok") return { close: "fine" };
      ${mistake}
    },
    ${hooks}
  };`);
}

/** A request that the router makes no mistake with. */
async function expectFine(proxy: Proxy): Promise<void> {
  using client = await proxy.connect();
  await send(client, "ok");
  assertEquals(await receiveAll(client), "fine");
}

/** One client meets the mistake; another one, before and after, does not. */
async function expectOnlyOneClosed(
  proxy: Proxy,
  line: RegExp,
): Promise<void> {
  using other = await proxy.connect();
  await send(other, "o");
  using client = await proxy.connect();
  await send(client, "mistake");
  assertEquals(await receiveAll(client), "");
  const logged = await proxy.log.find(line);
  assertMatch(logged, / error /);
  const port = (client.localAddr as Deno.NetAddr).port;
  assert(logged.includes(`127.0.0.1:${port}`), logged);
  await proxy.access.find(
    new RegExp(`client=127.0.0.1:${port} .*end=router-error`),
  );
  await send(other, "k");
  assertEquals(await receiveAll(other), "fine");
  await expectFine(proxy);
  assertEquals(proxy.log.count(/ error /), 1, proxy.log.all.join("\n"));
}

/** Whoever has sent "o" waits for "k". */
const PARTIAL = `if (data.text === "o") return;`;

for (
  const [title, mistake, line] of [
    [
      "throws",
      "throw new TypeError('two\\nlines');",
      /Cannot route \S+ as route\(\) threw: TypeError: two lines at .*router\.ts:\d+/,
    ],
    [
      "throws a text",
      "throw 'two\\nlines';",
      /Cannot route \S+ as route\(\) threw: two lines$/,
    ],
    [
      "throws undefined",
      "throw undefined;",
      /Cannot route \S+ as route\(\) threw: undefined$/,
    ],
    [
      "throws an object that cannot be shown",
      "throw Object.create(null);",
      /Cannot route \S+ as route\(\) threw: /,
    ],
    [
      "throws an error that cannot be shown",
      "const error = new Error(); Object.defineProperty(error, 'stack', { value: 5 }); throw error;",
      /Cannot route \S+ as route\(\) threw: /,
    ],
    [
      "makes a mistake of its own",
      "return data.remote.host;",
      /Cannot route \S+ as route\(\) threw: TypeError: Cannot read properties of undefined.* at .*router\.ts:\d+/,
    ],
    [
      "returns a promise that rejects",
      "return Promise.reject(new RangeError('later'));",
      /Cannot route \S+ as route\(\) threw: RangeError: later at .*router\.ts:\d+/,
    ],
    [
      "rejects after a while",
      "return new Promise((_, reject) => setTimeout(() => reject('later'), 20));",
      /Cannot route \S+ as route\(\) threw: later$/,
    ],
    [
      "returns a text",
      "return '10.0.0.1:80';",
      /Cannot use the decision of route\(\) as a decision is an object: current value is "10\.0\.0\.1:80" \(client \S+\)$/,
    ],
    [
      "returns a number",
      "return 0;",
      /a decision is an object: current value is 0 \(/,
    ],
    [
      "returns an unknown key",
      "return { remote: '10.0.0.1:80', connect_timeout: 1 };",
      /"connect_timeout" is written "connectTimeout": current value is 1 \(/,
    ],
    [
      "returns a bad remote",
      "return { remote: '10.0.0.1' };",
      /"remote" must be "host:port": current value is "10\.0\.0\.1" \(/,
    ],
    [
      "returns a bad timeout",
      "return { remote: '10.0.0.1:80', connectTimeout: -1 };",
      /"connectTimeout" must be a positive number of seconds: current value is -1 \(/,
    ],
    [
      "returns rubbish in a promise",
      "return Promise.resolve({ close: 5 });",
      /"close" must be true or a Uint8Array or a string: current value is 5 \(/,
    ],
    [
      "consumes more than there is",
      "return { reply: 'x', consume: 100 };",
      /"consume" must be a whole number from 0 to the 7 bytes read so far: current value is 100 \(/,
    ],
    [
      "returns an object whose keys throw",
      "return { get remote() { throw new Error('gotcha'); } };",
      /Cannot route \S+ as route\(\) threw: Error: gotcha/,
    ],
    [
      "returns a promise of its own kind that throws",
      "return { then() { throw new Error('gotcha'); } };",
      /Cannot route \S+ as route\(\) threw: Error: gotcha/,
    ],
  ] as const
) {
  test(`the proxy closes that client and serves the others when the router ${title}`, async () => {
    await using proxy = await start(`${PARTIAL} ${mistake}`);
    await expectOnlyOneClosed(proxy, line);
  });
}

test("the proxy closes that client when accept() throws", async () => {
  await using proxy = await start(
    "",
    `accept({ id }) { if (id === 1) throw new Error("first"); },`,
  );
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "");
  await proxy.log.find(/Cannot route \S+ as accept\(\) threw: Error: first at/);
  await proxy.access.find("end=router-error");
  await expectFine(proxy);
});

test("the proxy closes that client when accept() decides nothing and there is no route()", async () => {
  await using proxy = await Proxy.start(
    `export default { accept({ id }) { if (id > 1) return { close: "fine" }; } };`,
  );
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "");
  await proxy.log.find("accept() must decide where there is no route()");
  using other = await proxy.connect();
  assertEquals(await receiveAll(other), "fine");
});

test("the proxy closes that client when the timeout hook throws", async () => {
  await using proxy = await Proxy.start(
    `export default { route() {}, async timeout() { throw new Error("late"); } };`,
    { args: ["-w", "1", "--preread-timeout", "0.2"] },
  );
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "");
  await proxy.log.find(/Cannot route \S+ as timeout\(\) threw: Error: late at/);
  await proxy.access.find("end=router-error");
});

test("the proxy closes that client when connectError() fails", async () => {
  await using proxy = await start(
    `return { remote: "${REFUSING}" };`,
    `connectError() { return { reply: "x" }; },`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  await proxy.log.find(
    /Cannot use the decision of connectError\(\) as routing has ended/,
  );
  await proxy.access.find("end=router-error");
  await expectFine(proxy);
});

test("the proxy closes that client when inactivityError() fails", async () => {
  await using backend = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  await using proxy = await start(
    `return { remote: "${backend.remote}", inactivityTimeout: 0.1 };`,
    `inactivityError() { throw new Error("oh"); },`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  await proxy.log.find(/as inactivityError\(\) threw: Error: oh at/);
  await proxy.access.find("end=router-error");
  await expectFine(proxy);
});

for (
  const [title, mistake, line] of [
    [
      "leaves a rejected promise",
      `Promise.reject(new Error("two\\nlines"));`,
      /The router left a rejected promise: Error: two lines at .*router\.ts:\d+/,
    ],
    [
      "leaves a promise that was rejected with nothing",
      `Promise.reject();`,
      /The router left a rejected promise: undefined$/,
    ],
    [
      "leaves a promise that was rejected with an object that cannot be shown",
      `Promise.reject(Object.create(null));`,
      /The router left a rejected promise: /,
    ],
    [
      "throws in a timer",
      `setTimeout(() => { throw new RangeError("tick"); });`,
      /The router threw outside its hooks: RangeError: tick at .*router\.ts:\d+/,
    ],
    [
      "throws a text in a timer",
      `setTimeout(() => { throw "tick"; });`,
      /The router threw outside its hooks: tick$/,
    ],
    [
      "throws an object that cannot be shown in a timer",
      `setTimeout(() => { throw Object.create(null); });`,
      /The router threw outside its hooks: /,
    ],
    [
      "throws in a microtask",
      `queueMicrotask(() => { throw new Error("micro"); });`,
      /The router threw outside its hooks: Error: micro at .*router\.ts:\d+/,
    ],
  ] as const
) {
  test(`the proxy serves all clients when the router ${title}`, async () => {
    using upstream = new Upstream();
    await using proxy = await start(
      `${mistake} return { remote: "${upstream.remote}" };`,
    );
    for (let i = 1; i <= 3; i++) {
      using client = await proxy.connect();
      await send(client, "a");
      using server = await upstream.accept();
      const lines = await proxy.log.findAll(line, i);
      assertMatch(lines[0] as string, / error /);
      await send(server, await receive(server, 1));
      assertEquals(await receive(client, 1), "a");
    }
    await expectFine(proxy);
    assertEquals(proxy.log.count(/ error /), 3, proxy.log.all.join("\n"));
  });
}

test("the proxy logs one line, and no template, when a mistake has a hostile message", async () => {
  await using proxy = await start(
    `throw new Error("{level} \\r\\n\\u001b[31m2026-01-01 info forged {}");`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  const line = await proxy.log.find("route() threw");
  assertMatch(line, /\{level\} .*forged \{\}/);
  // deno-lint-ignore no-control-regex
  assertNotMatch(line, /[\x00-\x1f]/);
  await expectFine(proxy);
  assertEquals(proxy.log.count(/^2026-01-01/), 0);
});

for (
  const call of [
    "Deno.exit(1)",
    "process.exit(1)",
    "self.close()",
    "close()",
    "postMessage(null)",
    "self.postMessage({ type: 'lines' })",
    "postMessage({ type: 'failed', message: 5 })",
  ]
) {
  test(`the proxy serves all clients when the router calls ${call}`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(`import process from "node:process";
    export default (data) => {
      if (data.text === "ok") return { close: "fine" };
      if (data.text === "join") return { remote: "${upstream.remote}" };
      ${call};
      return { close: process.title && "returned" };
    };`);
    using joined = await proxy.connect();
    await send(joined, "join");
    using server = await upstream.accept();
    using client = await proxy.connect();
    await send(client, "a");
    await receiveAll(client);
    await expectFine(proxy);
    await send(server, "still there");
    assertEquals(await receive(joined, 11), "still there");
  });
}

test("the proxy closes that client only when the router holds one in a promise", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => data.text === "ok"
      ? { close: "fine" }
      : new Promise(() => {});`,
    { args: ["-w", "1", "--preread-timeout", "2", "--max-connections", "2"] },
  );
  for (let i = 0; i < 4; i++) {
    using client = await proxy.connect();
    await send(client, "a");
    await expectFine(proxy);
    assertEquals(await receiveAll(client), "");
  }
  await proxy.access.findAll("end=preread-timeout", 4);
});

test("what a router writes to its console is in the log, one line each, and not in the access log", async () => {
  await using proxy = await Proxy.start(
    `console.log("loaded %d", 1);
    export default {
      route(data) {
        console.warn("asked\\n\\x1b[31m", data.text);
        console.error({ text: data.text });
        console.debug("nobody wants to know");
        console.log("x".repeat(10_000));
        return { close: "fine" };
      },
    };`,
    { args: ["-w", "1", "--log-format", "json"] },
  );
  await expectFine(proxy);
  const access = JSON.parse(await proxy.access.find('"id":1,'));
  assertEquals(access.end, "router-close");
  const lines = (await proxy.log.findAll("router.ts: ", 4))
    .map((line) => JSON.parse(line));
  assertEquals(
    lines.map(({ level, message, properties }) => [
      level,
      message.replace(/^\S*router\.ts: /, "").slice(0, 40),
      properties.router.endsWith("router.ts"),
      properties.worker,
    ]),
    [
      ["INFO", "loaded 1", true, "1.1"],
      ["WARN", "asked\n\x1b[31m ok", true, "1.1"],
      ["ERROR", "{ text: 'ok' }", true, "1.1"],
      ["INFO", "x".repeat(40), true, "1.1"],
    ],
  );
  assertEquals(lines[3].properties.message.length <= 4097, true);
  assertEquals(proxy.access.count("asked"), 0);
});

test("what a router has written is in the log when it gets stuck right after", async () => {
  await using proxy = await Proxy.start(
    `export default () => { console.error("stuck"); for (;;); };`,
    { args: ["-w", "2"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertMatch(
    await proxy.log.find("stuck"),
    /^\S+Z error \S*router\.ts: stuck$/,
  );
  proxy.kill("SIGTERM");
  proxy.kill("SIGTERM");
});
