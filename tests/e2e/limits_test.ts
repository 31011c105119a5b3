/**
 * Limits hold always: bytes and time before the decision, time after half of a
 * connection has ended, connections, memory and file descriptors.
 */
import { assert, assertEquals, assertRejects, fail } from "@std/assert";
import { Proxy } from "../support/proxy.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

const MB = 1_000_000;

/** Answers how many bytes have come, and waits for more. */
const COUNTING = `export default (data) => ({ reply: data.length + "," });`;

// ---------------------------------------------------------------- max-preread

test("the proxy closes when --max-preread bytes have come and there is no decision", async () => {
  await using proxy = await Proxy.start(COUNTING, {
    args: ["-w", "1", "--max-preread", "3000"],
  });
  using client = await proxy.connect();
  await send(client, "x".repeat(2999));
  await answered(client, "2999,");
  await send(client, "x");
  assertEquals(await receiveAll(client), "3000,");
  await proxy.access.find(/ in=3000 .*end=preread-limit/);
  await proxy.log.find(
    "the router must decide within --max-preread: current value is 3000 bytes",
  );
});

/** Reads until what was read ends in a text. */
async function answered(client: Deno.TcpConn, end: string): Promise<void> {
  for (let text = ""; !text.endsWith(end);) text += await receive(client, 1);
}

test("the proxy closes after 64 KiB without a decision by default", async () => {
  await using proxy = await Proxy.start(COUNTING);
  using client = await proxy.connect();
  await send(client, "x".repeat(65_535));
  await answered(client, "65535,");
  await send(client, "x");
  assertEquals(await receiveAll(client), "65536,");
  await proxy.access.find(/ in=65536 .*end=preread-limit/);
});

test("the proxy reads no more than --max-preread bytes before the decision", async () => {
  await using proxy = await Proxy.start(
    `const lengths = [];
    export default (data) => {
      if (data.text === "?") return { close: String(Math.max(...lengths)) };
      lengths.push(data.length);
    };`,
    { args: ["-w", "1", "--max-preread", "10"] },
  );
  using client = await proxy.connect();
  await send(client, "x".repeat(1000));
  assertEquals(await receiveAll(client).catch(() => ""), "");
  await proxy.access.find(/ in=10 .*end=preread-limit/);
  using witness = await proxy.connect();
  await send(witness, "?");
  assertEquals(await receiveAll(witness), "10");
});

test("the router can decide with the last of --max-preread bytes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default (data) =>
      data.length === 5000 ? { remote: "${upstream.remote}" } : undefined;`,
    { args: ["-w", "1", "--max-preread", "5000"] },
  );
  using client = await proxy.connect();
  await send(client, "x".repeat(5100));
  using server = await upstream.accept();
  assertEquals(await receive(server, 5100), "x".repeat(5100));
});

test("bytes that were consumed do not count for --max-preread", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => ({ reply: data.bytes, consume: data.length });`,
    { args: ["-w", "1", "--max-preread", "10"] },
  );
  using client = await proxy.connect();
  await send(client, "0123456789".repeat(10));
  assertEquals(await receive(client, 100), "0123456789".repeat(10));
});

// ------------------------------------------------------------ preread-timeout

test("the proxy closes when there is no decision within --preread-timeout", async () => {
  await using proxy = await Proxy.start(`export default () => undefined;`, {
    args: ["-w", "1", "--preread-timeout", "0.5"],
  });
  const started = performance.now();
  using silent = await proxy.connect();
  using slow = await proxy.connect();
  const sending = (async () => {
    try {
      for (;;) {
        await send(slow, "x");
        await delay(50);
      }
    } catch {
      // it was closed
    }
  })();
  assertEquals(await receiveAll(silent), "");
  assert(performance.now() - started >= 500);
  assertEquals(await receiveAll(slow).catch(() => ""), "");
  await sending;
  await proxy.access.findAll("end=preread-timeout", 2);
  await proxy.log.find(
    "the router must decide within --preread-timeout: current value is 0.5 seconds, and 0 bytes came",
  );
});

test("the proxy closes when a hook's promise is pending for --preread-timeout", async () => {
  for (const hook of ["accept", "route"]) {
    await using proxy = await Proxy.start(
      `export default { ${hook}: () => new Promise(() => {}) };`,
      { args: ["-w", "1", "--preread-timeout", "0.3"] },
    );
    using client = await proxy.connect();
    await send(client, "x");
    assertEquals(await receiveAll(client).catch(() => ""), "");
    await proxy.access.find("end=preread-timeout");
  }
});

