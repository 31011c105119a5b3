import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseTarget } from "../../src/net/remote.ts";
import { planPool } from "../../src/pool/checked_options.ts";
import { probe } from "../../src/pool/check_member.ts";
import { REFUSING } from "../support/ports.ts";
import { Backend } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { Authority, OpensslServer } from "../support/tls.ts";

/** Checks a remote once. */
async function check(
  remote: string,
  options: Record<string, unknown>,
  controller = new AbortController(),
): Promise<string | undefined> {
  const { check } = planPool("p", {
    members: [remote],
    check: { timeout: 60, ...options },
  });
  const targets = parseTarget(remote);
  assert(typeof targets === "object" && check !== undefined);
  return await probe(targets[0], check, controller);
}

Deno.test("a check without send and expect is good when it is connected", async () => {
  await using backend = new Backend(() => {});
  assertEquals(await check(backend.remote, {}), undefined);
  assertMatch(String(await check(REFUSING, {})), /^Connection refused/);
});

Deno.test("a check sends, and looks how the answer begins, in however many parts", async () => {
  await using backend = new Backend(async (socket) => {
    const request = await receive(socket, 6);
    for (const byte of request === "PING\r\n" ? "+PONG\r\n" : "-ERR\r\n") {
      await send(socket, byte);
    }
    await receiveAll(socket);
  });
  const ping = (options: Record<string, unknown>) =>
    check(backend.remote, { send: "PING\r\n", ...options });
  assertEquals(await ping({ expect: "+PONG" }), undefined);
  assertEquals(
    await ping({ expect: new TextEncoder().encode("+") }),
    undefined,
  );
  assertEquals(await ping({ expect: /PONG\r\n$/ }), undefined);
  assertMatch(String(await ping({ expect: "-" })), /^unexpected answer "\+/);
});

Deno.test("a check is bad when the answer ends too early, or is too long", async () => {
  await using short = new Backend((socket) => send(socket, "+PO"));
  assertEquals(
    await check(short.remote, { expect: "+PONG" }),
    'unexpected answer "+PO"',
  );
  await using long = new Backend((socket) => send(socket, "x".repeat(40_000)));
  assertEquals(
    await check(long.remote, { expect: /y/ }),
    `unexpected answer ${JSON.stringify(`${"x".repeat(64)}…`)}`,
  );
});

Deno.test("a check gives up after its timeout, or when it is aborted", async () => {
  await using silent = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  assertEquals(
    await check(silent.remote, { expect: "x", timeout: 0.05 }),
    "no answer within 0.05 seconds",
  );
  const controller = new AbortController();
  const checked = check(silent.remote, { expect: "x" }, controller);
  controller.abort(new Error("stopped"));
  assertEquals(await checked, "stopped");
});

Deno.test("a check that connects when its time is just over closes the connection", async () => {
  const closed: Promise<void>[] = [];
  await using backend = new Backend((socket) => {
    // a reset is an end, too
    const ended = receiveAll(socket).then(() => {}, () => {});
    closed.push(ended);
    return ended;
  });
  for (let turn = 0; turn < 100; turn++) {
    const checked = check(backend.remote, { expect: "x", timeout: 0.001 });
    // busy while the kernel connects, and until the time is over
    for (const since = performance.now(); performance.now() - since < 3;);
    assertEquals(await checked, "no answer within 0.001 seconds");
  }
  // it comes after all others
  assertEquals(await check(backend.remote, {}), undefined);
  await Promise.all(closed);
});

Deno.test("a check may begin with a PROXY header of its own", async () => {
  const headers: Promise<string>[] = [];
  await using backend = new Backend(async (socket) => {
    const all = receiveAll(socket);
    headers.push(all);
    await send(socket, "ok");
    await all;
  });
  for (const proxyProtocol of [1, 2]) {
    const options = { proxyProtocol, send: "hello", expect: "ok" };
    assertEquals(await check(backend.remote, options), undefined);
  }
  const [one, two] = await Promise.all(headers);
  assertMatch(
    String(one),
    /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/,
  );
  assert(String(one).includes(` ${backend.port}\r\n`));
  assertEquals(two, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0hello");
});

Deno.test("a check speaks TLS, and is bad when the certificate is", async () => {
  await using authority = await Authority.make();
  const tls = { ca: authority.pem };
  const good = await authority.issue({ names: "IP:127.0.0.1,DNS:a.example" });
  await using server = await OpensslServer.start(good);
  const { remote } = server;
  const options = { timeout: 60, send: "abc\n", expect: "cba" };
  assertEquals(await check(remote, { timeout: 60, tls }), undefined);
  assertEquals(await check(remote, { ...options, tls }), undefined);
  const named = { ...tls, serverName: "a.example" };
  assertEquals(await check(remote, { ...options, tls: named }), undefined);
  assertMatch(
    String(await check(remote, { timeout: 60, tls: true })),
    /^the TLS handshake failed: invalid peer certificate: UnknownIssuer$/,
  );
  const other = { ...tls, serverName: "b.example" };
  assertMatch(
    String(await check(remote, { timeout: 60, tls: other })),
    /^the TLS handshake failed: .*not valid for name/,
  );
  const old = await authority.issue({
    names: "IP:127.0.0.1",
    time: "expired",
  });
  await using expired = await OpensslServer.start(old);
  assertMatch(
    String(await check(expired.remote, { timeout: 60, tls })),
    /^the TLS handshake failed: invalid peer certificate: .*[Ee]xpired/,
  );
});

Deno.test("a check with TLS gives up after its timeout, or when it is aborted", async () => {
  await using silent = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  const options = { timeout: 0.05, tls: true };
  assertEquals(
    await check(silent.remote, options),
    "no answer within 0.05 seconds",
  );
  const controller = new AbortController();
  const checked = check(silent.remote, { tls: true }, controller);
  controller.abort(new Error("stopped"));
  assertEquals(await checked, "stopped");
});

Deno.test("a check may begin with a PROXY header before TLS", async () => {
  const received: Promise<string>[] = [];
  await using backend = new Backend(async (socket) => {
    const start = receive(socket, 17);
    received.push(start);
    await start;
  });
  const options = { timeout: 60, proxyProtocol: 2, tls: true };
  assertMatch(
    String(await check(backend.remote, options)),
    /^the TLS handshake failed/,
  );
  // the header, and the first byte of a TLS record
  assertEquals(await received[0], "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0\x16");
});
