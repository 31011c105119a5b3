/**
 * Before the decision: dialogues, `accept`, async hooks and the `timeout` hook.
 */
import { assertEquals } from "@std/assert";
import { Proxy } from "../support/proxy.ts";
import { dialogue } from "../support/routers.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

test("the proxy answers and goes on routing when the router says { reply, consume }", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(dialogue(upstream.remote));
  using client = await proxy.connect();
  for (const line of ["one\n", "two\n", `${"x".repeat(5000)}\n`]) {
    await send(client, line);
    assertEquals(await receive(client, line.length), line);
  }
  await send(client, "go\nrest");
  assertEquals(await receive(client, 6), "going\n");
  using server = await upstream.accept();
  assertEquals(await receive(server, 7), "go\nrest");
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
    assertEquals(await receive(client, answers.length), answers);
    using server = await upstream.accept();
    assertEquals(await receive(server, 7), "go\nrest");
  });
}

test("the proxy calls the router when more has come, not again, when a reply consumes nothing", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => ({ reply: data.length + "," });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receive(client, 2), "1,");
  await send(client, "b");
  assertEquals(await receive(client, 2), "2,");
});

test("the proxy connects before any byte when accept() names a remote", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, "220 ready\n");
    await send(socket, `you said ${await receive(socket, 3)}`);
  });
  await using proxy = await Proxy.start(`export default {
    accept: (client) => ({ remote: "${backend.remote}" }),
  };`);
  using client = await proxy.connect();
  assertEquals(await receive(client, 10), "220 ready\n");
  await send(client, "hey");
  assertEquals(await receiveAll(client), "you said hey");
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
    assertEquals(JSON.parse(got), about);
    await send(client, "a");
    assertEquals(await receiveAll(client), `id ${id}`);
  }
});

test("the proxy reads bytes and calls route() when accept() says nothing", async () => {
  await using proxy = await Proxy.start(`export default {
    accept() {},
    route: (data) => ({ close: data.bytes }),
  };`);
  using client = await proxy.connect();
  await send(client, "abc");
  assertEquals(await receiveAll(client), "abc");
});

test("the proxy closes when accept() says so", async () => {
  await using proxy = await Proxy.start(
    `export default { accept: () => ({ close: "no" }) };`,
  );
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "no");
});

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
  assertEquals(await receiveAll(witness), "asked");
  await send(client, "b");
  await send(client, "c".repeat(10_000));
  using releaser = await proxy.connect();
  await send(releaser, "!");
  assertEquals(await receive(client, 3), "1 a");
  using server = await upstream.accept();
  assertEquals(await receive(server, 10_002), `ab${"c".repeat(10_000)}`);
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
  assertEquals(await receive(server, 9), "earlylate");
});

test("the remote gets all bytes in order when the timeout hook names it", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default {
      route() {},
      timeout: (data) => ({ remote: "${upstream.remote}", reply: data.text }),
    };`,
    { args: ["-w", "1", "--preread-timeout", "2"] },
  );
  using client = await proxy.connect();
  await send(client, "ab");
  assertEquals(await receive(client, 2), "ab");
  await send(client, "cd");
  using server = await upstream.accept();
  assertEquals(await receive(server, 4), "abcd");
  await send(client, "ef");
  await client.closeWrite();
  assertEquals(await receiveAll(server), "ef");
  await send(server, "answer");
  server.close();
  assertEquals(await receiveAll(client), "answer");
});

test("the remote gets all bytes in order when they come while the timeout hook is pending", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    slowTimeoutHook(upstream.remote, ""),
    { args: ["-w", "1", "--preread-timeout", "2"] },
  );
  using client = await sendDuringTimeoutHook(proxy);
  using server = await upstream.accept();
  await send(client, "c");
  assertEquals(await receive(server, 3), "abc");
});

test("another remote gets all bytes, too, when they came while the timeout hook was pending", async () => {
  using first = new Upstream();
  using second = new Upstream();
  await using proxy = await Proxy.start(
    slowTimeoutHook(
      first.remote,
      `connectError: () => ({ remote: "${second.remote}" }),`,
    ),
    { args: ["-w", "1", "--preread-timeout", "2"] },
  );
  using client = await sendDuringTimeoutHook(proxy);
  const refusing = await first.accept();
  assertEquals(await receive(refusing, 2), "ab");
  refusing.close();
  using server = await second.accept();
  await send(client, "c");
  assertEquals(await receive(server, 3), "abc");
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
    { args: ["-w", "1", "--preread-timeout", "2"] },
  );
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  assertEquals(await receive(server, 1), "a");
  using releaser = await proxy.connect();
  await send(releaser, "!");
  assertEquals(await receiveAll(releaser), "released");
  await send(client, "b");
  assertEquals(await receive(server, 1), "b");
  await send(server, "c");
  assertEquals(await receive(client, 1), "c");
});
