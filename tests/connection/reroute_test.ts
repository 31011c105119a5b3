/**
 * Another remote after the first has failed: it gets all bytes, each once.
 */
import { assert, assertEquals } from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send, sendBulk } from "../support/sockets.ts";
import { test } from "../support/test.ts";

const MB = 1_000_000;

test("another remote gets the bytes once when the first has refused", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${REFUSING}" }),
    connectError: () => ({ remote: "${upstream.remote}" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  await proxy.log.find("Retrying");
  await send(client, "b");
  using server = await upstream.accept();
  await send(client, "c");
  await client.closeWrite();
  assertEquals(await receiveAll(server), "abc");
  await send(server, "answer");
  await server.closeWrite();
  assertEquals(await receiveAll(client), "answer");
  await proxy.access.find(
    new RegExp(`remote=${upstream.remote} in=3 out=6 .*end=done`),
  );
});

test("another remote gets the bytes once when the first has read some and closed", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${first.remote}" }),
    connectError: () => ({ remote: "${second.remote}" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  const refusing = await first.accept();
  assertEquals(await receive(refusing, 1), "a");
  await send(client, "bc");
  assertEquals(await receive(refusing, 2), "bc");
  refusing.close();
  using server = await second.accept();
  assertEquals(await receive(server, 3), "abc");
  await send(client, "d");
  await send(server, "x");
  assertEquals(await receive(client, 1), "x");
  await send(client, "e");
  await client.closeWrite();
  assertEquals(await receiveAll(server), "de");
});

test("the client reads the page when connectError() says { close: page }", async () => {
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${REFUSING}" }),
    async connectError(remote, error) {
      return { close: "HTTP/1.1 502 Bad Gateway\\r\\n\\r\\n" + "x".repeat(500_000) };
    },
  };`);
  using client = await proxy.connect();
  const [, page] = await Promise.all([
    sendBulk(client, 5 * MB),
    receiveAll(client),
  ]);
  assertEquals(page.length, 28 + 500_000);
  client.close();
  await proxy.access.find(/ out=500028 .*end=router-close/);
});

test("connectError() is called for each remote that fails", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`const seen = [];
  export default {
    route: () => ({ remote: "${REFUSING}" }),
    connectError(remote) {
      seen.push(remote);
      return seen.length === 1
        ? { remote: "${upstream.remote}" }
        : { close: seen.join() };
    },
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  (await upstream.accept()).close();
  assertEquals(
    await receiveAll(client),
    [REFUSING, upstream.remote].join(),
  );
});

test("another remote gets the bytes once when inactivityError() names it", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${first.remote}", inactivityTimeout: 3 }),
    inactivityError: () => ({ remote: "${second.remote}", inactivityTimeout: 100 }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  using silent = await first.accept();
  await send(client, "b");
  using server = await second.accept();
  assertEquals(await receiveAll(silent), "ab");
  await send(client, "c");
  assertEquals(await receive(server, 3), "abc");
  await send(server, "x");
  assertEquals(await receive(client, 1), "x");
});

test("another remote gets the data and the timeouts of the decision before when it has none", async () => {
  using first = new Upstream();
  using second = new Upstream();
  using third = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({
      remote: "${first.remote}", data: "rewritten", inactivityTimeout: 3,
    }),
    connectError: () => ({ remote: "${second.remote}" }),
    inactivityError: (remote) =>
      ({ remote: "${third.remote}", data: "other " + remote }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  const leaving = await first.accept();
  assertEquals(await receive(leaving, 9), "rewritten");
  leaving.close();
  using silent = await second.accept();
  assertEquals(await receiveAll(silent), "rewritten");
  using server = await third.accept();
  const expected = `other ${second.remote}`;
  assertEquals(await receive(server, expected.length), expected);
});

test("the proxy tries no other remote when the client has sent more than is kept", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default {
      route: () => ({ remote: "${upstream.remote}" }),
      connectError: () => ({ remote: "${REFUSING}" }),
    };`,
    { args: ["-w", "1", "--max-preread", "1000"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  const server = await upstream.accept();
  await receive(server, 1);
  await send(client, "x".repeat(1001));
  await receive(server, 1001);
  server.close();
  assertEquals(await receiveAll(client), "");
  await proxy.log.find(
    `Cannot try ${REFUSING} as at most --max-preread bytes are kept`,
  );
  await proxy.access.find("end=remote-left");
});

test("inactivityError() is called when the remote does not read what it is sent", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({
      remote: "${upstream.remote}", inactivityTimeout: 0.5,
      data: new Uint8Array(50_000_000),
    }),
    inactivityError: () => ({ close: "inactive" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  using _stuck = await upstream.accept();
  assertEquals(await receiveAll(client), "inactive");
  client.close();
  await proxy.access.find("end=router-close");
});

test("another remote gets its data when the first has not taken all of its own in time", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({
      remote: "${first.remote}", inactivityTimeout: 0.5,
      data: new Uint8Array(50_000_000),
    }),
    inactivityError: () =>
      ({ remote: "${second.remote}", data: "first", inactivityTimeout: 100 }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  using _stuck = await first.accept();
  await send(client, ",second");
  using server = await second.accept();
  assertEquals(await receive(server, 12), "first,second");
  await send(client, ",third");
  assertEquals(await receive(server, 6), ",third");
  await send(server, "x");
  assertEquals(await receive(client, 1), "x");
});

test("another remote gets its data when the first resets before it has taken all of its own", async () => {
  const { remote, connection } = await Resettable.listen();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${remote}", data: new Uint8Array(50_000_000) }),
    connectError: () => ({ remote: "${second.remote}", data: "first" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  const server = await connection;
  await server.receive();
  await server.reset();
  using other = await second.accept();
  await send(client, ",second");
  assertEquals(await receive(other, 12), "first,second");
  await send(other, "x");
  assertEquals(await receive(client, 1), "x");
});

test("a hook that names a remote that closes again and again is asked 100 times, with pauses", async () => {
  await using closing = new Backend(() => {});
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${closing.remote}" }),
    connectError: (remote) => ({ remote }),
  };`);
  const started = performance.now();
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  assert(performance.now() - started >= 100 * 100);
  assertEquals(closing.accepted, 101);
  await proxy.access.find(/ in=1 out=0 .*end=remote-left/);
  await proxy.log.find(
    `Cannot try ${closing.remote} as hooks may name another remote at most 100 times for a client: 127.0.0.1:`,
  );
});

test("a hook that always names remotes that are not granted does not keep others waiting", async () => {
  await using proxy = await Proxy.start(
    `let count = 0;
    export default {
      route: (data) => data.startsWith("?")
        ? { close: "here" }
        : { remote: "127.0.0.1:1" },
      connectError: () => ({ remote: "127.0.0.1:" + (2 + count++ % 9) }),
    };`,
    { args: ["-w", "1", "--allow-net=127.0.0.1:80"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  using other = await proxy.connect();
  await send(other, "?");
  assertEquals(await receiveAll(other), "here");
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(/ in=1 out=0 .*end=connect-failed/);
});

test("TERM ends the program while a hook names a remote that closes again and again", async () => {
  await using closing = new Backend(() => {});
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${closing.remote}" }),
    connectError: (remote) => ({ remote }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  await proxy.log.findAll("was terminated prematurely", 3);
  proxy.kill("SIGTERM");
  await proxy.log.find("Received TERM signal");
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
});
