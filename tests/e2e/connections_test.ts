/**
 * What happens to a connection from the first byte to the last: nothing is lost,
 * reordered or sent twice, whoever is slow, fast, early or gone.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import {
  Backend,
  type Digest,
  Proxy,
  receive,
  receiveAll,
  receiveBulk,
  REFUSING,
  Resettable,
  run,
  send,
  sendBulk,
  test,
  Upstream,
} from "../fixtures.ts";

const MB = 1_000_000;

/** A router that sends everybody to one remote at the first byte. */
function to(remote: string): string {
  return `export default () => ({ remote: "${remote}" });`;
}

// ---------------------------------------------------------------- bulk data

test("the proxy passes 100 MB each way at the same time unchanged", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  using client = await proxy.connect();
  const sending = exchange(client);
  using server = await upstream.accept();
  const [there, back] = await Promise.all([sending, exchange(server)]);
  assert.deepEqual(back.received, there.sent);
  assert.deepEqual(there.received, back.sent);
  await proxy.access.find(/ in=100000000 out=100000000 .*end=done/);
});

/** Sends 100 MB and an EOF while it reads to the EOF of the other side. */
async function exchange(
  socket: Deno.TcpConn,
): Promise<{ sent: Digest; received: Digest }> {
  const [sent, received] = await Promise.all([
    sendBulk(socket, 100 * MB).then(async (sent) => {
      await socket.closeWrite();
      return sent;
    }),
    receiveBulk(socket),
  ]);
  return { sent, received };
}

test("the proxy holds no more than its buffers when the client reads slowly", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  await warmUp(proxy, upstream);

  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await expectBackpressure(proxy, server, client);
});

test("the proxy holds no more than its buffers when the remote reads slowly", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  await warmUp(proxy, upstream);

  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await receive(server, 1);
  await send(server, "b"); // no other remote can be asked for now
  await receive(client, 1);
  await expectBackpressure(proxy, client, server);
});

