/**
 * After the decision: half-close, lingering close, and connections that break.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  fail,
} from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { routerTo } from "../support/routers.ts";
import { Backend, Upstream } from "../support/servers.ts";
import {
  type Digest,
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { test } from "../support/test.ts";

const MB = 1_000_000;

test("the proxy passes the whole answer when the client half-closes after its request", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  using client = await proxy.connect();
  await send(client, "request");
  await client.closeWrite();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), "request");
  const [sent, received] = await Promise.all([
    sendBulk(server, 10 * MB).then(async (sent) => {
      await server.closeWrite();
      return sent;
    }),
    receiveBulk(client),
  ]);
  assertEquals(received, sent);
  await proxy.access.find(/ in=7 out=10000000 .*end=done/);
});

test("the proxy passes what the client still sends when the remote half-closes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  using client = await proxy.connect();
  await send(client, "hello");
  using server = await upstream.accept();
  await send(server, "answer");
  await server.closeWrite();
  assertEquals(await receiveAll(client), "answer");
  const [sent, received] = await Promise.all([
    sendBulk(client, 10 * MB).then(async (sent) => {
      await client.closeWrite();
      return sent;
    }),
    receive(server, 5).then(() => receiveBulk(server)),
  ]);
  assertEquals(received, sent);
  await proxy.access.find(/ in=10000005 out=6 .*end=done/);
});

test("the proxy passes the answer when the remote closes at once after it", async () => {
  let sent: Digest | undefined;
  await using backend = new Backend(async (socket) => {
    assertEquals(await receive(socket, 1), "a");
    sent = await sendBulk(socket, 3 * MB);
  });
  await using proxy = await Proxy.start(routerTo(backend.remote));
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveBulk(client), sent);
});

test("the client reads all of { close: bytes } when it is still sending", async () => {
  await using proxy = await Proxy.start(`const page = new Uint8Array(300_000);
  for (let at = 0; at < page.length; at++) page[at] = at * at % 251;
  export default () => ({ close: page });`);
  using client = await proxy.connect();
  await sendBulk(client, 5 * MB);
  const page = await receiveAll(client);
  assertEquals(page.length, 300_000);
  for (let at = 0; at < page.length; at++) {
    if (page.charCodeAt(at) !== at * at % 251) fail(`at ${at}`);
  }
  client.close();
  await proxy.access.find(/ in=5000000 out=300000 .*end=router-close/);
});

test("the client reads all of { close: bytes } when it has half-closed", async () => {
  await using proxy = await Proxy.start(
    `export default async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { close: "x".repeat(1_000_000) };
    };`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  assertEquals((await receiveBulk(client)).length, MB);
  await proxy.access.find(/ in=1 out=1000000 .*end=router-close/);
});

test("the client reads the answer when the remote closes without reading all", async () => {
  const answer = `413${"!".repeat(2000)}`;
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
    await send(socket, answer);
  });
  await using proxy = await Proxy.start(routerTo(backend.remote));
  // the order in which the proxy notices the reset differs from time to time
  for (let i = 0; i < 10; i++) {
    using client = await proxy.connect();
    const sending = sendBulk(client, 5 * MB).catch(() => {});
    assertEquals(await receive(client, answer.length), answer);
    await sending;
  }
  await proxy.access.findAll(/ out=2003 .*end=(done|remote-reset)/, 10);
});

test("the proxy keeps nothing of what the client still sends after { close: bytes }", async () => {
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${REFUSING}" }),
    connectError: () => ({ close: "502" }),
  };`);
  using warm = await proxy.connect();
  await send(warm, "a");
  await Promise.all([sendBulk(warm, 5 * MB), receiveAll(warm)]);
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "502");
  const before = await proxy.memory();
  await sendBulk(client, 60 * MB);
  const growth = await proxy.memory() - before;
  assert(growth < 30 * MB, `memory grew by ${growth} bytes`);
});

test("the proxy closes the remote when the client resets the connection", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  const client = await Resettable.connect(proxy.port);
  client.send("a");
  using server = await upstream.accept();
  await send(server, "xy");
  assertEquals(await client.receive(), "xy");
  await client.reset();
  assertEquals(await receiveAll(server), "a");
  await proxy.access.find(/ in=1 out=2 .*end=client-reset/);
});

test("the proxy closes the remote when the client goes away during the answer", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  const client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  const sending = sendBulk(server, 200 * MB);
  await receive(client, 100_000);
  client.close();
  await assertRejects(() => sending);
  await proxy.access.find("end=client-reset");
});

test("the proxy closes the client when the remote resets the connection", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(routerTo(remote));
  using client = await proxy.connect();
  await send(client, "a");
  const server = await connection;
  assertEquals(await server.receive(), "a");
  server.send("z");
  assertEquals(await receive(client, 1), "z");
  await server.reset();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(/ in=1 out=1 .*end=remote-reset/);
});

test("the proxy closes the client when the remote resets while the client sends", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(routerTo(remote));
  using client = await proxy.connect();
  await send(client, "a");
  const server = await connection;
  server.send("z");
  assertEquals(await receive(client, 1), "z");
  const sending = sendBulk(client, 50 * MB).catch(() => {});
  await server.receive();
  await server.reset();
  // what the proxy has not read may make it a reset
  assertEquals(await receiveAll(client).catch(() => ""), "");
  await sending;
  client.close();
  await proxy.access.find(/ out=1 .*end=remote-reset/);
});

test("the proxy says remote-left when the remote resets before its first byte and the client has half-closed", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(routerTo(remote));
  using client = await proxy.connect();
  await send(client, "abc");
  await client.closeWrite();
  const server = await connection;
  assertEquals(await server.receive(), "abc");
  await server.reset();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(/ in=3 out=0 .*end=remote-left/);
});

test("the proxy calls connectError() when the remote resets before it sends a byte", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${remote}" }),
    connectError: (remote, error) => ({ close: remote + " " + error.message }),
  };`);
  using client = await proxy.connect();
  await send(client, "abc");
  const server = await connection;
  assertEquals(await server.receive(), "abc");
  await server.reset();
  assertMatch(
    await receiveAll(client),
    new RegExp(`^${remote} .*reset by peer`),
  );
  await proxy.log.find(`Connection with ${remote} was terminated prematurely`);
});

test("the proxy logs remote-left when the remote closes before it sends a byte", async () => {
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
  });
  await using proxy = await Proxy.start(routerTo(backend.remote));
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  client.close();
  await proxy.access.find(/ in=1 out=0 .*end=remote-left/);
});

test("the proxy logs why when the client leaves before there is a decision", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => data.text === "r" ? { reply: "xy" } : undefined;`,
  );
  using ended = await proxy.connect();
  await send(ended, "ab");
  await ended.closeWrite();
  assertEquals(await receiveAll(ended), "");
  await proxy.access.find(/remote=- in=2 out=0 .*end=client-left/);

  const reset = await Resettable.connect(proxy.port);
  reset.send("r");
  assertEquals(await reset.receive(), "xy");
  await reset.reset();
  await proxy.access.find(/remote=- in=1 out=2 .*end=client-reset/);
});
