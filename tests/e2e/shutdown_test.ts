/**
 * Signals: what is stopped, what is waited for, and the exit status.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { refused } from "../support/ports.ts";
import { type Joined, Proxy } from "../support/proxy.ts";
import { routerTo } from "../support/routers.ts";
import { Upstream } from "../support/servers.ts";
import {
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { test } from "../support/test.ts";

const MB = 1_000_000;

function start(upstream: Upstream, args = ["-w", "2"]): Promise<Proxy> {
  return Proxy.start(routerTo(upstream.remote), { args });
}

test("QUIT lets 50 open transfers finish, refuses new ones, and exits with 0", async () => {
  using upstream = new Upstream();
  await using proxy = await start(upstream);
  using open = new DisposableStack();
  const transfers: Joined[] = [];
  for (let i = 0; i < 50; i++) {
    transfers.push(open.use(await proxy.join(upstream)));
  }
  proxy.kill("SIGQUIT");
  await proxy.log.find("Received QUIT signal. No longer accepting");
  await proxy.log.find("Waiting for 50 connections to finish.");
  await refused(proxy.port);
  const results = await Promise.all(
    transfers.map(async ({ client, server }) => {
      const [sent, received] = await Promise.all([
        sendBulk(server, MB).finally(() => server.closeWrite()),
        receiveBulk(client),
      ]);
      const [up, got] = await Promise.all([
        sendBulk(client, 100_000).finally(() => client.closeWrite()),
        receiveBulk(server),
      ]);
      return { sent, received, up, got };
    }),
  );
  for (const { sent, received, up, got } of results) {
    assertEquals(received, sent);
    assertEquals(got, up);
  }
  assertEquals(await proxy.ended(), 0);
  const done = proxy.access.count(/ in=100001 out=1000001 .*end=done$/);
  assertEquals(done, 50, proxy.access.all.join("\n"));
});

test("QUIT waits for a client that has not been routed", async () => {
  await using proxy = await Proxy.start(
    `export default (data) =>
      data.length === 1 ? { reply: "." } : { close: data.bytes };`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  await receive(client, 1);
  proxy.kill("SIGQUIT");
  await proxy.log.find("Waiting for 1 connections to finish.");
  await send(client, "b");
  assertEquals(await receiveAll(client), "ab");
  client.close();
  assertEquals(await proxy.ended(), 0);
});

for (const signal of ["QUIT", "TERM", "INT"] as const) {
  test(`${signal} ends at once when there are no connections`, async () => {
    using upstream = new Upstream();
    await using proxy = await start(upstream);
    const { client, server } = await proxy.join(upstream);
    client.close();
    server.close();
    await proxy.access.find("end=done");
    const started = performance.now();
    proxy.kill(`SIG${signal}`);
    assertEquals(await proxy.ended(), 0);
    assert(performance.now() - started < 9000, "it waited");
    assertEquals(proxy.log.count(`Received ${signal} signal.`), 1);
  });
}

test("TERM waits for connections that end in time", async () => {
  using upstream = new Upstream();
  await using proxy = await start(upstream);
  using joined = await proxy.join(upstream);
  proxy.kill("SIGTERM");
  await proxy.log.find("Waiting for 1 connections to finish.");
  await proxy.log.find("Maximum time to wait for connections is 10 seconds.");
  await refused(proxy.port);
  await send(joined.server, "answer");
  await joined.server.closeWrite();
  assertEquals(await receiveAll(joined.client), "answer");
  await joined.client.closeWrite();
  assertEquals(await proxy.ended(), 0);
  await proxy.access.find(/ in=1 out=7 .*end=done/);
});

test("TERM closes what has not ended after 10 seconds, and exits with 0", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default (data) => data.text === "wait"
      ? { reply: "." }
      : { remote: "${upstream.remote}" };`,
    { args: ["-w", "2"] },
  );
  using open = new DisposableStack();
  const idle = open.use(await proxy.join(upstream));
  const second = open.use(await proxy.join(upstream));
  using undecided = await proxy.connect();
  await send(undecided, "wait");
  await receive(undecided, 1);
  // one that is sending as fast as it can to one that does not read
  const stuck = open.use(await proxy.join(upstream));
  const pushing = sendBulk(stuck.server, 1000 * MB);
  const started = performance.now();
  proxy.kill("SIGTERM");
  await assertRejects(() => pushing);
  assertEquals(await receiveAll(idle.client), "");
  assertEquals(await receiveAll(second.server), "");
  assertEquals(await receiveAll(undecided), "");
  assertEquals(await proxy.ended(), 0);
  assert(performance.now() - started >= 9900);
  assertEquals(proxy.access.count("end=shutdown"), 4);
  await proxy.log.find(
    "Closing 4 connections that did not finish in 10 seconds.",
  );
});

test("TERM after QUIT limits the time to 10 seconds", async () => {
  using upstream = new Upstream();
  await using proxy = await start(upstream);
  using joined = await proxy.join(upstream);
  proxy.kill("SIGQUIT");
  await proxy.log.find("Waiting for 1 connections to finish.");
  const started = performance.now();
  proxy.kill("SIGTERM");
  await proxy.log.find("Maximum time to wait for connections is 10 seconds.");
  proxy.kill("SIGQUIT"); // changes nothing
  assertEquals(await receiveAll(joined.client), "");
  assert(performance.now() - started >= 9900);
  assertEquals(await proxy.ended(), 0);
  assertEquals(proxy.access.count("end=shutdown"), 1);
});

for (
  const signals of [
    ["TERM", "TERM"],
    ["TERM", "INT"],
    ["QUIT", "TERM", "TERM"],
  ] as const
) {
  test(`${signals.join(", then ")} exits at once with 0`, async () => {
    using upstream = new Upstream();
    await using proxy = await start(upstream);
    using joined = await proxy.join(upstream);
    const started = performance.now();
    for (const [index, signal] of signals.entries()) {
      proxy.kill(`SIG${signal}`);
      if (index === signals.length - 1) break;
      await proxy.log.find(`Received ${signal} signal. No longer accepting`);
      await proxy.log.find("Waiting for 1 connections to finish.");
    }
    assertEquals(await receiveAll(joined.client), "");
    assertEquals(await proxy.ended(), 0);
    assert(performance.now() - started < 9000, "it waited");
    const last = signals.at(-1);
    await proxy.log.find(`Received ${last} signal again. Quitting at once.`);
  });
}

test("QUIT ends when the last connection was held by a promise that never settles", async () => {
  await using proxy = await Proxy.start(
    `export default () => new Promise(() => {});`,
    { args: ["-w", "1", "--preread-timeout", "0.5"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  proxy.kill("SIGQUIT");
  assertEquals(await receiveAll(client).catch(() => ""), "");
  assertEquals(await proxy.ended(), 0);
});

test("a router that is stuck in a loop does not keep TERM from ending", async () => {
  await using proxy = await Proxy.start(
    `export default () => { console.error("stuck"); for (;;); };`,
    { args: ["-w", "2"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  await proxy.log.find("stuck");
  proxy.kill("SIGTERM");
  await proxy.log.find("Waiting for 1 connections to finish.");
  proxy.kill("SIGTERM");
  assertEquals(await proxy.ended(), 0);
});

test("USR1 logs the connections: current, maximum and total", async () => {
  using upstream = new Upstream();
  await using proxy = await start(upstream);
  using open = new DisposableStack();
  for (let i = 0; i < 3; i++) open.use(await proxy.join(upstream));
  const { client, server } = await proxy.join(upstream);
  client.close();
  server.close();
  await proxy.access.find("end=done");
  using undecided = await proxy.connect();
  await send(undecided, "a");
  using _fifth = await upstream.accept();
  proxy.kill("SIGUSR1");
  await proxy.log.find(/Connections: 4\/4\/5 \(current\/maximum\/total\)/);
});

test("USR1 tells how many connections have a remote", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default (data) => data.text === "wait"
      ? { reply: "." }
      : { remote: "${upstream.remote}" };`,
  );
  using _joined = await proxy.join(upstream);
  using undecided = await proxy.connect();
  await send(undecided, "wait");
  await receive(undecided, 1);
  proxy.kill("SIGUSR1");
  await proxy.log.find(/Connections: 2\/2\/2 .*, 1 with a remote/);
});