test("the proxy holds no more than its buffers when a remote reads slowly before it answers", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${upstream.remote}" }),
    connectError: () => ({ remote: "${REFUSING}" }),
  };`);
  await warmUp(proxy, upstream);

  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await receive(server, 1);
  await expectBackpressure(proxy, client, server);
});

/** Lets memory reach the size that any transfer needs. */
async function warmUp(proxy: Proxy, upstream: Upstream): Promise<void> {
  for (let i = 0; i < 3; i++) {
    using client = await proxy.connect();
    const sending = sendBulk(client, 20 * MB).then(() => client.closeWrite());
    using server = await upstream.accept();
    const answering = sendBulk(server, 20 * MB).then(() => server.closeWrite());
    await Promise.all([
      sending,
      answering,
      receiveBulk(client),
      receiveBulk(server),
    ]);
  }
}

/** Pushes 200 MB from one side to the other, which does not read for a while. */
async function expectBackpressure(
  proxy: Proxy,
  from: Deno.TcpConn,
  to: Deno.TcpConn,
): Promise<void> {
  const before = await proxy.memory();
  const chunk = new Uint8Array(MB);
  let pushed = 0;
  let stop = false;
  const pushing = (async () => {
    while (!stop && pushed < 200 * MB) pushed += await from.write(chunk);
    await from.closeWrite();
  })();
  await stalled(() => pushed);
  const growth = await proxy.memory() - before;
  assert.ok(pushed < 60 * MB, `${pushed} bytes were taken`);
  assert.ok(growth < 8 * MB, `memory grew by ${growth} bytes`);

  stop = true;
  const { length } = await receiveBulk(to);
  await pushing;
  assert.equal(length, pushed);
}

/** Waits until a number has not changed for a second. */
async function stalled(value: () => number): Promise<void> {
  for (let last = -1; last !== value();) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

// --------------------------------------------------------------- half-close

test("the proxy passes the whole answer when the client half-closes after its request", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  using client = await proxy.connect();
  await send(client, "request");
  await client.closeWrite();
  using server = await upstream.accept();
  assert.equal(await receiveAll(server), "request");
  const [sent, received] = await Promise.all([
    sendBulk(server, 10 * MB).then(async (sent) => {
      await server.closeWrite();
      return sent;
    }),
    receiveBulk(client),
  ]);
  assert.deepEqual(received, sent);
  await proxy.access.find(/ in=7 out=10000000 .*end=done/);
});

test("the proxy passes what the client still sends when the remote half-closes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  using client = await proxy.connect();
  await send(client, "hello");
  using server = await upstream.accept();
  await send(server, "answer");
  await server.closeWrite();
  assert.equal(await receiveAll(client), "answer");
  const [sent, received] = await Promise.all([
    sendBulk(client, 10 * MB).then(async (sent) => {
      await client.closeWrite();
      return sent;
    }),
    receive(server, 5).then(() => receiveBulk(server)),
  ]);
  assert.deepEqual(received, sent);
  await proxy.access.find(/ in=10000005 out=6 .*end=done/);
});

test("the proxy passes the answer when the remote closes at once after it", async () => {
  let sent: Digest | undefined;
  await using backend = new Backend(async (socket) => {
    assert.equal(await receive(socket, 1), "a");
    sent = await sendBulk(socket, 3 * MB);
  });
  await using proxy = await Proxy.start(to(backend.remote));
  using client = await proxy.connect();
  await send(client, "a");
  assert.deepEqual(await receiveBulk(client), sent);
});

// ------------------------------------------------------------ lingering close

test("the client reads all of { close: bytes } when it is still sending", async () => {
  await using proxy = await Proxy.start(`const page = new Uint8Array(300_000);
  for (let at = 0; at < page.length; at++) page[at] = at * at % 251;
  export default () => ({ close: page });`);
  using client = await proxy.connect();
  await sendBulk(client, 5 * MB);
  const page = await receiveAll(client);
  assert.equal(page.length, 300_000);
  for (let at = 0; at < page.length; at++) {
    if (page.charCodeAt(at) !== at * at % 251) assert.fail(`at ${at}`);
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
  assert.equal((await receiveBulk(client)).length, MB);
  await proxy.access.find(/ in=1 out=1000000 .*end=router-close/);
});

test("the client reads the answer when the remote closes without reading all", async () => {
  const answer = `413${"!".repeat(2000)}`;
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
    await send(socket, answer);
  });
  await using proxy = await Proxy.start(to(backend.remote));
  // the order in which the proxy notices the reset differs from time to time
  for (let i = 0; i < 10; i++) {
    using client = await proxy.connect();
    const sending = sendBulk(client, 5 * MB).catch(() => {});
    assert.equal(await receive(client, answer.length), answer);
    await sending;
  }
  await proxy.access.findAll(/ out=2003 .*end=(done|remote-reset)/, 10);
});

// ---------------------------------------------------------------------- resets

test("the proxy closes the remote when the client resets the connection", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  const client = await Resettable.connect(proxy.port);
  client.send("a");
  using server = await upstream.accept();
  await send(server, "xy");
  assert.equal(await client.receive(), "xy");
  await client.reset();
  assert.equal(await receiveAll(server), "a");
  await proxy.access.find(/ in=1 out=2 .*end=client-reset/);
});

test("the proxy closes the remote when the client goes away during the answer", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  const client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  const sending = sendBulk(server, 200 * MB);
  await receive(client, 100_000);
  client.close();
  await assert.rejects(sending);
  await proxy.access.find("end=client-reset");
});

test("the proxy closes the client when the remote resets the connection", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(to(remote));
  using client = await proxy.connect();
  await send(client, "a");
  const server = await connection;
  assert.equal(await server.receive(), "a");
  server.send("z");
  assert.equal(await receive(client, 1), "z");
  await server.reset();
  assert.equal(await receiveAll(client), "");
  await proxy.access.find(/ in=1 out=1 .*end=remote-reset/);
});

test("the proxy closes the client when the remote resets while the client sends", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(to(remote));
  using client = await proxy.connect();
  await send(client, "a");
  const server = await connection;
  server.send("z");
  assert.equal(await receive(client, 1), "z");
  const sending = sendBulk(client, 50 * MB).catch(() => {});
  await server.receive();
  await server.reset();
  // what the proxy has not read may make it a reset
  assert.equal(await receiveAll(client).catch(() => ""), "");
  await sending;
  client.close();
  await proxy.access.find(/ out=1 .*end=remote-reset/);
});

test("the proxy says remote-reset when the remote resets and the client has half-closed", async () => {
  const { remote, connection } = await Resettable.listen();
  await using proxy = await Proxy.start(to(remote));
  using client = await proxy.connect();
  await send(client, "abc");
  await client.closeWrite();
  const server = await connection;
  assert.equal(await server.receive(), "abc");
  await server.reset();
  assert.equal(await receiveAll(client), "");
  await proxy.access.find(/ in=3 out=0 .*end=remote-reset/);
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
  assert.equal(await server.receive(), "abc");
  await server.reset();
  assert.match(
    await receiveAll(client),
    new RegExp(`^${remote} .*reset by peer`),
  );
  await proxy.log.find(`Connection with ${remote} was terminated prematurely`);
});

test("the proxy logs remote-left when the remote closes before it sends a byte", async () => {
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
  });
  await using proxy = await Proxy.start(to(backend.remote));
  using client = await proxy.connect();
  await send(client, "a");
  assert.equal(await receiveAll(client), "");
  await proxy.access.find(/ in=1 out=0 .*end=remote-left/);
});

test("the proxy logs why when the client leaves before there is a decision", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => data.text === "r" ? { reply: "xy" } : undefined;`,
  );
  using ended = await proxy.connect();
  await send(ended, "ab");
  await ended.closeWrite();
  assert.equal(await receiveAll(ended), "");
  await proxy.access.find(/remote=- in=2 out=0 .*end=client-left/);

  const reset = await Resettable.connect(proxy.port);
  reset.send("r");
  assert.equal(await reset.receive(), "xy");
  await reset.reset();
  await proxy.access.find(/remote=- in=1 out=2 .*end=client-reset/);
});

