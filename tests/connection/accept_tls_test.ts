/**
 * TLS that ends at the proxy.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import net from "node:net";
import tls from "node:tls";
import { Lines } from "../support/lines.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { Backend, Upstream } from "../support/servers.ts";
import {
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Authority, type Issued } from "../support/tls.ts";

/** Says what it is told, and how. */
const SAY = `export default (data, client) => data.text.endsWith("\\n")
  ? { close: JSON.stringify([data.text, client.tls]) + "\\n" } : undefined;`;

/** Starts the program with a listener that speaks TLS. */
function start(
  router: string,
  pairs: readonly Issued[],
  args: readonly string[] = [],
  options: ProxyOptions = {},
): Promise<Proxy> {
  const files = pairs.flatMap(({ cert, key }) => [
    ...["--tls-cert", cert, "--tls-key", key],
  ]);
  return Proxy.start(router, {
    ...options,
    args: ["-w", "1", ...files, ...args],
  });
}

/** Sends a line by `openssl s_client`, and gives what comes back. */
async function ask(
  port: number,
  { file }: Authority,
  ...args: readonly string[]
): Promise<{ answer: string; errors: string }> {
  const { stdout, stderr } = await run([
    need("openssl", "openssl"),
    ...["s_client", "-connect", `127.0.0.1:${port}`, "-quiet"],
    ...["-verify_return_error", "-CAfile", file, ...args],
  ], "hello\n");
  return { answer: stdout, errors: stderr };
}

/** Connects by the runtime's own TLS. */
async function connect(
  port: number,
  { pem }: Authority,
  hostname = "a.example",
): Promise<Deno.TlsConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  return await Deno.startTls(conn, { hostname, caCerts: [pem] });
}

test("clients are routed by what they send, and by what TLS tells", async () => {
  await using authority = await Authority.make();
  const ec = await authority.issue({ names: "DNS:a.example" });
  const rsa = await authority.issue({
    names: "DNS:b.example,DNS:*.b.example",
    key: "rsa",
  });
  const star = await authority.issue({ names: "DNS:x.b.example" });
  const alpn = ["--alpn", "h2,http/1.1"];
  await using proxy = await start(SAY, [ec, rsa, star], alpn);
  const cases = [
    ["a.example", "-tls1_3", "http/1.1,h2", "h2", ec],
    ["A.example", "-tls1_2", "http/1.1", "http/1.1", ec],
    ["b.example", "-tls1_2", "h2", "h2", rsa],
    ["c.b.example", "-tls1_3", "h2", "h2", rsa],
    ["x.b.example", "-tls1_3", "h2", "h2", star],
    ["other.example", "-tls1_3", "h2", "h2", ec],
    [undefined, "-tls1_3", undefined, undefined, ec],
  ] as const;
  for (const [name, version, offered, agreed, issued] of cases) {
    const { answer, errors } = await ask(
      proxy.port,
      authority,
      ...name === undefined ? ["-noservername"] : ["-servername", name],
      ...offered === undefined ? [] : ["-alpn", offered],
      version,
    );
    assertEquals(
      answer,
      `${
        JSON.stringify(["hello\n", {
          serverName: name?.toLowerCase(),
          alpn: agreed,
          version: version === "-tls1_2" ? "TLSv1.2" : "TLSv1.3",
        }])
      }\n`,
      errors,
    );
    const shown = await run([
      ...[need("openssl", "openssl"), "s_client", "-showcerts"],
      ...["-connect", `127.0.0.1:${proxy.port}`],
      ...name === undefined ? ["-noservername"] : ["-servername", name],
    ]);
    const pem = await Deno.readTextFile(issued.cert);
    assert(shown.stdout.includes(pem.trim()), `${name}: ${shown.stdout}`);
  }
  // only plain bytes are counted
  const line = await proxy.access.find("end=router-close");
  assertMatch(line, / in=6 out=\d\d /);
});

test("a client that dislikes the certificate costs one line", async () => {
  await using authority = await Authority.make();
  const names = "DNS:a.example";
  const expired = await authority.issue({ names, time: "expired" });
  await using proxy = await start(SAY, [expired]);
  assertMatch(proxy.log.all.join("\n"), /certificate \S+ has expired on/);
  const { answer, errors } = await ask(proxy.port, authority);
  assertEquals(answer, "");
  assertMatch(errors, /certificate has expired/);
  await proxy.log.find(
    /warn Cannot accept TLS from 127\.0\.0\.1:\d+ as the handshake failed: received fatal alert: CertificateExpired$/,
  );
  await proxy.access.find("end=tls-failed");
});