test("--preread-timeout does not end a connection that has a remote", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}" });`,
    { args: ["-w", "1", "--preread-timeout", "3"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await delay(3300);
  await send(server, await receive(server, 1));
  assertEquals(await receive(client, 1), "a");
});

// --------------------------------------------------------- half-close-timeout

const HALF_CLOSE = ["-w", "1", "--half-close-timeout", "1"];

test("the proxy closes when the client has ended and the remote makes no progress", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}" });`,
    { args: HALF_CLOSE },
  );
  using client = await proxy.connect();
  await send(client, "a");
  const started = performance.now();
  await client.closeWrite();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), "a");
  assertEquals(await receiveAll(client), "");
  assert(performance.now() - started >= 1000);
  await proxy.access.find(/ in=1 out=0 .*end=half-close-timeout/);
});

test("the proxy closes when the remote has ended and the client makes no progress", async () => {
  await using backend = new Backend((socket) => send(socket, "answer"));
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${backend.remote}" });`,
    { args: HALF_CLOSE },
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "answer");
  await proxy.access.find(/ in=1 out=6 .*end=half-close-timeout/);
});

test("the proxy closes when the client has ended and does not read", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}" });`,
    { args: HALF_CLOSE },
  );
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  using server = await upstream.accept();
  const chunk = new Uint8Array(MB);
  await assertRejects(async () => {
    for (;;) await send(server, chunk);
  });
  await proxy.access.find("end=half-close-timeout");
});

test("the proxy closes when the remote has ended and does not read", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}" });`,
    { args: HALF_CLOSE },
  );
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await send(server, "b");
  await server.closeWrite();
  const chunk = new Uint8Array(MB);
  await assertRejects(async () => {
    for (;;) await send(client, chunk);
  });
  await proxy.access.find("end=half-close-timeout");
});

for (const when of ["before", "after"] as const) {
  test(`the proxy closes when the client has ended ${when} the decision and the remote does not read the replay`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(
      `export default {
        accept: () => ({ reply: "." }),
        async route() {
          await new Promise((resolve) => setTimeout(resolve, ${
        when === "before" ? 200 : 0
      }));
          return {
            remote: "${upstream.remote}",
            data: new Uint8Array(20_000_000),
            inactivityTimeout: 60,
          };
        },
      };`,
      { args: HALF_CLOSE },
    );
    using client = await proxy.connect();
    await send(client, "a");
    if (when === "before") await client.closeWrite();
    using _server = await upstream.accept();
    if (when === "after") await client.closeWrite();
    await proxy.access.find(/ in=1 out=1 .*end=half-close-timeout/);
  });
}