// ------------------------------------------------------------------- dialogues

/** Answers each line with `reply`, until one says where to go. */
function dialogue(
  remote: string,
  reply = "data.text.slice(0, length)",
): string {
  return `export default (data) => {
    const length = data.text.indexOf("\\n") + 1;
    if (length === 0) return { noop: true };
    return data.startsWith("go")
      ? { remote: "${remote}", reply: "going\\n" }
      : { reply: ${reply}, consume: length };
  };`;
}

test("the proxy answers and goes on routing when the router says { reply, consume }", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(dialogue(upstream.remote));
  using client = await proxy.connect();
  for (const line of ["one\n", "two\n", `${"x".repeat(5000)}\n`]) {
    await send(client, line);
    assert.equal(await receive(client, line.length), line);
  }
  await send(client, "go\nrest");
  assert.equal(await receive(client, 6), "going\n");
  using server = await upstream.accept();
  assert.equal(await receive(server, 7), "go\nrest");
});

for (
  const [what, reply] of [
    ["text", "data.text.slice(0, length)"],
    ["a copy", "data.bytes.slice(0, length)"],
    ["a view of the bytes read", "data.bytes.subarray(0, length)"],
  ] as const
) {
  test(`the proxy answers each of several messages in one piece when the reply is ${what}`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(dialogue(upstream.remote, reply));
    using client = await proxy.connect();
    await send(client, "one\nthree\nfifteen\nn\ngo\nrest");
    const answers = "one\nthree\nfifteen\nn\ngoing\n";
    assert.equal(await receive(client, answers.length), answers);
    using server = await upstream.accept();
    assert.equal(await receive(server, 7), "go\nrest");
  });
}

test("the proxy calls the router when more has come, not again, when a reply consumes nothing", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => ({ reply: data.length + "," });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assert.equal(await receive(client, 2), "1,");
  await send(client, "b");
  assert.equal(await receive(client, 2), "2,");
});

// ---------------------------------------------------------------------- accept

test("the proxy connects before any byte when accept() names a remote", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, "220 ready\n");
    await send(socket, `you said ${await receive(socket, 3)}`);
  });
  await using proxy = await Proxy.start(`export default {
    accept: (client) => ({ remote: "${backend.remote}" }),
  };`);
  using client = await proxy.connect();
  assert.equal(await receive(client, 10), "220 ready\n");
  await send(client, "hey");
  assert.equal(await receiveAll(client), "you said hey");
});

