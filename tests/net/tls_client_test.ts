/**
 * TLS to a remote.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { Backend, Upstream } from "../support/servers.ts";
import {
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Authority, OpensslServer } from "../support/tls.ts";

/** A router with TLS to one remote; an error is the client's answer. */
function to(remote: string, tls: unknown, more = ""): string {
  return `export default {
    route: () => ({ remote: "${remote}", tls: ${
    JSON.stringify(tls)
  }, ${more} }),
    connectError: (remote, error) => ({ close: error.name + ": " + error.message }),
  };`;
}

test("the proxy speaks TLS with a remote whose certificate is right", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example,IP:127.0.0.1" });
  await using server = await OpensslServer.start(issued);
  const ca = authority.pem;
  // by the address of the remote, and by a name
  for (const tls of [{ ca }, { ca: [ca, ca], serverName: "a.example" }]) {
    await using proxy = await Proxy.start(to(server.remote, tls));
    using client = await proxy.connect();
    await send(client, "hello\n");
    assertEquals(await receive(client, 6), "olleh\n");
  }
});

test("the proxy offers a remote the protocols of alpn", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "IP:127.0.0.1" });
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    alpnProtocols: ["one", "two"],
    cert: await Deno.readTextFile(issued.cert),
    key: await Deno.readTextFile(issued.key),
  });
  const { port } = listener.addr as Deno.NetAddr;
  const tls = { ca: authority.pem, alpn: ["three", "two"] };
  await using proxy = await Proxy.start(to(`127.0.0.1:${port}`, tls));
  using client = await proxy.connect();
  await send(client, "a");
  using server = await listener.accept();
  assertEquals((await server.handshake()).alpnProtocol, "two");
  assertEquals(await receive(server, 1), "a");
});

test("the proxy connects to no remote whose certificate is wrong, and tries once", async () => {
  await using authority = await Authority.make();
  await using other = await Authority.make();
  const names = "DNS:a.example,IP:127.0.0.1";
  const good = await authority.issue({ names });
  const ca = authority.pem;
  const cases = [
    [await authority.issue({ names, time: "expired" }), { ca }, /[Ee]xpired/],
    [await other.issue({ names }), { ca }, /UnknownIssuer/],
    [good, true, /UnknownIssuer/],
    [good, { ca, serverName: "b.example" }, /not valid for name "b\.example"/],
    [await authority.issue({ names: "DNS:a.example" }), { ca }, /127\.0\.0\.1/],
    [good, { ca, alpn: "three" }, /NoApplicationProtocol/],
  ] as const;
  for (const [issued, tls, reason] of cases) {
    await using server = await OpensslServer.start(issued, "-alpn", "one");
    await using proxy = await Proxy.start(to(server.remote, tls));
    const client = await proxy.connect();
    await send(client, "hello\n");
    const answer = await receiveAll(client);
    assertMatch(answer, /^TlsError: the TLS handshake failed: /);
    assertMatch(answer, reason);
    const line = await proxy.log.find(`Connect ${server.remote} failed: `);
    assertMatch(line, reason);
    assertEquals(proxy.log.all.filter((one) => /Retrying/.test(one)), []);
    client.close();
    await proxy.access.find("end=router-close");
  }
});

test("the proxy connects to no remote that does not speak TLS", async () => {
  const answers = [
    ["HTTP/1.1 400 Bad Request\r\n\r\n", /InvalidContentType|corrupt/],
    ["", /end of file/],
  ] as const;
  for (const [answer, reason] of answers) {
    await using backend = new Backend(async (socket) => {
      await receive(socket, 5);
      await send(socket, answer);
      await socket.closeWrite();
      await receiveAll(socket); // no reset before it has read the answer
    });
    await using proxy = await Proxy.start(to(backend.remote, true));
    using client = await proxy.connect();
    await send(client, "hello\n");
    assertMatch(await receiveAll(client), reason);
    assertEquals(backend.accepted, 1);
  }
});

