import { assert, assertEquals, assertMatch } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { REFUSING, unusedPort } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { run } from "../support/run.ts";
import { receive, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { adminOf, curl, startAdmin } from "../support/admin.ts";

const ROUTER = `export default { route: () => ({ remote: "${REFUSING}" }) };`;
const TOKEN = "correct-horse-battery-staple";

/** Such as `200`. */
function statusOf(answer: string): number {
  return Number(/^HTTP\S+ (\d+)/.exec(answer)?.[1]);
}

test("without --admin there is no server, and --check says so", async () => {
  await using folder = await Folder.make({ "router.js": ROUTER });
  const file = folder.file("router.js");
  const off = await run([...PROGRAM, "-c", file, "--check"]);
  assertMatch(off.stdout, /^admin +off$/m);
  const on = await run([
    ...PROGRAM,
    "-c",
    file,
    "--check",
    "--admin",
    "[::1]:9901",
  ]);
  assertMatch(on.stdout, /^admin +http:\/\/\[::1\]:9901\/$/m);
});

test("/api/status says what runs, and the pages have strict headers", async () => {
  await using running = await startAdmin(ROUTER, {
    args: ["-w", "2", "--max-connections", "50", "--name", "web"],
  });
  const status = await running.get("/api/status");
  assertMatch(status.version, /^\d+\.\d+\.\d+/);
  // an executable has its own
  assertMatch(status.runtime, /^Deno \d+\.\d+\.\d+$/);
  assertEquals(status.state, "serving");
  assertEquals(status.reloads, { count: 0, lastAt: null, lastError: null });
  assertEquals(status.listeners, [{
    name: "web",
    address: `127.0.0.1:${running.proxy.port}`,
    tls: false,
    acceptProxy: false,
  }]);
  assertEquals(
    status.workers.map((
      { id, state }: { id: string; state: string },
    ) => [id, state]),
    [["1.1", "serving"], ["1.2", "serving"]],
  );
  assertEquals(status.connections, {
    current: 0,
    maximum: 0,
    total: 0,
    connected: 0,
    limit: 50,
  });
  assertEquals(status.ended.done, 0);
  assertEquals(status.limits["max-connections"], 0);
  assertEquals(status.bytes, { in: 0, out: 0 });
  assert(status.memory.rss > 1e6);
  for (const path of ["/", "/api/status", "/nothing"]) {
    const { headers, body } = await fetch(running.admin + path);
    await body?.cancel();
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertMatch(
      headers.get("content-security-policy") ?? "",
      /^default-src 'none'; script-src 'self';/,
    );
  }
});

test("the page and its files are served, and nothing beside them", async () => {
  await using running = await startAdmin(ROUTER);
  const page = await curl(`${running.admin}/`);
  assertEquals(statusOf(page), 200);
  assertMatch(page, /^content-type: text\/html/mi);
  const [, script] = /<script[^>]* src="([^"]+)"/.exec(page) ?? [];
  assertEquals(statusOf(await curl(`${running.admin}/${script}`)), 200);
  for (
    const path of [
      "/assets/",
      "/assets/../../deno.json",
      "/assets/..%2f..%2fdeno.json",
      "//etc/passwd",
      "/../../../../etc/passwd",
      "/assets/constructor",
      "/api",
      "/api/nothing",
      "/api/__proto__",
    ]
  ) assertEquals(statusOf(await curl(`${running.admin}${path}`)), 404, path);
});

test("an address that others can reach is refused without a token", async () => {
  await using folder = await Folder.make({ "router.js": ROUTER, short: "x" });
  const start = (...args: string[]) =>
    run([...PROGRAM, "-c", folder.file("router.js"), "-p", "0", ...args]);
  for (const address of ["0.0.0.0:0", "[::]:0", "192.0.2.1:9901"]) {
    const { code, stderr } = await start("--admin", address);
    assertEquals(code, 2);
    assertEquals(
      stderr,
      `proxymachine: Cannot use --admin as an address that other machines can reach needs --admin-token-file: current value is "${address}"\n`,
    );
  }
  const missing = await start(
    "--admin",
    "0.0.0.0:0",
    "--admin-token-file",
    folder.file("none"),
  );
  assertEquals(missing.code, 2);
  assertMatch(
    missing.stderr,
    /^proxymachine: Cannot read --admin-token-file \S+: there is no such file\n$/,
  );
  const short = await start(
    "--admin",
    "0.0.0.0:0",
    "--admin-token-file",
    folder.file("short"),
  );
  assertMatch(
    short.stderr,
    /must be 16 to 1024 printable ASCII characters without spaces: it has 1\n$/,
  );
  const malformed = await start("--admin", "9901");
  assertMatch(
    malformed.stderr,
    /Cannot use --admin as it must be "host:port" .*: current value is "9901"/,
  );
});