test("the proxy tells accept() and route() who the client is", async () => {
  await using proxy = await Proxy.start(`export default {
    accept: async ({ id, remoteAddr, localAddr }) =>
      ({ reply: JSON.stringify({ id, remoteAddr, localAddr }) + "\\n" }),
    route: (data, { id }) => ({ close: "id " + id }),
  };`);
  for (const id of [1, 2]) {
    using client = await proxy.connect();
    const about = {
      id,
      remoteAddr: { ...client.localAddr },
      localAddr: { ...client.remoteAddr },
    };
    const expected = `${JSON.stringify(about)}\n`;
    const got = await receive(client, expected.length);
    assert.deepEqual(JSON.parse(got), about);
    await send(client, "a");
    assert.equal(await receiveAll(client), `id ${id}`);
  }
});

test("the proxy reads bytes and calls route() when accept() says nothing", async () => {
  await using proxy = await Proxy.start(`export default {
    accept() {},
    route: (data) => ({ close: data.bytes }),
  };`);
  using client = await proxy.connect();
  await send(client, "abc");
  assert.equal(await receiveAll(client), "abc");
});

test("the proxy closes when accept() says so", async () => {
  await using proxy = await Proxy.start(
    `export default { accept: () => ({ close: "no" }) };`,
  );
  using client = await proxy.connect();
  assert.equal(await receiveAll(client), "no");
});

// ----------------------------------------------------------------- async hooks

test("the proxy loses no bytes when they come while a hook's promise is pending", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`
  const asked = Promise.withResolvers();
  const released = Promise.withResolvers();
  let calls = 0;
  export default async (data) => {
    if (data.text === "?") {
      await asked.promise;
      return { close: "asked" };
    }
    if (data.text === "!") {
      released.resolve();
      return { close: true };
    }
    calls++;
    asked.resolve();
    await released.promise;
    return { remote: "${upstream.remote}", reply: calls + " " + data.text };
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  using witness = await proxy.connect();
  await send(witness, "?");
  assert.equal(await receiveAll(witness), "asked");
  await send(client, "b");
  await send(client, "c".repeat(10_000));
  using releaser = await proxy.connect();
  await send(releaser, "!");
  assert.equal(await receive(client, 3), "1 a");
  using server = await upstream.accept();
  assert.equal(await receive(server, 10_002), `ab${"c".repeat(10_000)}`);
});

test("the proxy waits for accept() when it is async, and loses no bytes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    async accept() {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { remote: "${upstream.remote}" };
    },
  };`);
  using client = await proxy.connect();
  await send(client, "early");
  using server = await upstream.accept();
  await send(client, "late");
  assert.equal(await receive(server, 9), "earlylate");
});

// ---------------------------------------------------------------- timeout hook

