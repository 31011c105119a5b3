/**
 * Times that hold for a connection as a whole: silence in both directions, and
 * its duration.
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Proxy } from "../support/proxy.ts";
import { dialogue } from "../support/routers.ts";
import { Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

/** Sends a byte every 100 ms until it is told to stop, or the peer has gone. */
function drip(socket: Deno.TcpConn): { stop(): Promise<void> } {
  let stopped = false;
  const dripping = (async () => {
    try {
      while (!stopped) {
        await send(socket, ".");
        await delay(100);
      }
    } catch {
      // the peer has gone
    }
  })();
  return {
    async stop() {
      stopped = true;
      await dripping;
    },
  };
}

const MODULE = (remote: string, more = "") =>
  `export default () => ({ remote: "${remote}"${more} });`;

// --------------------------------------------------------------- idle-timeout

test("the proxy closes both sides when both are silent for --idle-timeout", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(MODULE(upstream.remote), {
    args: ["-w", "1", "--idle-timeout", "2"],
  });
  // not since the last byte has come: that may have taken its time
  const started = performance.now();
  using joined = await proxy.join(upstream);
  const { client, server } = joined;
  assertEquals(await receiveAll(client), "");
  assert(performance.now() - started >= 2000);
  assertEquals(await receiveAll(server), "");
  await proxy.access.find(/ in=1 out=1 .*end=idle-timeout/);
});

test("--idle-timeout does not end a connection in which one side speaks", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(MODULE(upstream.remote), {
    args: ["-w", "1", "--idle-timeout", "8"],
  });
  using one = await proxy.join(upstream);
  using other = await proxy.join(upstream);
  const pairs = [
    [one.client, one.server],
    [other.server, other.client],
  ] as const;
  await Promise.all(pairs.map(async ([speaking, silent]) => {
    const dripping = drip(speaking);
    await receive(silent, 95); // at least 9.4 seconds
    await dripping.stop();
    // both still work
    await send(silent, "!");
    assertEquals(await receive(speaking, 1), "!");
    speaking.close();
    silent.close();
  }));
  await proxy.access.findAll("end=", 2);
  assertEquals(proxy.access.count("end=idle-timeout"), 0);
});

test("a decision's idleTimeout wins over --idle-timeout, shorter or longer", async () => {
  using upstream = new Upstream();
  await using short = await Proxy.start(
    MODULE(upstream.remote, ", idleTimeout: 0.3"),
    { args: ["-w", "1", "--idle-timeout", "600"] },
  );
  {
    using client = await short.connect();
    await send(client, "a");
    using _server = await upstream.accept();
    assertEquals(await receiveAll(client), "");
    await short.access.find("end=idle-timeout");
  }

  await using long = await Proxy.start(
    MODULE(upstream.remote, ", idleTimeout: 600"),
    { args: ["-w", "1", "--idle-timeout", "0.1"] },
  );
  {
    using joined = await long.join(upstream);
    await delay(600);
    await send(joined.client, "c");
    assertEquals(await receive(joined.server, 1), "c");
  }
  await long.access.find("end=");
  assertEquals(long.access.count("end=idle-timeout"), 0);
});

test("a route table has idleTimeout and maxDuration, as settings and in a route", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `
idleTimeout: 600
maxDuration: 600
routes:
  - { match: { bytes: { prefix: "i" } }, remote: "${upstream.remote}", idleTimeout: 0.3 }
  - { match: { bytes: { prefix: "d" } }, remote: "${upstream.remote}", maxDuration: 0.3 }
`,
    { file: "routes.yaml" },
  );
  for (const [first, end] of [["i", "idle-timeout"], ["d", "max-duration"]]) {
    using client = await proxy.connect();
    await send(client, first as string);
    using _server = await upstream.accept();
    assertEquals(await receiveAll(client), "");
    await proxy.access.find(`end=${end}`);
  }
});

