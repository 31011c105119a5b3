/**
 * What `proxyProtocol` in a decision sends to the remote, and when.
 */
import assert from "node:assert/strict";
import {
  Backend,
  Folder,
  need,
  PROGRAM,
  Proxy,
  receive,
  receiveAll,
  REFUSING,
  run,
  send,
  test,
  Upstream,
} from "../fixtures.ts";

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
    assert.equal(await receive(server, all.length), all);
    await send(client, " again");
    assert.equal(await receive(server, 6), " again");
    await send(server, "answer");
    assert.equal(await receive(client, 6), "answer");
    // the header is no byte of the client's
    await client.closeWrite();
    assert.equal(await receiveAll(server), "");
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
  assert.match(await receive(server, 33), /^\r\n.*hello$/s);
  const { stdout } = await run([
    need("ss", "iproute2"),
    "-tinH",
    `sport = ${server.localAddr.port} and dport = ${server.remoteAddr.port}`,
  ]);
  assert.match(stdout, / data_segs_in:1 /);
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
  assert.equal(await receiveAll(server), `${header(client)}hello`);
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
  assert.equal(await receive(server, expected.length), expected);
  await send(server, "220 ready\r\n");
  assert.equal(await receive(client, 11), "220 ready\r\n");
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
    assert.equal(await receive(server, expected.length), expected);
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
  assert.equal(await receive(server, expected.length), expected);
  assert.ok(first?.startsWith(header(client)), first);
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
  assert.equal(await receiveAll(server), `${header(client)}x`);
  await send(server, "bye");
  await server.closeWrite();
  assert.equal(await receiveAll(client), "bye");
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
  assert.match(dry.stdout, /remote 127\.0\.0\.1:80, proxyProtocol 2$/m);
  const check = await run([...program, "--check"]);
  assert.match(check.stdout, /-> remote 127\.0\.0\.1:80, proxyProtocol 2$/m);
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
  assert.equal(code, 2);
  assert.match(
    stderr,
    /:4: route 1: proxyProtocol: must be 1 or 2: current value is 3$/m,
  );
  assert.match(
    stderr,
    /:7: default\.proxyProtocol: must stand beside remote: current value is 1$/m,
  );
});
