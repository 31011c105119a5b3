/**
 * What the original did: its own tests, with its own cases.
 */
import { assert, assertEquals } from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

/** Answers each chunk with its name and the chunk, as the original's did. */
function echo(name: string): Backend {
  return new Backend(async (socket) => {
    const buffer = new Uint8Array(4096);
    for (;;) {
      const count = await socket.read(buffer);
      if (count === null) return;
      await send(socket, `${name}:`);
      await send(socket, buffer.subarray(0, count));
      await socket.closeWrite();
    }
  });
}

/** Reads to the end; the bytes, and how long it took in milliseconds. */
async function timed(
  client: Deno.TcpConn,
  request: string,
): Promise<{ answer: string; milliseconds: number }> {
  const started = performance.now();
  await send(client, request);
  const answer = await receiveAll(client);
  return { answer, milliseconds: performance.now() - started };
}

test("the proxy routes to two backends when the data says so", async () => {
  await using one = echo("one");
  await using two = echo("two");
  await using proxy = await Proxy.start(`export default (data) => {
    if (data.text === "a") return { remote: "${one.remote}" };
    if (data.text === "b") return { remote: "${two.remote}" };
    return { close: true };
  };`);
  for (const [request, answer] of [["a", "one:a"], ["b", "two:b"]] as const) {
    using client = await proxy.connect();
    await send(client, request);
    assertEquals(await receiveAll(client), answer);
  }
  await proxy.access.find(
    new RegExp(`remote=${one.remote} in=1 out=5 .*end=`),
  );
  await proxy.access.find(
    new RegExp(`remote=${two.remote} in=1 out=5 .*end=`),
  );
});

test("the proxy closes without data when the router says { close: true }", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ close: true });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "");
  await proxy.access.find("remote=- in=1 out=0");
  await proxy.access.find("end=router-close");
});

test("the proxy closes after sending data when the router says { close: data }", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ close: "no\\u00e9\\n" });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), "no\xc3\xa9\n");
  client.close();
  await proxy.access.find(/ in=1 out=5 .*end=router-close/);
});

test("the proxy sends rewritten data when the router gives some", async () => {
  await using backend = echo("one");
  await using proxy = await Proxy.start(
    `import { latin1 } from "proxymachine";
  export default (data) => data.text === "text"
    ? { remote: "${backend.remote}", data: "ccc" }
    : { remote: "${backend.remote}", data: latin1("\\xff\\0") };`,
  );
  for (const [request, answer] of [["text", "ccc"], ["bytes", "\xff\0"]]) {
    using client = await proxy.connect();
    await send(client, request as string);
    assertEquals(await receiveAll(client), `one:${answer}`);
  }
});

test("the proxy sends reply before what the backend answers to data", async () => {
  await using backend = echo("one");
  await using proxy = await Proxy.start(`export default () => ({
    remote: "${backend.remote}", data: "g2", reply: "g3-",
  });`);
  using client = await proxy.connect();
  await send(client, "g");
  assertEquals(await receiveAll(client), "g3-one:g2");
});

test("the proxy sends reply before it connects", async () => {
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${REFUSING}", reply: "wait" }),
  };`);
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receive(client, 4), "wait");
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(/ in=1 out=4 .*end=connect-failed/);
});

test("the proxy waits for a 2,049th byte when the router says noop", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default (data) => {
    if (data.length < 2049) return { noop: true };
    return { remote: "${upstream.remote}", reply: String(data.length) };
  };`);
  using client = await proxy.connect();
  await send(client, "e".repeat(2048));
  await send(client, "f");
  assertEquals(await receive(client, 4), "2049");
  using server = await upstream.accept();
  assertEquals(await receive(server, 2049), "e".repeat(2048) + "f");
});