test("the proxy waits while a remote reads the replay slowly after the client has ended", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({
      remote: "${upstream.remote}",
      data: new Uint8Array(40_000_000),
    });`,
    { args: ["-w", "1", "--half-close-timeout", "5"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  using server = await upstream.accept();
  const buffer = new Uint8Array(MB);
  let pause = MB;
  for (let read = 0; read < 40 * MB;) {
    read += await server.read(buffer) ?? fail(`EOF after ${read}`);
    if (read < pause || read > 20 * MB) continue;
    pause += MB;
    await delay(300);
  }
  await server.closeWrite();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find("end=done");
});

test("the proxy waits as long as there is progress after the client has ended", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}" });`,
    { args: ["-w", "1", "--half-close-timeout", "5"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  using server = await upstream.accept();
  for (let i = 0; i < 10; i++) {
    await send(server, String(i));
    await delay(600);
  }
  await server.closeWrite();
  assertEquals(await receiveAll(client), "0123456789");
  await proxy.access.find("end=done");
});

test("the proxy closes when the client does not read { close: bytes }", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ close: new Uint8Array(50_000_000) });`,
    { args: HALF_CLOSE },
  );
  using client = await proxy.connect();
  await send(client, "a");
  await proxy.access.find("end=router-close");
});

// ------------------------------------------------------------ max-connections

test("the proxy holds --max-connections, and serves the next when one ends", async () => {
  await using proxy = await Proxy.start(
    `export default { accept: () => ({ reply: "hi" }), route() {} };`,
    { args: ["-w", "2", "--max-connections", "5"] },
  );
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => proxy.connect()),
  );
  const served = new Set<Deno.TcpConn>();
  let progress = Promise.withResolvers<void>();
  const greetings = clients.map(async (client) => {
    assertEquals(await receive(client, 2), "hi");
    served.add(client);
    progress.resolve();
  });
  const until = async (count: number) => {
    while (served.size < count) {
      await progress.promise;
      progress = Promise.withResolvers<void>();
    }
  };
  for (let count = 5; count <= 8; count++) {
    await until(count);
    // a moment in which a sixth could be served
    await delay(250);
    assertEquals(served.size, count);
    const [done] = served;
    served.delete(done as Deno.TcpConn);
    done?.close();
    await proxy.access.findAll("end=client-left", count - 4);
    served.add(done as Deno.TcpConn); // it counts as served, but is closed
  }
  await Promise.all(greetings);
  for (const client of clients) {
    try {
      client.close();
    } catch {
      // it was closed before
    }
  }
  await proxy.access.findAll("end=client-left", 8);
  proxy.kill("SIGUSR1");
  await proxy.log.find("Connections: 0/5/8 (current/maximum/total)");
  // the fifth, and then one for each of the others
  const line = await proxy.log.find("Counters: ");
  const counters =
    /Counters: client-left 8, max-connections 4, max-connections-ms (\d+)$/
      .exec(line);
  assert(Number(counters?.[1]) >= 4 * 200, line);
  await proxy.log.find(
    "Cannot accept more connections as at most 5 may be open (--max-connections, or the file descriptors): more clients wait",
  );
});

test("the proxy serves all connections when --max-connections is less than its workers", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, await receive(socket, 1));
  });
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${backend.remote}" });`,
    { args: ["-w", "2", "--max-connections", "1"] },
  );
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      using client = await proxy.connect();
      await send(client, String(index % 10));
      return await receiveAll(client);
    }),
  );
  assertEquals(answers, answers.map((_, index) => String(index % 10)));
  await proxy.access.findAll("end=done", 20);
  proxy.kill("SIGUSR1");
  await proxy.log.find("Connections: 0/1/20 (current/maximum/total)");
  await proxy.log.find(/Counters: done 20, max-connections 20, /);
});

test("4,300 silent clients keep nobody out where there are 20,000 file descriptors", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ close: "served" });`,
    {
      setup: "ulimit -n 20000",
      args: ["-w", "1", "--preread-timeout", "600"],
    },
  );
  const silent: Deno.TcpConn[] = [];
  try {
    while (silent.length < 4300) silent.push(await proxy.connect());
    using client = await proxy.connect();
    await send(client, "a");
    assertEquals(await receiveAll(client), "served");
  } finally {
    for (const client of silent) client.close();
  }
  await proxy.access.findAll("end=client-left", 4300);
});

// --------------------------------------------------------------------- memory

test("2,000 clients that send one byte and wait cost less than 40 MB", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => data.length === 1 ? { reply: "." } : undefined;`,
  );
  const join = async () => {
    const client = await proxy.connect();
    await send(client, "a");
    assertEquals(await receive(client, 1), ".");
    return client;
  };
  using _first = await join();
  const before = await proxy.memory();
  const clients: Deno.TcpConn[] = [];
  try {
    while (clients.length < 2000) {
      clients.push(...await Promise.all(Array.from({ length: 50 }, join)));
    }
    const growth = await proxy.memory() - before;
    assert(growth < 40 * MB, `${growth} bytes`);
  } finally {
    for (const client of clients) client.close();
  }
  await proxy.access.findAll("end=client-left", 2000);
});

// ----------------------------------------------------------- file descriptors

const ECHO = (socket: Deno.TcpConn) =>
  receive(socket, 5).then((text) => send(socket, text));

const FEW_DESCRIPTORS = { args: ["-w", "2"], setup: "ulimit -n 256" };

test("1,000 clients are served with 256 file descriptors when each comes, asks and goes", async () => {
  await using backend = new Backend(ECHO);
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${backend.remote}" });`,
    FEW_DESCRIPTORS,
  );
  await inTurns(1000, async (index) => {
    using client = await proxy.connect();
    await expectEcho(client, String(10_000 + index));
  });
  await stillServes(proxy);
});

test("1,000 clients are served with 256 file descriptors when those that were accepted ask at a time", async () => {
  await using backend = new Backend(ECHO);
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${backend.remote}" });`,
    FEW_DESCRIPTORS,
  );
  // as many as can be accepted take all descriptors, and leave none for remotes
  const first = await Promise.all(
    Array.from({ length: 300 }, () => proxy.connect()),
  );
  await proxy.log.find(/ warn Serving at most \d+ connections at a time/);
  await inTurns(1000, async (index) => {
    using client = first[index] ?? await proxy.connect();
    await expectEcho(client, String(10_000 + index));
  });
  await stillServes(proxy);
});