test("the remote gets all bytes in order when the timeout hook names it", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default {
      route() {},
      timeout: (data) => ({ remote: "${upstream.remote}", reply: data.text }),
    };`,
    { args: ["-w", "1", "--preread-timeout", "0.3"] },
  );
  using client = await proxy.connect();
  await send(client, "ab");
  assert.equal(await receive(client, 2), "ab");
  await send(client, "cd");
  using server = await upstream.accept();
  assert.equal(await receive(server, 4), "abcd");
  await send(client, "ef");
  await client.closeWrite();
  assert.equal(await receiveAll(server), "ef");
  await send(server, "answer");
  server.close();
  assert.equal(await receiveAll(client), "answer");
});

test("the remote gets all bytes in order when they come while the timeout hook is pending", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    slowTimeoutHook(upstream.remote, ""),
    { args: ["-w", "1", "--preread-timeout", "0.3"] },
  );
  using client = await sendDuringTimeoutHook(proxy);
  using server = await upstream.accept();
  await send(client, "c");
  assert.equal(await receive(server, 3), "abc");
});

test("another remote gets all bytes, too, when they came while the timeout hook was pending", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(
    slowTimeoutHook(
      first.remote,
      `connectError: () => ({ remote: "${second.remote}" }),`,
    ),
    { args: ["-w", "1", "--preread-timeout", "0.3"] },
  );
  using client = await sendDuringTimeoutHook(proxy);
  const refusing = await first.accept();
  assert.equal(await receive(refusing, 2), "ab");
  refusing.close();
  using server = await second.accept();
  await send(client, "c");
  assert.equal(await receive(server, 3), "abc");
});

/** Its timeout hook says "?" when it is asked, and goes on at a client's "!". */
function slowTimeoutHook(remote: string, more: string): string {
  return `const released = Promise.withResolvers();
  export default {
    route(data) {
      if (data.text !== "!") return;
      released.resolve();
      return { close: true };
    },
    async timeout() {
      console.error("timeout hook is asked");
      await released.promise;
      return { remote: "${remote}" };
    },
    ${more}
  };`;
}

/** A client that has sent "a" before, and "b" while the hook was pending. */
async function sendDuringTimeoutHook(proxy: Proxy): Promise<Deno.TcpConn> {
  const client = await proxy.connect();
  await send(client, "a");
  await proxy.log.find("timeout hook is asked");
  await send(client, "b");
  using releaser = await proxy.connect();
  await send(releaser, "!");
  await receiveAll(releaser);
  return client;
}

test("the proxy keeps the connection when route() fails after the timeout hook has decided", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `const released = Promise.withResolvers();
    export default {
      async route(data) {
        if (data.text !== "!") await released.promise;
        released.reject(new Error("too late"));
        return { close: "released" };
      },
      timeout: () => ({ remote: "${upstream.remote}" }),
    };`,
    { args: ["-w", "1", "--preread-timeout", "0.3"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  assert.equal(await receive(server, 1), "a");
  using releaser = await proxy.connect();
  await send(releaser, "!");
  assert.equal(await receiveAll(releaser), "released");
  await send(client, "b");
  assert.equal(await receive(server, 1), "b");
  await send(server, "c");
  assert.equal(await receive(client, 1), "c");
});

// --------------------------------------------------------------- other remotes

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
  assert.equal(await receiveAll(server), "abc");
  await send(server, "answer");
  await server.closeWrite();
  assert.equal(await receiveAll(client), "answer");
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
  assert.equal(await receive(refusing, 1), "a");
  await send(client, "bc");
  assert.equal(await receive(refusing, 2), "bc");
  refusing.close();
  using server = await second.accept();
  assert.equal(await receive(server, 3), "abc");
  await send(client, "d");
  await send(server, "x");
  assert.equal(await receive(client, 1), "x");
  await send(client, "e");
  await client.closeWrite();
  assert.equal(await receiveAll(server), "de");
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
  assert.equal(page.length, 28 + 500_000);
  client.close();
  await proxy.access.find(/ out=500028 .*end=router-close/);
});

test("connectError() is called for each remote that fails", async () => {
  const one = new Upstream();
  const two = new Upstream();
  const remotes = [one.remote, two.remote];
  one[Symbol.dispose]();
  await using proxy = await Proxy.start(`const seen = [];
  export default {
    route: () => ({ remote: "${remotes[0]}" }),
    connectError(remote) {
      seen.push(remote);
      return seen.length === 1
        ? { remote: "${remotes[1]}" }
        : { close: seen.join() };
    },
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  (await two.accept()).close();
  two[Symbol.dispose]();
  assert.equal(await receiveAll(client), remotes.join());
});

test("another remote gets the bytes once when inactivityError() names it", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${first.remote}", inactivityTimeout: 0.5 }),
    inactivityError: () => ({ remote: "${second.remote}", inactivityTimeout: 100 }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  using silent = await first.accept();
  await send(client, "b");
  using server = await second.accept();
  assert.equal(await receiveAll(silent), "ab");
  await send(client, "c");
  assert.equal(await receive(server, 3), "abc");
  await send(server, "x");
  assert.equal(await receive(client, 1), "x");
});