test("curl gets an answer by the right name only", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  const router = `export default (data) => data.text.endsWith("\\r\\n\\r\\n")
    ? { close: "HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n" }
    : undefined;`;
  await using proxy = await start(router, [issued], ["--alpn", "http/1.1"]);
  const curl = (host: string, ...args: readonly string[]) =>
    run([
      ...[need("curl", "curl"), "-sS", "--cacert", authority.file],
      ...["--resolve", `${host}:${proxy.port}:127.0.0.1`, ...args],
      `https://${host}:${proxy.port}/`,
    ]);
  assertEquals((await curl("a.example")).stdout, "hello\n");
  const wrong = await curl("b.example");
  assertEquals(wrong.code, 60, wrong.stderr);
  // the first of the client's protocols that there is
  const other = await curl("a.example", "--http2", "--no-alpn");
  assertEquals(other.stdout, "hello\n");
});

test("a client with which no protocol is in common gets the alert of that", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using proxy = await start(SAY, [issued], ["--alpn", "h2"]);
  const { errors } = await ask(proxy.port, authority, "-alpn", "h3");
  assertMatch(errors, /no application protocol/);
  await proxy.log.find(
    "handshake failed: peer doesn't support any known protocol",
  );
  await proxy.access.find("end=tls-failed");
  // who offers none is not asked for one
  assertMatch((await ask(proxy.port, authority)).answer, /^\["hello/);
});

test("clients that do not speak TLS are refused in one line each, and leave nothing", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using proxy = await start(SAY, [issued]);
  const refuse = async (text: string): Promise<void> => {
    using client = await proxy.connect();
    await send(client, text);
    assert((await receiveAll(client)).startsWith("\x15\x03")); // an alert
  };
  await refuse("GET / HTTP/1.1\r\n\r\n");
  await proxy.log.find(
    "handshake failed: it must begin with a TLS hello: received corrupt message of type InvalidContentType",
  );
  const before = proxy.descriptors;
  await Promise.all(Array.from({ length: 99 }, () => refuse("SSH-2.0-x\r\n")));
  await proxy.access.findAll("end=tls-failed", 100);
  await proxy.hasDescriptors(before);
  // a proper one is served as before
  assertMatch((await ask(proxy.port, authority)).answer, /^\["hello/);
  const lines = await proxy.log.findAll("handshake failed", 100);
  assertEquals(lines.length, 100);
});

test("a handshake that is not done in time, or left, is one line", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  const timeout = ["--preread-timeout", "2"];
  await using proxy = await start(SAY, [issued], timeout);
  // nothing, the beginning of a hello, and one that claims to be too long
  using silent = await proxy.connect();
  assertEquals(await receiveAll(silent), "");
  using slow = await proxy.connect();
  await send(slow, "\x16\x03\x01\x02");
  assertEquals(await receiveAll(slow), "");
  await proxy.log.findAll(
    "handshake failed: it must be done within 2 seconds",
    2,
  );
  using leaving = await proxy.connect();
  await send(leaving, "\x16\x03\x01\x02");
  await leaving.closeWrite();
  assertEquals(await receiveAll(leaving), "");
  await proxy.log.find("handshake failed: the client has left");
  await proxy.access.findAll("end=tls-failed", 3);
  // who only looks whether the port is open costs no line of the log
  using probe = await proxy.connect();
  await probe.closeWrite();
  await proxy.access.find("end=client-left");
  assertEquals(proxy.log.all.filter((one) => / warn /.test(one)).length, 3);
});

test("a hello is read up to 16 KiB", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using proxy = await start(SAY, [issued]);
  using client = await proxy.connect();
  // 10,000 bytes with one long extension, a byte in each record
  const hello = new Uint8Array(10_004);
  hello.set([1, 0, 0x27, 0x10, 3, 3]); // ClientHello, its length, TLS 1.2
  const extensions = [9957 >> 8, 9957 & 0xff, 0x12, 0x34, 9953 >> 8];
  hello.set([0, 0, 2, 0x13, 1, 1, 0, ...extensions, 9953 & 0xff], 38);
  const records = Array.from(
    hello.subarray(0, 3000),
    (byte) => [0x16, 3, 1, 0, 1, byte],
  );
  // it may be closed before all is sent
  await send(client, new Uint8Array(records.flat())).catch(() => {});
  await proxy.log.find(
    "handshake failed: the hello is longer than 16384 bytes",
  );
  await proxy.access.find("end=tls-failed");
});

test("bytes cross TLS whole when they come one by one", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using proxy = await start(SAY, [issued]);
  await using relay = new Backend(async (socket) => {
    using server = await proxy.connect();
    await Promise.all([dribble(socket, server), dribble(server, socket)]);
  });
  const { answer } = await ask(relay.port, authority);
  assertMatch(answer, /^\["hello/);
});

/** Forwards in segments of one byte. */
async function dribble(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  to.setNoDelay(true);
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return await to.closeWrite();
    for (let at = 0; at < count; at++) {
      await to.write(buffer.subarray(at, at + 1));
    }
  }
}

