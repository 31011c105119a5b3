/**
 * What one call of `route` sees: all that has come by then, 16 KiB of it at
 * least.
 */
import { assert, assertEquals } from "@std/assert";
import { delay } from "../support/delay.ts";
import { Proxy } from "../support/proxy.ts";
import { Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** Keeps what each call has seen, and answers when the last byte is a dot. */
const SEEN = `const seen = new WeakMap();
export default (data, client) => {
  const lengths = seen.get(client) ?? [];
  seen.set(client, lengths);
  lengths.push(data.length);
  return data.bytes.at(-1) === 46 ? { close: JSON.stringify(lengths) } : undefined;
};`;

/** Sends so many bytes at once, and waits until the kernel of the proxy has all. */
async function lengths(
  proxy: Proxy,
  length: number,
  ...parts: readonly string[]
): Promise<number[]> {
  const text = `${parts.join("")}${"x".repeat(length - 1)}.`;
  // nothing is read meanwhile
  await proxy.suspend();
  using client = await proxy.connect();
  await send(client, text);
  proxy.kill("SIGCONT");
  return JSON.parse(await receiveAll(client));
}

for (const length of [1, 2047, 2048, 2049, 3000, 4096, 10_000, 16_384]) {
  test(`the first call of route() sees all of ${length} bytes that came at once`, async () => {
    await using proxy = await Proxy.start(SEEN);
    assertEquals(await lengths(proxy, length), [length]);
  });
}

test("the first call of route() sees 16 KiB of what came at once, the next ones what a read gives", async () => {
  await using proxy = await Proxy.start(SEEN);
  assertEquals(await lengths(proxy, 20_000), [16_384, 20_000]);
  assertEquals(await lengths(proxy, 60_000), [16_384, 32_768, 60_000]);
});

test("the first call of route() sees all that came with a PROXY header", async () => {
  await using proxy = await Proxy.start(SEEN, {
    args: ["-w", "1", "--accept-proxy"],
  });
  const header = "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n";
  assertEquals(await lengths(proxy, 3000, header), [3000]);
  assertEquals(await lengths(proxy, 2048 - header.length, header), [
    2048 - header.length,
  ]);
});

test("no call of route() sees more than --max-preread bytes", async () => {
  await using proxy = await Proxy.start(
    `export default (data) =>
      data.length >= 5000 ? { close: String(data.length) } : undefined;`,
    { args: ["-w", "1", "--max-preread", "5000"] },
  );
  await proxy.suspend();
  using client = await proxy.connect();
  await send(client, "x".repeat(9000));
  proxy.kill("SIGCONT");
  assertEquals(await receiveAll(client), "5000");
});

test("bytes stay whole when a read is pending while the router is asked", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    async route(data) {
      // exactly what fills the buffer, so that the proxy has to wait for more
      if (data.length === 2048) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return data.startsWith("a") ? { remote: "${upstream.remote}" } : { reply: "?", consume: 2000 };
      }
      return data.length >= 2048 || data.text.endsWith("!")
        ? { remote: "${upstream.remote}" }
        : undefined;
    },
  };`);
  // decided while the read is pending
  const text = `a${"x".repeat(2046)}b`;
  for (let turn = 0; turn < 3; turn++) {
    using client = await proxy.connect();
    await send(client, text);
    await delay(100);
    await send(client, "more");
    using server = await upstream.accept();
    await send(client, "end");
    await client.closeWrite();
    assertEquals(await receiveAll(server), `${text}moreend`);
  }
  // a dialogue goes on while the read is pending
  const long = `c${"x".repeat(2046)}d`;
  using client = await proxy.connect();
  await send(client, long);
  await delay(100);
  await send(client, "more!");
  assertEquals(await receive(client, 1), "?");
  using server = await upstream.accept();
  await client.closeWrite();
  assertEquals(await receiveAll(server), `${long.slice(2000)}more!`);
});

test("a client that fills the buffer and ends is asked for, and then has left", async () => {
  await using proxy = await Proxy.start(`export default {
    route: () => undefined,
    timeout: (data) => ({ close: String(data.length) }),
  };`);
  using client = await proxy.connect();
  await send(client, "x".repeat(2048));
  await client.closeWrite();
  assertEquals(await receiveAll(client), "2048");
});

test("clients that have filled the buffer and wait cost no more than twice that", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => data.length >= 2048 ? { reply: "." } : undefined;`,
  );
  const clients: Deno.TcpConn[] = [];
  const join = async () => {
    const client = await proxy.connect();
    await send(client, "x".repeat(2048));
    assertEquals(await receive(client, 1), ".");
    clients.push(client);
  };
  try {
    for (let i = 0; i < 50; i++) await join();
    const before = await proxy.memory();
    for (let i = 0; i < 20; i++) {
      await Promise.all(Array.from({ length: 50 }, join));
    }
    const growth = await proxy.memory() - before;
    assert(growth < 30_000_000, `${growth} bytes for 1000 clients`);
  } finally {
    for (const client of clients) client.close();
  }
});