test("--idle-timeout does not hold before a remote is connected", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(dialogue(upstream.remote), {
    args: ["-w", "1", "--idle-timeout", "0.2"],
  });
  using client = await proxy.connect();
  await send(client, "hello\n");
  assertEquals(await receive(client, 6), "hello\n");
  await delay(700);
  await send(client, "go\n");
  assertEquals(await receive(client, 6), "going\n");
  using server = await upstream.accept();
  assertEquals(await receive(server, 3), "go\n");
  assertEquals(await receiveAll(client), "");
  await proxy.access.find("end=idle-timeout");
});

test("a slow reader is not silent as long as it reads", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(MODULE(upstream.remote), {
    args: ["-w", "1", "--idle-timeout", "6"],
  });
  using joined = await proxy.join(upstream);
  const { client, server } = joined;
  // fills all buffers on the way
  const bulk = (async () => {
    const chunk = new Uint8Array(1_000_000);
    try {
      for (;;) await send(server, chunk);
    } catch {
      // closed at the end of the test
    }
  })();
  const buffer = new Uint8Array(500_000);
  for (let i = 0; i < 75; i++) {
    await client.read(buffer);
    await delay(100);
  }
  assertEquals(proxy.access.count("end="), 0);
  // and then nothing
  await proxy.access.find("end=idle-timeout");
  server.close();
  await bulk;
});

for (const stalled of ["client", "server"] as const) {
  test(`--idle-timeout ends a connection whose ${stalled} takes no bytes, though it sends some`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(MODULE(upstream.remote), {
      args: ["-w", "1", "--idle-timeout", "2"],
    });
    using joined = await proxy.join(upstream);
    const [full, other] = stalled === "client"
      ? [joined.client, joined.server]
      : [joined.server, joined.client];
    const dripping = drip(full);
    // fills all buffers on the way, and then waits
    await assertRejects(async () => {
      const chunk = new Uint8Array(1_000_000);
      const reading = receiveAll(other).catch(() => "");
      try {
        for (;;) await send(other, chunk);
      } finally {
        await reading;
      }
    });
    await proxy.access.find("end=idle-timeout");
    await dripping.stop();
  });
}

// --------------------------------------------------------------- max-duration

test("the proxy closes both sides when a connection has lasted --max-duration", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(MODULE(upstream.remote), {
    args: ["-w", "1", "--max-duration", "4"],
  });
  const started = performance.now();
  using joined = await proxy.join(upstream);
  const { client, server } = joined;
  const dripping = drip(server);
  const text = await receiveAll(client).catch(() => "");
  assert(performance.now() - started >= 4000);
  await dripping.stop();
  assertMatch(text, /^\.*$/);
  await proxy.access.find(
    / seconds=(?:[4-9]|\d\d).* end=max-duration/,
  );
});

test("--max-duration holds before there is a decision, too", async () => {
  await using proxy = await Proxy.start("export default () => undefined;", {
    args: ["-w", "1", "--max-duration", "0.3"],
  });
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find("end=max-duration");
});

test("a decision's maxDuration counts from accept, and wins over --max-duration", async () => {
  using passed = new Upstream();
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default (data) =>
      data.text === "late"
        ? { remote: "${passed.remote}", maxDuration: 0.001 }
        : { remote: "${upstream.remote}", maxDuration: 600 };`,
    { args: ["-w", "1", "--max-duration", "3"] },
  );
  using late = await proxy.connect();
  await send(late, "late");
  assertEquals(await receiveAll(late).catch(() => ""), "");
  await proxy.access.find("end=max-duration");

  using joined = await proxy.join(upstream);
  const { client, server } = joined;
  await delay(3300);
  await send(server, "b");
  assertEquals(await receive(client, 1), "b");
});

// ------------------------------------------------------ clocks of two remotes

test("the clock of a remote that has gone does not end the search for another", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(
    `export default {
      route: () => ({ remote: "${first.remote}", inactivityTimeout: 3, idleTimeout: 3 }),
      connectError: async () => {
        await new Promise((resolve) => setTimeout(resolve, 4000));
        return { remote: "${second.remote}", inactivityTimeout: 100, idleTimeout: 100 };
      },
    };`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  (await first.accept()).close();
  using server = await second.accept();
  assertEquals(await receive(server, 1), "a");
  await send(server, "b");
  assertEquals(await receive(client, 1), "b");
});
