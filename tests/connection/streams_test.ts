/**
 * Streams stay whole when one side has ended: what the other one still sends
 * arrives, answers that take long, too, and errors reach who still reads.
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "../support/delay.ts";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { routerTo } from "../support/routers.ts";
import { Backend, Upstream } from "../support/servers.ts";
import {
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { test } from "../support/test.ts";

// ---------------------------- a remote that ends its side before its first byte

const UPLOAD = 2_000_001;

for (
  const [what, hooks] of [
    ["no hook", ""],
    [
      "a hook for silence only",
      `inactivityError: () => ({ close: "silent" }),`,
    ],
    ["a hook for no decision only", `timeout: () => ({ close: true }),`],
  ] as const
) {
  test(`a remote that ends its side at once and reads on gets the whole upload when there is ${what}`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(`export default {
      route: () => ({ remote: "${upstream.remote}", inactivityTimeout: 60 }),
      ${hooks}
    };`);
    using client = await proxy.connect();
    await send(client, "a");
    using server = await upstream.accept();
    await server.closeWrite();
    // the client is told
    assertEquals(await receiveAll(client), "");
    const receiving = (async () => {
      assertEquals(await receive(server, 1), "a");
      return await receiveBulk(server);
    })();
    const sent = await sendBulk(client, UPLOAD);
    await client.closeWrite();
    assertEquals(await receiving, sent);
    await proxy.access.find(/ in=2000002 out=0 .*end=done/);
  });
}

test("a remote that ends its side while it is sent the first bytes gets all of them", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () =>
      ({ remote: "${upstream.remote}", data: new Uint8Array(20_000_000) });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await server.closeWrite();
  assertEquals(await receiveAll(client), "");
  await client.closeWrite();
  assertEquals((await receiveBulk(server)).length, 20_000_000);
  await proxy.access.find(/ in=1 out=0 .*end=done/);
});

test("connectError() is asked when a remote ends its side before its first byte", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${first.remote}" }),
    connectError: () => ({ remote: "${second.remote}" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  using leaving = await first.accept();
  await leaving.closeWrite();
  using server = await second.accept();
  const receiving = (async () => {
    assertEquals(await receive(server, 1), "a");
    return await receiveBulk(server);
  })();
  const sent = await sendBulk(client, UPLOAD);
  await client.closeWrite();
  assertEquals(await receiving, sent);
});

test("a remote that has ended its side before its first byte and is gone is remote-left", async () => {
  // it closes with all read, so that only the next bytes are answered by a reset
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
  });
  await using proxy = await Proxy.start(routerTo(backend.remote));
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  await sendBulk(client, UPLOAD).catch(() => {});
  await proxy.access.find(/ out=0 .*end=remote-left/);
  await proxy.log.find("was terminated prematurely");
});

test("the client reads the reply of the decision when the remote has left", async () => {
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
  });
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${backend.remote}", reply: "hello" });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  await sendBulk(client, 1_000_000);
  assertEquals(await receiveAll(client), "hello");
  client.close();
  await proxy.access.find(/ out=5 .*end=remote-left/);
});

test("a remote that has left before its first byte is remote-left when the client sends no more", async () => {
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

// ------------------------------------------------------------ inactivityTimeout

test("inactivityTimeout starts anew with every byte of the client", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () =>
      ({ remote: "${upstream.remote}", inactivityTimeout: 2 });`,
  );
  using client = await proxy.connect();
  const sending = (async () => {
    for (let i = 0; i < 20; i++) {
      await send(client, "x".repeat(1000));
      await delay(200);
    }
  })();
  using server = await upstream.accept();
  assertEquals((await receive(server, 20_000)).length, 20_000);
  await sending;
  const since = performance.now();
  assertEquals(await receiveAll(client), "");
  const waited = performance.now() - since;
  assert(waited >= 1500, `${waited}`);
  await proxy.access.find(/ in=20000 out=0 .*end=inactivity-timeout/);
});

test("inactivityTimeout does not hold after the first byte of the remote", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () =>
      ({ remote: "${upstream.remote}", inactivityTimeout: 0.5 });`,
  );
  using joined = await proxy.join(upstream);
  await delay(1500);
  await send(joined.server, "c");
  assertEquals(await receive(joined.client, 1), "c");
});

// ------------------------------------------- a client that has ended its side

test("the error page reaches a client that has ended its side when the remote refuses", async () => {
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${REFUSING}" }),
    connectError: () => ({ close: "502 Bad Gateway" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  assertEquals(await receiveAll(client), "502 Bad Gateway");
});

test("the error page reaches a client that has ended its side when the remote resets", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${remote}" }),
    connectError: () => ({ close: "502 Bad Gateway" }),
  };`);
  using client = await proxy.connect();
  await send(client, "abc");
  await client.closeWrite();
  const server = await connection;
  assertEquals(await server.receive(), "abc");
  await server.reset();
  assertEquals(await receiveAll(client), "502 Bad Gateway");
});

for (const fault of ["refuses", "resets"] as const) {
  test(`another remote gets all bytes and the end of a client that has ended its side when the first ${fault}`, async () => {
    const first = fault === "resets" ? await Resettable.listen() : undefined;
    using second = new Upstream();
    await using proxy = await Proxy.start(`export default {
      route: () => ({ remote: "${first?.remote ?? REFUSING}" }),
      connectError: () => ({ remote: "${second.remote}" }),
    };`);
    using client = await proxy.connect();
    await send(client, "a");
    await client.closeWrite();
    if (first !== undefined) {
      const server = await first.connection;
      await server.ended();
      await server.reset();
    }
    using server = await second.accept();
    assertEquals(await receiveAll(server), "a");
    await send(server, "answer");
    await server.closeWrite();
    assertEquals(await receiveAll(client), "answer");
    await proxy.access.find(/ in=1 out=6 .*end=done/);
  });
}

test("a client that has ended its side is told nothing when no hook has a page, and the reason is the failure", async () => {
  await using proxy = await Proxy.start(routerTo(REFUSING));
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(/ in=1 out=0 .*end=connect-failed/);
});

// ------------------------------------------------------------ halfCloseTimeout

const HALF_CLOSE = { args: ["-w", "1", "--half-close-timeout", "1"] };

for (
  const [what, keys] of [
    ["halfCloseTimeout", ", halfCloseTimeout: 60"],
    ["idleTimeout", ", idleTimeout: 60"],
  ] as const
) {
  test(`a decision's ${what} lets an answer to a half-closed client take longer than --half-close-timeout`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(
      `export default () => ({ remote: "${upstream.remote}"${keys} });`,
      HALF_CLOSE,
    );
    using client = await proxy.connect();
    await send(client, "a");
    await client.closeWrite();
    using server = await upstream.accept();
    assertEquals(await receiveAll(server), "a");
    await delay(3000);
    await send(server, "b");
    await delay(3000);
    await send(server, "c");
    await server.closeWrite();
    assertEquals(await receiveAll(client), "bc");
    await proxy.access.find(/ in=1 out=2 .*end=done/);
  });
}

for (
  const [what, keys, end] of [
    ["halfCloseTimeout", ", halfCloseTimeout: 0.5", "half-close-timeout"],
    ["idleTimeout", ", idleTimeout: 0.5", "idle-timeout"],
    [
      "halfCloseTimeout beside a longer idleTimeout",
      ", halfCloseTimeout: 0.5, idleTimeout: 60",
      "half-close-timeout",
    ],
    [
      "idleTimeout beside a longer halfCloseTimeout",
      ", halfCloseTimeout: 60, idleTimeout: 0.5",
      "idle-timeout",
    ],
  ] as const
) {
  test(`a decision's ${what} ends a half-closed connection without progress`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(
      `export default () => ({ remote: "${upstream.remote}"${keys} });`,
      { args: ["-w", "1", "--half-close-timeout", "600"] },
    );
    using client = await proxy.connect();
    await send(client, "a");
    await client.closeWrite();
    using _server = await upstream.accept();
    assertEquals(await receiveAll(client), "");
    await proxy.access.find(`end=${end}`);
  });
}

test("a route table has halfCloseTimeout", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `
halfCloseTimeout: 600
routes:
  - { match: true, remote: "${upstream.remote}", halfCloseTimeout: 0.5 }
`,
    { file: "routes.yaml" },
  );
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  using _server = await upstream.accept();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find("end=half-close-timeout");
});