test("a client is served with 256 file descriptors when those that hold them leave", async () => {
  await using backend = new Backend(ECHO);
  await using proxy = await Proxy.start(
    `export default (data) =>
      data.length < 5 ? undefined : { remote: "${backend.remote}" };`,
    FEW_DESCRIPTORS,
  );
  const idle = await Promise.all(
    Array.from({ length: 300 }, () => proxy.connect()),
  );
  await proxy.log.find(/ warn Serving at most \d+ connections at a time/);
  using asking = idle[0] as Deno.TcpConn;
  await send(asking, "hello");
  for (const client of idle.slice(1)) client.close();
  assertEquals(await receiveAll(asking), "hello");
  await stillServes(proxy);
});

test("clients are served when they took all descriptors before any asked, and one stays", async () => {
  let staying = 0;
  await using backend = new Backend(async (socket) => {
    const text = await receive(socket, 5);
    await send(socket, text);
    if (text !== "stay!") return;
    staying++;
    await receiveAll(socket);
  });
  // more descriptors than are counted at the start, so that they all can be taken
  await using proxy = await Proxy.start(
    `export default {
      accept: () => ({ reply: "." }),
      route: () => ({ remote: "${backend.remote}" }),
    };`,
    { args: ["-w", "2"], setup: "ulimit -n 4400" },
  );
  let isFull = false;
  const full = proxy.log.find(/Serving at most|Out of file/)
    .then(() => void (isFull = true));
  const connect = async () => {
    const client = await proxy.connect();
    return { client, accepted: receive(client, 1) };
  };
  using stays = await proxy.connect();
  assertEquals(await receive(stays, 1), ".");
  const first: Awaited<ReturnType<typeof connect>>[] = [];
  while (!isFull) {
    const some = await Promise.all(Array.from({ length: 50 }, connect));
    first.push(...some);
    await Promise.race([Promise.all(some.map((one) => one.accepted)), full]);
  }
  const ask = async (index: number) => {
    const { client, accepted } = first[index] ?? await connect();
    using _client = client;
    await accepted;
    await expectEcho(client, String(10_000 + index));
  };
  await Promise.all([
    ...first.map((_, index) => ask(index)),
    send(stays, "stay!"),
  ]);
  assertEquals(await receive(stays, 5), "stay!");
  await inTurns(200, (index) => ask(first.length + index));
  assertEquals(staying, 1);
  await ask(first.length);
  assertEquals(proxy.log.count("Out of file descriptors"), 0);
});

test("the limit of connections grows with what they need, up to --max-connections", async () => {
  await using proxy = await Proxy.start(
    `export default { accept: () => ({ reply: "." }), route() {} };`,
    {
      args: ["-w", "2", "--max-connections", "3000"],
      setup: "ulimit -n 8192",
    },
  );
  const clients: Deno.TcpConn[] = [];
  try {
    const connect = async () => {
      const client = await proxy.connect();
      clients.push(client);
      return client;
    };
    await inTurns(3000, async () => {
      assertEquals(await receive(await connect(), 1), ".");
    });
    await Promise.all(Array.from({ length: 200 }, connect));
    await proxy.log.find(
      "Cannot accept more connections as at most 3000 may be open",
    );
    proxy.kill("SIGUSR2");
    await proxy.log.find("Connections: 3000/3000/3000 ");
    // no lower limit was met; a minute later the line comes once more
    const lines = proxy.log.count("Cannot accept more connections");
    assertEquals(proxy.log.count("as at most 3000 may be open"), lines);
  } finally {
    for (const client of clients) client.close();
  }
});

/**
 * Does something so often, in part at the same time: as many clients as the
 * queue of a listener has room for. The kernel resets those that it has no room
 * for, when that lasts some seconds.
 */
async function inTurns(
  count: number,
  action: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const serve = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: 400 }, serve));
}

async function expectEcho(client: Deno.TcpConn, text: string): Promise<void> {
  await send(client, text);
  assertEquals(await receiveAll(client), text);
}

async function stillServes(proxy: Proxy): Promise<void> {
  using client = await proxy.connect();
  await expectEcho(client, "after");
}