test("an admin address that is in use ends the program with status 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await using folder = await Folder.make({ "router.js": ROUTER });
  const { code, stderr } = await run([
    ...PROGRAM,
    ...[
      "-c",
      folder.file("router.js"),
      "-h",
      "127.0.0.1",
      "-p",
      String(unusedPort()),
    ],
    ...["--admin", `127.0.0.1:${port}`],
  ]);
  assertEquals(code, 1);
  assertEquals(
    stderr,
    `proxymachine: Cannot listen on 127.0.0.1:${port} for --admin: another program listens there\n`,
  );
});

test("with a token every call needs it but those of probes and the page itself", async () => {
  await using folder = await Folder.make({ token: `${TOKEN}\n` });
  await using proxy = await Proxy.start(ROUTER, {
    args: [
      "-w",
      "1",
      "--admin",
      "0.0.0.0:0",
      "--admin-token-file",
      folder.file("token"),
    ],
  });
  const admin = (await adminOf(proxy)).replace("0.0.0.0", "127.0.0.1");
  const ask = async (path: string, ...headers: string[]) =>
    statusOf(
      await curl(...headers.flatMap((one) => ["-H", one]), admin + path),
    );
  for (const open of ["/", "/healthz", "/readyz"]) {
    assertEquals(await ask(open), 200, open);
  }
  for (const path of ["/api/status", "/api/config", "/api/nothing"]) {
    assertEquals(await ask(path), 401);
    assertEquals(await ask(path, `Authorization: Bearer ${TOKEN}x`), 401);
    assertEquals(await ask(path, `Authorization: Basic ${TOKEN}`), 401);
    assertEquals(
      await ask(path, `Authorization: Bearer ${TOKEN}`),
      path.endsWith("nothing") ? 404 : 200,
    );
  }
  const config = await curl(
    "-H",
    `Authorization: Bearer ${TOKEN}`,
    `${admin}/api/config`,
  );
  assert(config.includes(folder.file("token")) && !config.includes(TOKEN));
  // all addresses of this machine are its own; names are not
  assertEquals(await ask("/readyz", "Host: 192.0.2.7:80"), 200);
  assertEquals(await ask("/readyz", "Host: example.com"), 403);
});

test("a Host header of another site is refused, as names can be made to lead here", async () => {
  await using running = await startAdmin(ROUTER);
  const ask = async (host: string) =>
    statusOf(await curl("-H", `Host: ${host}`, `${running.admin}/api/status`));
  for (
    const host of [
      "localhost",
      "LOCALHOST:80",
      "a.localhost",
      "127.0.0.1",
      "[::1]:9901",
      "127.8.8.8",
    ]
  ) {
    assertEquals(await ask(host), 200, host);
  }
  for (
    const host of [
      "example.com",
      "127.0.0.1.example.com",
      "localhost.example.com",
      "192.0.2.1",
      "notlocalhost",
      "[::2]",
    ]
  ) {
    assertEquals(await ask(host), 403, host);
  }
});

test("only GET, HEAD and POST are answered, and POST only where something changes", async () => {
  await using running = await startAdmin(ROUTER);
  const ask = (...args: string[]) =>
    curl(...args, `${running.admin}/api/status`);
  assertEquals(statusOf(await ask("-I")), 200);
  assertEquals(statusOf(await ask("-X", "DELETE")), 405);
  assertMatch(await ask("-X", "OPTIONS"), /405[^]*allow: GET, HEAD, POST/i);
  const post = await ask("-X", "POST", "-H", "x-proxymachine: 1");
  assertMatch(post, /405[^]*allow: GET, HEAD\r/i);
});

test("headers and bodies without end do no harm", async () => {
  await using running = await startAdmin(ROUTER);
  const before = await running.proxy.memory();
  const { hostname, port } = new URL(running.admin);
  const chunk = new TextEncoder().encode(`x${"y".repeat(65_000)}: z\r\n`);
  const limit = 100_000_000;
  const flood = async (head: string) => {
    using socket = await Deno.connect({ hostname, port: Number(port) });
    await send(socket, head);
    const start = receive(socket, 12);
    let sent = 0;
    try {
      while (sent < limit) sent += await socket.write(chunk);
    } catch {
      // it was closed
    }
    return { sent, start: await start };
  };
  const headers = await flood(
    "GET /api/status HTTP/1.1\r\nHost: localhost\r\n",
  );
  assertEquals(headers.start, "HTTP/1.1 431");
  assert(headers.sent < limit);
  // nobody asks for it: it is dropped as it comes
  const body = await flood(
    "POST /api/status HTTP/1.1\r\nHost: localhost\r\nx-proxymachine: 1\r\nContent-Length: 99999999999\r\n\r\n",
  );
  assertEquals(body.start, "HTTP/1.1 405");
  assertEquals((await running.get("/api/status")).state, "serving");
  assert(await running.proxy.memory() - before < limit);
});

