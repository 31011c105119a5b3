/**
 * Several workers accept from one queue.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";
import { listenShared } from "../../src/net/listen.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { Backend } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

test("two workers serve all connections of one queue", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, await receive(socket, 1));
  });
  await using proxy = await Proxy.start(
    `export default (data, { id }) =>
      ({ remote: "${backend.remote}", reply: id + "," });`,
    { args: ["-w", "2"] },
  );
  const answers = await Promise.all(
    Array.from({ length: 500 }, async () => {
      using client = await proxy.connect();
      await send(client, "a");
      return await receiveAll(client);
    }),
  );
  const ids = answers.map((answer) => Number(/^(\d+),a$/.exec(answer)?.[1]));
  assertEquals(
    ids.sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, index) => index + 1),
  );
  assertEquals(backend.accepted, 500);
});

test("a worker serves connections when the router keeps another one busy", async () => {
  await using proxy = await Proxy.start(
    `const worker = crypto.randomUUID();
    export default (data) => {
      if (data.text === "?") return { close: worker };
      if (data.text === "busy") {
        const until = performance.now() + 2000;
        while (performance.now() < until);
      }
      return { reply: worker, consume: data.length };
    };`,
    { args: ["-w", "2"] },
  );
  using busy = await proxy.connect();
  await send(busy, "hello");
  const stuck = await receive(busy, 36);
  await send(busy, "busy");
  const workers = new Set<string>();
  for (let i = 0; i < 50; i++) {
    using client = await proxy.connect();
    await send(client, "?");
    workers.add(await receiveAll(client));
  }
  assert([...workers].some((worker) => worker !== stuck));
  assertEquals(await receive(busy, 36), stuck);
});

test("each of several listeners has its own name, and two workers serve them all", async () => {
  await using proxy = await Proxy.start(
    `const worker = crypto.randomUUID();
    export default (data, { listener, localAddr: { hostname } }) =>
      ({ close: [listener, hostname, worker].join() });`,
    {
      args: ["-w", "2"],
      listen: [
        ...["-h", "127.0.0.1", "-p", "0", "--name", "one"],
        ...["-h", "127.0.0.2", "--name", "two"],
        ...["-h", "127.0.0.3", "-p", "0"],
      ],
    },
  );
  const lines = await proxy.log.findAll(/Listening on .* with 2 workers/, 3);
  const names = { "127.0.0.1": "one", "127.0.0.2": "two" };
  for (const line of lines) {
    const [, hostname = "", port] = /on (\S+):(\d+) /.exec(line) ?? [];
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        using client = await Deno.connect({ hostname, port: Number(port) });
        await send(client, "a");
        return (await receiveAll(client)).split(",");
      }),
    );
    const name = names[hostname as keyof typeof names] ?? "127.0.0.3:0";
    for (const [listener, local, worker] of answers) {
      assertEquals([listener, local], [name, hostname]);
      assertMatch(worker ?? "", /^[\da-f-]{36}$/);
    }
  }
});

for (const format of ["text", "json"] as const) {
  test(`a client that resets before it is accepted is counted, and logged as ${format}`, async () => {
    await using started = await startAdmin(`export default () => undefined;`, {
      args: ["-w", "1", "--log-format", format, "--max-connections", "1"],
    });
    const { proxy, admin } = started;
    await proxy.suspend();
    for (let i = 0; i < 3; i++) {
      const client = await Resettable.connect(proxy.port);
      await client.reset();
    }
    proxy.kill("SIGCONT");
    await proxy.access.findAll(
      format === "text"
        ? / id=\d client=- route=- remote=- in=0 out=0 .*end=client-reset$/
        : /"id":\d,"client":null,"route":null,"remote":null,.*"end":"client-reset"/,
      3,
    );
    proxy.kill("SIGUSR2");
    await proxy.log.find("Connections: 0/1/3 (current/maximum/total)");
    // the metrics, too, have each connection
    await until(
      async () => await (await fetch(`${admin}/metrics`)).text(),
      (metrics) => /^proxymachine_connection_seconds_count 3$/m.test(metrics),
    );
  });
}

test("a thousand clients at a time wait in the queue of a shared socket", async () => {
  const options = { name: "", hostname: "127.0.0.1", port: 0 };
  using first = listenShared(options);
  using second = listenShared(options);
  const { port } = first.addr as Deno.NetAddr;
  const started = performance.now();
  const clients = await Promise.all(
    Array.from({ length: 1000 }, () => Deno.connect({ port })),
  );
  // who finds no place in the queue waits a second at least
  const milliseconds = performance.now() - started;
  for (const client of clients) client.close();
  assert(milliseconds < 1000, `they took ${milliseconds} ms`);
  assertEquals((second.addr as Deno.NetAddr).port, port);
});
