/**
 * What `proxyProtocol` in a decision sends to the remote, and when.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { REFUSING } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** The header of version 1 of a client's connection. */
function header(client: Deno.TcpConn): string {
  const { localAddr: from, remoteAddr: to } = client;
  return `PROXY TCP4 ${from.hostname} ${to.hostname} ${from.port} ${to.port}\r\n`;
}

test("the remote gets the header before what the client has sent, and before data", async () => {
  using upstream = new Upstream();
  for (
    const [data, expected] of [["", "hello"], [`, data: "HELLO"`, "HELLO"]]
  ) {
    await using proxy = await Proxy.start(
      `export default () => ({ remote: "${upstream.remote}", proxyProtocol: 1${data} });`,
    );
    using client = await proxy.connect();
    await send(client, "hello");
    using server = await upstream.accept();
    const all = `${header(client)}${expected}`;
    assertEquals(await receive(server, all.length), all);
    await send(client, " again");
    assertEquals(await receive(server, 6), " again");
    await send(server, "answer");
    assertEquals(await receive(client, 6), "answer");
    // the header is no byte of the client's
    await client.closeWrite();
    assertEquals(await receiveAll(server), "");
    await server.closeWrite();
    await proxy.access.find(/ in=11 out=6 .* end=done/);
  }
});

test("header and first bytes are one segment", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}", proxyProtocol: 2 });`,
  );
  using client = await proxy.connect();
  await send(client, "hello");
  using server = await upstream.accept();
  assertMatch(await receive(server, 33), /^\r\n.*hello$/s);
  const { stdout } = await run([
    need("ss", "iproute2"),
    "-tinH",
    `sport = ${server.localAddr.port} and dport = ${server.remoteAddr.port}`,
  ]);
  assertMatch(stdout, / data_segs_in:1 /);
});

test("the remote of a list that takes the connection gets the header once", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({
      remote: ["${REFUSING}", "${upstream.remote}"],
      proxyProtocol: 1,
    });`,
  );
  using client = await proxy.connect();
  await send(client, "hello");
  await client.closeWrite();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), `${header(client)}hello`);
});

test("the remote gets the header at once when the server speaks first", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default {
      accept: () => ({ remote: "${upstream.remote}", proxyProtocol: 1 }),
    };`,
  );
  using client = await proxy.connect();
  using server = await upstream.accept();
  const expected = header(client);
  assertEquals(await receive(server, expected.length), expected);
  await send(server, "220 ready\r\n");
  assertEquals(await receive(client, 11), "220 ready\r\n");
});

test("the remote that connectError() names gets the header that its decision asks for, or none", async () => {
  for (const [key, isSent] of [["", false], [", proxyProtocol: 1", true]]) {
    // one each: when it ends without an answer, the hook names it once more
    using upstream = new Upstream();
    await using proxy = await Proxy.start(
      `export default {
        route: () => ({ remote: "${REFUSING}", proxyProtocol: 2 }),
        connectError: () => ({ remote: "${upstream.remote}"${key} }),
      };`,
    );
    using client = await proxy.connect();
    await send(client, "hello");
    using server = await upstream.accept();
    const expected = `${isSent ? header(client) : ""}hello`;
    assertEquals(await receive(server, expected.length), expected);
  }
});

test("each remote gets the header when one has left before it sent a byte", async () => {
  using upstream = new Upstream();
  let first: string | undefined;
  await using leaving = new Backend(async (socket) => {
    const buffer = new Uint8Array(1000);
    const count = await socket.read(buffer) ?? 0;
    first = new TextDecoder().decode(buffer.subarray(0, count));
  });
  await using proxy = await Proxy.start(
    `export default {
      route: () => ({ remote: "${leaving.remote}", proxyProtocol: 1 }),
      connectError: () => ({ remote: "${upstream.remote}", proxyProtocol: 1 }),
    };`,
  );
  using client = await proxy.connect();
  await send(client, "hello");
  using server = await upstream.accept();
  const expected = `${header(client)}hello`;
  assertEquals(await receive(server, expected.length), expected);
  assert(first?.startsWith(header(client)), first);
});

test("a client that half-closes before the remote is connected is told to it by the header and EOF", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `export default () => ({ remote: "${upstream.remote}", proxyProtocol: 1 });`,
  );
  using client = await proxy.connect();
  await send(client, "x");
  await client.closeWrite();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), `${header(client)}x`);
  await send(server, "bye");
  await server.closeWrite();
  assertEquals(await receiveAll(client), "bye");
});

test("--dry-run and --check show the header that the remote gets", async () => {
  await using folder = await Folder.make({
    "routes.yaml": `routes:
  - match: true
    remote: "127.0.0.1:80"
    proxyProtocol: 2
`,
  });
  const program = [...PROGRAM, "-c", folder.file("routes.yaml")];
  const dry = await run([...program, "--dry-run", "-"], "x");
  assertMatch(dry.stdout, /remote 127\.0\.0\.1:80, proxyProtocol 2$/m);
  const check = await run([...program, "--check"]);
  assertMatch(check.stdout, /-> remote 127\.0\.0\.1:80, proxyProtocol 2$/m);
});

test("a route table says what proxyProtocol may be, and beside what", async () => {
  await using folder = await Folder.make({
    "routes.yaml": `routes:
  - match: true
    remote: "127.0.0.1:80"
    proxyProtocol: 3
default:
  close: true
  proxyProtocol: 1
`,
  });
  const { code, stderr } = await run([
    ...PROGRAM,
    "-c",
    folder.file("routes.yaml"),
    "--check",
  ]);
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /:4: route 1: proxyProtocol: must be 1 or 2: current value is 3$/m,
  );
  assertMatch(
    stderr,
    /:7: default\.proxyProtocol: must stand beside remote: current value is 1$/m,
  );
});