test("the proxy calls connectError() once when all retries were refused", async () => {
  await using proxy = await Proxy.start(`let calls = 0;
  export default {
    route: () => ({ remote: "${REFUSING}" }),
    connectError(remote, error, client) {
      calls++;
      return { close: [calls, remote, error instanceof Error, client.id].join() };
    },
  };`);
  using client = await proxy.connect();
  const { answer, milliseconds } = await timed(client, "h");
  assertEquals(answer, `1,${REFUSING},true,1`);
  assert(milliseconds >= 1000, `10 retries took ${milliseconds} ms`);
  await proxy.log.find(`Connect ${REFUSING} failed after 10 retries`);
  const retries = proxy.log.all.filter((line) => line.includes("Retrying"));
  assertEquals(
    retries.map((line) => /#(\d+)/.exec(line)?.[1]),
    ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
  );
});

test("the proxy closes when a remote refuses and there is no connectError()", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${REFUSING}" });`,
  );
  using client = await proxy.connect();
  const { answer } = await timed(client, "h");
  assertEquals(answer, "");
  await proxy.access.find(`remote=${REFUSING} in=1 out=0`);
  await proxy.access.find("end=connect-failed");
});

test("the proxy calls inactivityError() once, and not before its time, when no byte comes", async () => {
  await using backend = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  await using proxy = await Proxy.start(`let calls = 0;
  export default {
    route: () => ({ remote: "${backend.remote}", inactivityTimeout: 1 }),
    inactivityError(remote, client) {
      calls++;
      return { close: [calls, remote, client.id].join() };
    },
    connectError() { calls += 100; },
  };`);
  using client = await proxy.connect();
  const { answer, milliseconds } = await timed(client, "i");
  assertEquals(answer, `1,${backend.remote},1`);
  assert(milliseconds >= 1000, `${milliseconds} ms`);
  await proxy.log.find("inactivityTimeout: current value is 1 seconds");
});

test("the proxy closes when no byte comes and there is no inactivityError()", async () => {
  await using backend = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${backend.remote}", inactivityTimeout: 0.2 });`,
  );
  using client = await proxy.connect();
  const { answer } = await timed(client, "i");
  assertEquals(answer, "");
  await proxy.access.find("end=inactivity-timeout");
});

test("the proxy calls no hook when a byte came within inactivityTimeout", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${upstream.remote}", inactivityTimeout: 5 }),
    inactivityError: () => ({ close: "inactive" }),
  };`);
  using client = await proxy.connect();
  await send(client, "i");
  using server = await upstream.accept();
  await send(server, "x");
  assertEquals(await receive(client, 1), "x");
  await delay(5300);
  await send(server, "y");
  assertEquals(await receive(client, 1), "y");
});

/** Routes to a remote; "?" asks how often the hooks were called. */
function counting(decision: string): string {
  return `let calls = 0;
  export default {
    route: (data) => data.text === "?"
      ? { close: String(calls) }
      : ${decision},
    connectError() { calls++; },
    inactivityError() { calls++; },
  };`;
}

async function hookCalls(proxy: Proxy): Promise<string> {
  using client = await proxy.connect();
  await send(client, "?");
  return await receiveAll(client);
}

test("the proxy asks connectError() for a client that has ended its side, as it may still read", async () => {
  await using proxy = await Proxy.start(
    counting(`{ remote: "${REFUSING}" }`),
  );
  const client = await proxy.connect();
  await send(client, "h");
  client.close();
  await proxy.log.find("Retrying");
  await proxy.access.find("end=connect-failed");
  assertEquals(await hookCalls(proxy), "1");
});

test("the proxy calls no hook when the client leaves and the remote sends nothing", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    counting(`{ remote: "${upstream.remote}", inactivityTimeout: 1.5 }`),
    { args: ["-w", "1", "--half-close-timeout", "3"] },
  );
  const client = await proxy.connect();
  await send(client, "i");
  client.close();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), "i");
  await proxy.access.find("end=half-close-timeout");
  assertEquals(await hookCalls(proxy), "0");
});

test("the proxy calls no hook when the client leaves and the remote closes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    counting(`{ remote: "${upstream.remote}", inactivityTimeout: 10 }`),
  );
  const client = await proxy.connect();
  await send(client, "i");
  const server = await upstream.accept();
  client.close();
  assertEquals(await receiveAll(server), "i");
  server.close();
  await proxy.access.find("end=done");
  assertEquals(await hookCalls(proxy), "0");
});
