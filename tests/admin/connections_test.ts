import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { Backend } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { curl, startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

interface Row {
  readonly id: number;
  readonly client: string;
  readonly route: string;
  readonly seconds: number;
  readonly in: number;
}

/** A server that answers what it is sent. */
function echo(): Backend {
  return new Backend(async (socket) => {
    const buffer = new Uint8Array(100);
    for (let n; (n = await socket.read(buffer)) !== null;) {
      await send(socket, buffer.subarray(0, n));
    }
  });
}

test("connections are listed, filtered, sorted and closed", async () => {
  await using upstream = echo();
  await using running = await startAdmin(
    `export default (data) => ({ remote: "${upstream.remote}", route: "<i>" + data.text.trim() });`,
    { args: ["-w", "2", "--name", "web"] },
  );
  const clients: Deno.TcpConn[] = [];
  try {
    for (const text of ["one", "twofold", "three"]) {
      const client = await running.proxy.connect();
      clients.push(client);
      await send(client, text);
      await receive(client, text.length);
    }
    using silent = await running.proxy.connect();
    // a worker may have no time to answer
    const list = (query: string) =>
      until(
        () => running.get(`/api/connections?${query}`),
        ({ unanswered }) => unanswered === 0,
      );
    const all = await until(() => list(""), ({ total }) => total === 4);
    assertEquals([all.shown, all.unanswered], [4, 0]);
    const { id, worker, seconds, ...first } = all.connections[0];
    assert(id >= 1 && /^1\.[12]$/.test(worker) && seconds >= 0);
    const { port } = clients[0]?.localAddr as Deno.NetAddr;
    assertEquals(first, {
      listener: "web",
      client: `127.0.0.1:${port}`,
      remote: upstream.remote,
      route: "<i>one",
      stage: "joined",
      in: 3,
      out: 3,
    });
    const last = all.connections[3];
    assertEquals(
      last.client,
      `127.0.0.1:${(silent.localAddr as Deno.NetAddr).port}`,
    );
    assertEquals([last.remote, last.route, last.stage], [
      null,
      null,
      "preread",
    ]);

    const routes = async (query: string) =>
      (await list(query)).connections.map(({ route }: Row) => route);
    assertEquals(await routes("search=%3CI%3Et"), [
      "<i>twofold",
      "<i>three",
    ]);
    assertEquals(await routes("sort=in&order=desc&limit=2"), [
      "<i>twofold",
      "<i>three",
    ]);
    assertEquals(await routes("sort=route&search=joined"), [
      "<i>one",
      "<i>three",
      "<i>twofold",
    ]);
    // which worker is asked first is chance, and they differ by milliseconds
    const { connections } = await list("sort=seconds&search=joined");
    const ages = connections.map(({ seconds }: Row) => seconds);
    assertEquals(ages.length, 3);
    assertEquals(ages, ages.toSorted((a: number, b: number) => a - b));
    const limited = await list("limit=1");
    assertEquals([limited.total, limited.shown], [4, 1]);
    for (
      const query of [
        "sort=color",
        "order=up",
        "limit=0",
        "limit=1001",
        "limit=x",
        `search=${"x".repeat(201)}`,
      ]
    ) {
      const response = await fetch(`${running.admin}/api/connections?${query}`);
      assertEquals(response.status, 400, query);
      assertMatch((await response.json()).error, /must/);
    }

    const close = (number: number | string, ...args: string[]) =>
      curl(
        "-X",
        "POST",
        ...args,
        `${running.admin}/api/connections/${number}/close`,
      );
    const { id: second } = all.connections[1];
    assertMatch(
      await close(second, "-H", "x-proxymachine: 1"),
      /^HTTP\/1.1 204/,
    );
    assertEquals(await receiveAll(clients[1] as Deno.TcpConn), "");
    await running.proxy.access.find(`id=${second} client=127.0.0.1`);
    await running.proxy.access.find(
      "route=<i>twofold remote=" + upstream.remote + " in=7 out=7",
    );
    await running.proxy.access.find("end=admin-close");
    assertEquals((await running.get("/api/status")).ended["admin-close"], 1);
    for (const unknown of [second, 999_999, "x", "-1", "%2e%2e", "1e3"]) {
      assertMatch(
        await close(unknown, "-H", "x-proxymachine: 1"),
        /^HTTP\/1.1 404/,
        String(unknown),
      );
    }
  } finally {
    for (const client of clients) client.close();
  }
});

test("a page of another site can close nothing", async () => {
  await using running = await startAdmin(
    `export default () => ({ noop: true });`,
  );
  using client = await running.proxy.connect();
  await send(client, "x");
  const { connections: [{ id }] } = await until(
    () => running.get("/api/connections"),
    ({ total }) => total === 1,
  );
  const { host, origin } = new URL(running.admin);
  const close = async (...headers: string[]) => {
    const answer = await curl(
      ...["-X", "POST", ...headers.flatMap((one) => ["-H", one])],
      `${running.admin}/api/connections/${id}/close`,
    );
    return Number(/^HTTP\S+ (\d+)/.exec(answer)?.[1]);
  };
  const form = "content-type: application/x-www-form-urlencoded";
  for (
    const headers of [
      [],
      [form],
      ["origin: http://example.com"],
      ["origin: null"],
      [`origin: http://${host}.example.com`],
      ["origin: http://127.0.0.1:1"],
      ["sec-fetch-site: cross-site"],
      ["sec-fetch-site: same-site"],
      ["sec-fetch-site: none"],
      ["sec-fetch-site: cross-site", `origin: ${origin}`],
      ["sec-fetch-site: same-origin", "origin: http://example.com"],
      // what a page may send after a preflight that is never answered well
      ["origin: http://example.com", "x-proxymachine: 1"],
      ["x-proxymachine: 0"],
    ]
  ) assertEquals(await close(...headers), 403, String(headers));
  const preflight = await curl(
    ...["-X", "OPTIONS", "-H", "origin: http://example.com"],
    ...["-H", "access-control-request-method: POST", running.admin],
  );
  assertMatch(preflight, /^HTTP\/1.1 405/);
  assertNotMatch(preflight, /access-control/i);
  // a read that only looks like it
  const get = await fetch(`${running.admin}/api/connections/${id}/close`);
  await get.body?.cancel();
  assertEquals(get.status, 405);
  assertEquals((await running.get("/api/connections")).total, 1);
  assertEquals(
    await close("sec-fetch-site: same-origin", `origin: ${origin}`),
    204,
  );
  assertEquals(await receiveAll(client), "");
});

test("a worker that is stuck does not keep the API waiting", async () => {
  await using running = await startAdmin(
    `export default (data) => { while (data.startsWith("loop")); return { noop: true }; };`,
    { args: ["-w", "2", "--watchdog", "0"] },
  );
  using stuck = await running.proxy.connect();
  await send(stuck, "loop");
  // the other worker takes it: the one in the loop accepts nothing more
  const list = await until(
    () => running.get("/api/connections"),
    ({ unanswered }) => unanswered === 1,
  );
  assertEquals(list.total, 0);
  using client = await running.proxy.connect();
  await send(client, "hello");
  await until(
    () => running.get("/api/connections"),
    ({ total }) => total === 1,
  );
  const status = await running.get("/api/status");
  assertEquals(status.connections.current, 2);
  // it is seen although the worker says nothing
  await until(
    () => running.get("/api/status"),
    ({ workers }) =>
      workers.some(({ eventLoopLag }: { eventLoopLag: number }) =>
        eventLoopLag > 1
      ),
  );
  const before = performance.now();
  await running.get("/metrics").catch(() => {});
  await running.get("/api/history");
  assert(performance.now() - before < 30_000);
});

test("members of a pool are listed, drained and undrained", async () => {
  await using first = echo();
  await using second = echo();
  await using running = await startAdmin(
    `pools:
  p: { members: ["${first.remote}", "${second.remote}", { remote: "127.0.0.1:1", weight: 0 }] }
routes:
  - { match: true, pool: p }
`,
    { file: "routes.yaml", args: ["-w", "2"] },
  );
  const states = async () =>
    (await running.get("/api/pools"))[0].members
      .map(({ state }: { state: string }) => state);
  assertEquals(await states(), ["up", "up", "draining"]);
  const post = async (path: string) => {
    const answer = await curl(
      "-X",
      "POST",
      "-H",
      "x-proxymachine: 1",
      `${running.admin}/api/pools/${path}`,
    );
    return Number(/^HTTP\S+ (\d+)/.exec(answer)?.[1]);
  };
  assertEquals(await post(`p/drain?remote=${first.remote}`), 204);
  await running.proxy.log.find(
    `Member ${first.remote} of pool p gets no more connections, as the admin server was told`,
  );
  assertEquals(await states(), ["draining", "up", "draining"]);
  for (let number = 0; number < 4; number++) {
    using client = await running.proxy.connect();
    await send(client, "x");
    await receive(client, 1);
  }
  assertEquals([first.accepted, second.accepted], [0, 4]);
  assertEquals(await post(`p/undrain?remote=${first.remote}`), 204);
  assertEquals(await states(), ["up", "up", "draining"]);
  const [{ members: [, member] }] = await running.get("/api/pools");
  assertEquals(
    [member.remote, member.weight, member.picks, member.failures, member.since],
    [second.remote, 1, 4, 0, null],
  );
  assertEquals(await post("p/undrain?remote=127.0.0.1:1"), 409);
  assertEquals(await post("p/drain?remote=127.0.0.1:2"), 404);
  assertEquals(await post(`q/drain?remote=${first.remote}`), 404);
  assertEquals(await post("p/drain"), 400);
});