test("/readyz turns to 503 as soon as the program drains, and /healthz does not", async () => {
  await using running = await startAdmin(
    `export default { accept: () => ({ reply: "." }), route: () => ({ noop: true }) };`,
  );
  assertEquals(await running.get("/readyz"), {
    status: "ok",
    stuck: 0,
    workers: 1,
  });
  using client = await running.proxy.connect();
  assertEquals(await receive(client, 1), ".");
  running.proxy.kill("SIGQUIT");
  await running.proxy.log.find("Waiting for 1 connections to finish");
  const ready = await fetch(`${running.admin}/readyz`);
  assertEquals([ready.status, (await ready.json()).status], [
    503,
    "stopping",
  ]);
  assertEquals((await running.get("/healthz")).status, "ok");
  assertEquals((await running.get("/api/status")).state, "draining");
  client.close();
  assertEquals((await running.proxy.status).code, 0);
});

test("/api/errors lists what went wrong, the newest first and each text once", async () => {
  await using running = await startAdmin(
    `export default { route(data) { throw new Error("<b>no</b> " + data.text); } };`,
  );
  for (const text of ["a", "{client}", "b"]) {
    using client = await running.proxy.connect();
    await client.write(new TextEncoder().encode(text));
    while (await client.read(new Uint8Array(9)) !== null);
  }
  await running.proxy.log.findAll("<b>no</b>", 3);
  const errors: Record<"level" | "text" | "message" | "count", unknown>[] =
    await running.get("/api/errors");
  // what a client or a router has said does not make another line of it
  assertEquals(
    errors.map(({ level, text, count }) => [level, text, count]),
    [["error", "Cannot route {client} as {hook}() threw: {error}", 3]],
  );
  assertMatch(
    String(errors[0]?.message),
    /^Cannot route 127\S+ as route\(\) threw: .*<b>no<\/b> b/,
  );
});

test("/api/config has the lines of --check and the routes", async () => {
  await using running = await startAdmin(
    `routes:
  - { name: web, match: { http: { host: a.example } }, remote: "10.0.0.1:80" }
  - { match: true, close: true }
`,
    { file: "routes.yaml", args: ["-w", "3"] },
  );
  const { lines, routes, files } = await running.get("/api/config");
  assert(lines.includes("workers      3"));
  assertEquals(routes, [
    {
      name: "web",
      line: 2,
      match: "http.host a.example",
      action: "remote 10.0.0.1:80",
    },
    { name: "route 2", line: 3, match: "every client", action: "close" },
  ]);
  assertMatch(files[0], /routes\.yaml$/);
});

test("a reload brings another token, takes none away, and leaves the address", async () => {
  const other = "another-token-of-some-length";
  const table = (admin: string) =>
    `admin: ${admin}\nroutes: [{ match: true, close: true }]\n`;
  const guarded = table(`{ host: 0.0.0.0, port: 0, tokenFile: token }`);
  await using folder = await Folder.make({ token: TOKEN, "r.yaml": guarded });
  await using proxy = await Proxy.start(folder.url("r.yaml"));
  const admin = (await adminOf(proxy)).replace("0.0.0.0", "127.0.0.1");
  const ask = async (token?: string) => {
    const headers = token === undefined
      ? []
      : ["-H", `Authorization: Bearer ${token}`];
    return statusOf(await curl(...headers, `${admin}/api/status`));
  };
  assertEquals([await ask(), await ask(TOKEN), await ask(other)], [
    401,
    200,
    401,
  ]);
  await Deno.writeTextFile(folder.file("token"), other);
  proxy.kill("SIGHUP");
  await proxy.log.find("Reloaded: generation 2");
  assertEquals([await ask(), await ask(TOKEN), await ask(other)], [
    401,
    401,
    200,
  ]);
  await Deno.writeTextFile(folder.file("r.yaml"), table("127.0.0.1:9901"));
  proxy.kill("SIGHUP");
  await proxy.log.find("Reloaded: generation 3");
  await proxy.log.find(
    "The admin server stays as it is, 0.0.0.0:0, as it needs a restart to be another: 127.0.0.1:9901",
  );
  assertEquals([await ask(), await ask(other)], [401, 200]);
  await Deno.writeTextFile(folder.file("r.yaml"), table("0.0.0.0:9901"));
  proxy.kill("SIGHUP");
  await proxy.log.find(
    "Cannot reload, and go on as before: Cannot use --admin as an address that other machines can reach needs --admin-token-file",
  );
  assertEquals(await ask(other), 200);
});