test("a remote with TLS that refuses is tried again", async () => {
  await using proxy = await Proxy.start(
    to(REFUSING, true),
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertMatch(await receiveAll(client), /^ConnectionRefused/);
  await proxy.log.find("(#10)");
});

test("bytes cross TLS whole, each way, with half-closes and a slow reader", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(issued.cert),
    key: await Deno.readTextFile(issued.key),
  });
  const { port } = listener.addr as Deno.NetAddr;
  const tls = { ca: authority.pem, serverName: "a.example" };
  await using proxy = await Proxy.start(to(`127.0.0.1:${port}`, tls));
  using client = await proxy.connect();
  const size = 40_000_000;
  // nobody reads before the first megabytes have filled all buffers
  const upload = sendBulk(client, size).then(async (digest) => {
    await client.closeWrite();
    return digest;
  });
  using server = await listener.accept();
  const download = sendBulk(server, size);
  const [received, answered] = await Promise.all([
    receiveBulk(server),
    receiveAtLeast(client, size),
  ]);
  assertEquals(received, await upload);
  assertEquals(answered, (await download).length);
  // the client's half has ended; the remote's goes on
  await send(server, "the end");
  await server.closeWrite();
  assertEquals(await receiveAll(client), "the end");
  await proxy.access.find("end=done");
});

/** Reads so many bytes. */
async function receiveAtLeast(
  socket: Deno.Conn,
  length: number,
): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let at = 0;
  while (at < length) {
    at += await socket.read(buffer.subarray(0, length - at)) ?? NaN;
  }
  return at;
}

test("a remote that ends without close_notify has ended", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "IP:127.0.0.1" });
  await using server = await OpensslServer.start(issued);
  // cuts the connection of the remote by an EOF
  const cut = Promise.withResolvers<void>();
  await using relay = new Backend(async (socket) => {
    const [hostname = "", port] = server.remote.split(":");
    using upstream = await Deno.connect({ hostname, port: Number(port) });
    void copy(socket, upstream);
    void copy(upstream, socket);
    await cut.promise;
  });
  await using proxy = await Proxy.start(
    to(relay.remote, { ca: authority.pem }),
  );
  using client = await proxy.connect();
  await send(client, "hello\n");
  assertEquals(await receive(client, 6), "olleh\n");
  cut.resolve();
  assertEquals(await receiveAll(client), "");
  await client.closeWrite();
  await proxy.access.find("end=done");
});

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  try {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return;
      await send(to, buffer.subarray(0, count));
    }
  } catch {
    // the test has closed one of them
  }
}

test("a remote that does not answer is given up after connectTimeout, and keeps no more than some descriptors", async () => {
  let hangUp = Promise.withResolvers<void>();
  await using backend = new Backend(() => hangUp.promise);
  await using proxy = await Proxy.start(
    to(backend.remote, true, "connectTimeout: 0.3"),
  );
  const before = proxy.descriptors;
  const ask = async (): Promise<string> => {
    using client = await proxy.connect();
    await send(client, "a");
    return await receiveAll(client);
  };
  const answers = await Promise.all(Array.from({ length: 64 }, ask));
  for (const answer of answers) {
    assertMatch(answer, /^TlsError: .* it took over 0\.3 seconds$/);
  }
  assertMatch(await ask(), /64 others with 127\.0\.0\.1:\d+ are not answered/);
  hangUp.resolve();
  hangUp = Promise.withResolvers();
  let answer = "";
  while (!answer.includes("took over")) answer = await ask();
  hangUp.resolve();
  await proxy.hasDescriptors(before);
});

test("a handshake is given up when the client resets the connection", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(to(upstream.remote, true));
  const client = await Resettable.connect(proxy.port);
  client.send("a");
  using socket = await upstream.accept();
  await receive(socket, 5);
  await client.reset();
  await proxy.access.find("end=client-reset");
});