test("bytes cross TLS whole, each way, with half-closes", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  using upstream = new Upstream();
  const router = `export default () => ({ remote: "${upstream.remote}" });`;
  await using proxy = await start(router, [issued]);
  const size = 40_000_000;
  for (const first of ["client", "remote"] as const) {
    using client = await connect(proxy.port, authority);
    const upload = sendBulk(client, size);
    using server = await upstream.accept();
    const download = sendBulk(server, size);
    const finish = async (socket: Deno.Conn, sent: Promise<unknown>) => {
      await sent;
      await socket.closeWrite();
    };
    // the half of one ends long before that of the other
    const [one, other] = first === "client"
      ? [finish(client, upload), () => finish(server, download)]
      : [finish(server, download), () => finish(client, upload)];
    const received = [receiveBulk(server), receiveBulk(client)] as const;
    await one;
    await received[first === "client" ? 0 : 1];
    await other();
    assertEquals(await received[0], await upload);
    assertEquals(await received[1], await download);
  }
  await proxy.access.findAll(`in=${size} out=${size} `, 2);
  await proxy.access.findAll("end=done", 2);
});

test("a remote is not read faster than a client with TLS reads", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  using upstream = new Upstream();
  const router = `export default () => ({ remote: "${upstream.remote}" });`;
  await using proxy = await start(router, [issued]);
  using client = await connect(proxy.port, authority);
  await send(client, "a");
  using server = await upstream.accept();
  const before = await proxy.memory();
  const size = 200_000_000;
  const sending = sendBulk(server, size);
  // it stops when the buffers are full
  const stuck = Promise.withResolvers<string>();
  const timer = setTimeout(() => stuck.resolve("stuck"), 1500);
  assertEquals(await Promise.race([sending, stuck.promise]), "stuck");
  clearTimeout(timer);
  assert(await proxy.memory() - before < 60_000_000);
  const received = receiveAtLeast(client, size);
  assertEquals((await sending).length, size);
  await received;
});

async function receiveAtLeast(socket: Deno.Conn, size: number): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let at = 0; at < size;) at += await socket.read(buffer) ?? NaN;
}

test("keys are changed in the middle", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using echo = new Backend(async (socket) => {
    for (let line = 0; line < 2; line++) {
      await send(socket, await receive(socket, 6));
    }
  });
  const router = `export default () => ({ remote: "${echo.remote}" });`;
  await using proxy = await start(router, [issued]);
  const client = new Deno.Command(need("openssl", "openssl"), {
    args: [
      ...["s_client", "-tls1_3", "-connect", `127.0.0.1:${proxy.port}`],
      ...["-CAfile", authority.file],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [said, errors] = [new Lines(client.stdout), new Lines(client.stderr)];
  const keyboard = client.stdin.getWriter();
  const type = (line: string) =>
    keyboard.write(new TextEncoder().encode(`${line}\n`));
  try {
    await type("hello");
    await said.find(/^hello$/);
    await type("K"); // changes the keys of both sides
    await errors.find("KEYUPDATE");
    await type("world");
    await said.find(/^world$/);
    await proxy.access.find("end=done");
  } finally {
    try {
      client.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await client.status;
    await Promise.all([said.ended, errors.ended]);
    await keyboard.close().catch(() => {}); // nobody reads it any more
  }
});

test("a client with TLS that resets the connection ends it", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  using upstream = new Upstream();
  const router = `export default () => ({ remote: "${upstream.remote}" });`;
  await using proxy = await start(router, [issued]);
  const raw = net.connect(proxy.port, "127.0.0.1");
  const client = tls.connect({
    socket: raw,
    ca: authority.pem,
    servername: "a.example",
  });
  client.on("error", () => {}); // it is closed under it
  client.write("hello");
  using server = await upstream.accept();
  assertEquals(await receive(server, 5), "hello");
  raw.resetAndDestroy();
  assertEquals(await receiveAll(server), "");
  await proxy.access.find("end=client-reset");
});

test("a PROXY header comes before TLS, on both sides", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  const inner = `export default (data, client) => data.text.endsWith("\\n")
    ? { close: [client.remoteAddr.port, client.tls.serverName, data.text].join() }
    : undefined;`;
  await using behind = await start(inner, [issued], ["--accept-proxy"]);
  const tls = { serverName: "a.example", ca: authority.pem };
  const outer = `export default () => ({
    remote: "127.0.0.1:${behind.port}", proxyProtocol: 2, tls: ${
    JSON.stringify(tls)
  },
  });`;
  await using proxy = await Proxy.start(outer);
  using client = await proxy.connect();
  await send(client, "hello\n");
  const { port } = client.localAddr as Deno.NetAddr;
  assertEquals(await receiveAll(client), `${port},a.example,hello\n`);
});
