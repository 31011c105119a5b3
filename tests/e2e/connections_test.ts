/**
 * Whole connections: much data, slow peers, and bytes cut in any way.
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { dialogue, routerTo } from "../support/routers.ts";
import { Upstream } from "../support/servers.ts";
import {
  type Digest,
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

const MB = 1_000_000;

test("the proxy passes 100 MB each way at the same time unchanged", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  using client = await proxy.connect();
  const sending = exchange(client);
  using server = await upstream.accept();
  const [there, back] = await Promise.all([sending, exchange(server)]);
  assertEquals(back.received, there.sent);
  assertEquals(there.received, back.sent);
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
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  await warmUp(proxy, upstream);

  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await expectBackpressure(proxy, server, client);
});

test("the proxy holds no more than its buffers when the remote reads slowly", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
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
  assert(pushed < 60 * MB, `${pushed} bytes were taken`);
  assert(growth < 30 * MB, `memory grew by ${growth} bytes`);

  stop = true;
  const { length } = await receiveBulk(to);
  await pushing;
  assertStrictEquals(length, pushed);
}

/** Waits until a number has not changed for a second. */
async function stalled(value: () => number): Promise<void> {
  for (let last = -1; last !== value();) {
    last = value();
    await delay(1000);
  }
}

// properties

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
      await delay(0);
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
        assertEquals(await receiveAll(server), tail);
        await sending;
        await send(server, payload);
        await server.closeWrite();
        assertEquals(
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
        assertEquals(await receive(server, payload.length), text(payload));
        await sending;
        await send(server, "done");
        assertEquals(await receive(client, 4), "done");
        await client.closeWrite();
        assertEquals(await receiveAll(server), "", "nothing came twice");
      },
    ),
    { numRuns: 40 },
  );
});