test("another remote gets the data and the timeouts of the decision before when it has none", async () => {
  using first = new Upstream();
  using second = new Upstream();
  using third = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({
      remote: "${first.remote}", data: "rewritten", inactivityTimeout: 0.5,
    }),
    connectError: () => ({ remote: "${second.remote}" }),
    inactivityError: (remote) =>
      ({ remote: "${third.remote}", data: "other " + remote }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  const leaving = await first.accept();
  assert.equal(await receive(leaving, 9), "rewritten");
  leaving.close();
  using silent = await second.accept();
  assert.equal(await receiveAll(silent), "rewritten");
  using server = await third.accept();
  const expected = `other ${second.remote}`;
  assert.equal(await receive(server, expected.length), expected);
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
  assert.equal(await receiveAll(client), "");
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
  assert.equal(await receiveAll(client), "inactive");
  client.close();
  await proxy.access.find("end=router-close");
});

// --------------------------------------------------------------------- connect

test("the proxy connects when the remote begins to listen between two tries", async () => {
  // an address of its own, so that nobody else is given the port meanwhile
  const hostname = "127.0.0.2";
  const unused = Deno.listen({ hostname, port: 0 });
  const { port } = unused.addr as Deno.NetAddr;
  unused.close();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${hostname}:${port}" }),
    connectError: () => ({ close: "failed" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  await proxy.log.find(`Retrying connection with ${hostname}:${port} (#2)`);
  using listener = Deno.listen({ hostname, port });
  using server = await listener.accept();
  await send(server, await receive(server, 1));
  server.close();
  assert.equal(await receiveAll(client), "a");
});

test("the proxy gives a try up after connectTimeout", async () => {
  using full = await FullListener.start();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${full.remote}", connectTimeout: 0.05 }),
    connectError: (remote, error) =>
      ({ close: [remote, error.name, error.message].join("|") }),
  };`);
  using client = await proxy.connect();
  const started = performance.now();
  await send(client, "a");
  assert.equal(
    await receiveAll(client),
    `${full.remote}|TimedOut|${full.remote} did not answer within 0.05 seconds`,
  );
  assert.ok(performance.now() - started >= 10 * 100 + 11 * 50);
  await proxy.log.find("Retrying");
});

/** A listener whose queue is full, so that a connect gets no answer. */
class FullListener implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #clients: Deno.TcpConn[] = [];

  static async start(): Promise<FullListener> {
    const full = new FullListener();
    for (;;) {
      const client = await full.#connect();
      if (client === undefined) return full;
      full.#clients.push(client);
    }
  }

  get remote(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #connect(): Promise<Deno.TcpConn | undefined> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 900);
    try {
      return await Deno.connect({
        hostname: "127.0.0.1",
        port: (this.#listener.addr as Deno.NetAddr).port,
        signal: controller.signal,
      });
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
    this.#listener.close();
  }
}

test("the proxy stops connecting when the client resets the connection", async () => {
  using full = await FullListener.start();
  await using proxy = await Proxy.start(`export default () =>
    ({ remote: "${full.remote}", reply: "connecting" });`);
  const client = await Resettable.connect(proxy.port);
  client.send("a");
  assert.equal(await client.receive(), "connecting");
  await client.reset();
  await proxy.access.find(/ in=1 out=10 .*end=client-reset/);
});

test("the proxy connects by name and by IPv6 address", async () => {
  using four = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using six = Deno.listen({ hostname: "::1", port: 0 });
  for (
    const [listener, host] of [[four, "localhost"], [six, "[::1]"]] as const
  ) {
    const { port } = listener.addr as Deno.NetAddr;
    await using proxy = await Proxy.start(to(`${host}:${port}`));
    using client = await proxy.connect();
    await send(client, "a");
    using server = await listener.accept();
    assert.equal(await receive(server, 1), "a");
    client.close();
    server.close();
    await proxy.access.find(`remote=${host}:${port} in=1`);
  }
});

// -------------------------------------------------------------- socket options

test("the proxy keeps both connections alive with probes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote));
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await send(server, "b");
  await receive(client, 1);
  for (const end of [client, server]) {
    // as the proxy sees it: its own end of each connection
    const { port } = end.remoteAddr as Deno.NetAddr;
    const peer = (end.localAddr as Deno.NetAddr).port;
    const { stdout } = await run([
      "ss",
      "-Htno",
      `sport = ${port} and dport = ${peer}`,
    ]);
    assert.match(stdout, /timer:\(keepalive,/);
  }
});

Deno.test({
  name: "the proxy sends small segments at once on both connections",
  ignore: !await canTrace(),
  async fn() {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(to(upstream.remote));
    await using trace = await Trace.start(proxy.pid);
    using client = await proxy.connect();
    await send(client, "a");
    using server = await upstream.accept();
    await send(server, "b");
    await receive(client, 1);
    const calls = await trace.end();
    const fds = new Set(
      [...calls.matchAll(/setsockopt\((\d+), SOL_TCP, TCP_NODELAY, \[1\]/g)]
        .map(([, fd]) => fd),
    );
    assert.equal(fds.size, 2, calls);
  },
});

/** The calls of setsockopt() that a running process makes. */
class Trace implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<string>;

  private constructor(child: Deno.ChildProcess, output: Promise<string>) {
    this.#child = child;
    this.#output = output;
  }

  static async start(pid: number): Promise<Trace> {
    const child = new Deno.Command("strace", {
      args: ["-f", "-e", "trace=setsockopt", "-p", String(pid)],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { promise, resolve } = Promise.withResolvers<void>();
    const output = (async () => {
      let text = "";
      for await (
        const part of child.stderr.pipeThrough(
          new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
        )
      ) {
        text += part;
        if (text.includes("attached")) resolve();
      }
      resolve();
      return text;
    })();
    await promise;
    return new Trace(child, output);
  }

  /** Detaches, and returns the calls. */
  async end(): Promise<string> {
    try {
      this.#child.kill("SIGINT");
    } catch {
      // it has ended
    }
    await this.#child.status;
    return await this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Tells whether strace is there and may trace. */
async function canTrace(): Promise<boolean> {
  try {
    return (await run(["strace", "-e", "trace=none", "true"])).code === 0;
  } catch {
    return false;
  }
}

// -------------------------------------------------------------- several workers

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
  assert.deepEqual(
    ids.sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, index) => index + 1),
  );
  assert.equal(backend.accepted, 500);
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
  assert.ok([...workers].some((worker) => worker !== stuck));
  assert.equal(await receive(busy, 36), stuck);
});

// ------------------------------------------------------------------ properties

/** Pieces in which a client sends its bytes, and whether it pauses after each. */
const cuts = fc.array(
  fc.record({
    length: fc.oneof(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3000 }),
    ),
    pause: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

type Cuts = { length: number; pause: boolean }[];

/** Sends bytes in pieces; the last piece is what the cuts have left. */
async function sendCut(
  socket: Deno.TcpConn,
  bytes: Uint8Array,
  pieces: Cuts,
): Promise<void> {
  socket.setNoDelay(true);
  let at = 0;
  for (const { length, pause } of pieces) {
    if (at >= bytes.length) return;
    await send(socket, bytes.subarray(at, at + length));
    at += length;
    if (pause) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      await setImmediate();
    }
  }
  await send(socket, bytes.subarray(at));
}

const latin1 = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

test("both sides receive the same however the client's bytes are cut", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(dialogue(upstream.remote));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-f]{0,40}$/), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 6000, size: "max" }),
      cuts,
      async (lines, payload, pieces) => {
        const greeting = lines.map((line) => `${line}\n`).join("");
        const tail = `go\n${text(payload)}`;
        using client = await proxy.connect();
        const sending = sendCut(client, latin1(greeting + tail), pieces)
          .then(() => client.closeWrite());
        using server = await upstream.accept();
        assert.equal(await receiveAll(server), tail);
        await sending;
        await send(server, payload);
        await server.closeWrite();
        assert.equal(
          await receiveAll(client),
          `${greeting}going\n${text(payload)}`,
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("another remote receives the same however the client's bytes are cut and the first fails", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: (data) => data.length < 4
      ? undefined
      : { remote: "${first.remote}", inactivityTimeout: 100 },
    connectError: () => ({ remote: "${second.remote}" }),
  };`);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 4, maxLength: 20_000, size: "max" }),
      fc.nat(),
      cuts,
      async (payload, after, pieces) => {
        using client = await proxy.connect();
        const sending = sendCut(client, payload, pieces);
        const failing = await first.accept();
        await receive(failing, after % payload.length);
        failing.close();
        using server = await second.accept();
        assert.equal(await receive(server, payload.length), text(payload));
        await sending;
        await send(server, "done");
        assert.equal(await receive(client, 4), "done");
        await client.closeWrite();
        assert.equal(await receiveAll(server), "", "nothing came twice");
      },
    ),
    { numRuns: 40 },
  );
});
