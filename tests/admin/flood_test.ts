import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MAX_ADMIN_CONNECTIONS } from "../../src/options/admin.ts";
import { need, run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receive, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

/** Answers what it is sent, and keeps the connection. */
function echo(): Backend {
  return new Backend(async (socket) => {
    await socket.readable.pipeTo(socket.writable);
  });
}

test("thousands of connections that send a byte now and then keep nobody from the admin server, and hold no stop", async () => {
  await using backend = echo();
  await using running = await startAdmin(
    `export default { route: () => ({ remote: "${backend.remote}" }) };`,
    { setup: "ulimit -n 512" },
  );
  const { proxy, admin } = running;
  const { hostname, port } = new URL(admin);
  const open = new Set<Deno.TcpConn>();
  const ends: Promise<void>[] = [];
  const drip = (socket: Deno.TcpConn, text: string) =>
    // it may have been closed for another one
    send(socket, text).catch(() => {});
  const flood = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const socket = await Deno.connect({ hostname, port: Number(port) });
      open.add(socket);
      await drip(socket, "G");
      ends.push((async () => {
        try {
          while (await socket.read(new Uint8Array(99)) !== null);
        } catch {
          // it was reset, as nobody read its bytes
        }
        open.delete(socket);
        socket[Symbol.dispose]();
      })());
    }
  };
  const before = proxy.descriptors;
  for (let round = 0; round < 4; round++) {
    await flood(500);
    for (const socket of open) await drip(socket, "E");
    // what others need is there, while the last of them are open
    assertEquals((await running.get("/readyz")).status, "ok");
    assertEquals((await running.get("/api/status")).state, "serving");
    assert(proxy.descriptors <= before + MAX_ADMIN_CONNECTIONS + 8);
    using client = await proxy.connect();
    await send(client, "hello");
    assertEquals(await receive(client, 5), "hello");
  }
  assertNotEquals(open.size, 0);
  proxy.kill("SIGTERM");
  const { code } = await proxy.status;
  assertEquals(code, 0);
  await Promise.all(ends);
});

test("the admin server outlives a want of file descriptors", async () => {
  await using running = await startAdmin(
    `export default { route: () => ({ close: "bye" }) };`,
  );
  const { proxy, admin } = running;
  const limit = (descriptors: string) =>
    run([
      need("prlimit", "util-linux"),
      `--pid=${proxy.pid}`,
      `--nofile=${descriptors}:`,
    ]);
  const { hostname, port } = new URL(admin);
  assertEquals((await limit("3")).code, 0);
  using waiting = await Deno.connect({ hostname, port: Number(port) });
  await send(waiting, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  using client = await proxy.connect();
  await send(client, "hello");
  await proxy.log.find("Out of file descriptors");
  assertEquals((await limit("1000")).code, 0);
  assertEquals(await receive(waiting, 12), "HTTP/1.1 200");
  assertEquals(await receive(client, 3), "bye");
  await until(
    () => running.get("/api/status"),
    ({ ended }) => ended["router-close"] === 1,
  );
});
