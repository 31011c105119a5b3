import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { need, run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { type AdminProxy, startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

/** Answers each connection with `pong!` and the end. */
function backend(): Backend {
  return new Backend(async (socket) => {
    await socket.read(new Uint8Array(100));
    await send(socket, "pong!");
  });
}

/** A connection from its first byte to its end; what came back. */
async function exchange({ proxy }: AdminProxy, text: string): Promise<string> {
  using socket = await proxy.connect();
  await send(socket, text);
  await socket.closeWrite();
  return await receiveAll(socket);
}

/** Many at a time. */
async function exchanges(
  running: AdminProxy,
  text: string,
  count: number,
): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: count }, () => exchange(running, text)),
  );
  assertEquals([...new Set(answers)], ["pong!"]);
}

/** The samples of `/metrics`, by name with labels. */
async function metricsOf({ admin }: AdminProxy): Promise<Map<string, number>> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

test("what is counted is exact over two workers and a reload, and live for a connection that lasts", async () => {
  await using upstream = backend();
  await using lasting = new Backend(async (socket) => {
    const buffer = new Uint8Array(100);
    for (let n; (n = await socket.read(buffer)) !== null;) {
      await send(socket, buffer.subarray(0, n));
    }
  });
  await using running = await startAdmin(
    `routes:
  - { name: ping, match: { bytes: { prefix: ping } }, remote: "${upstream.remote}" }
  - { match: { bytes: { prefix: last } }, remote: "${lasting.remote}" }
  - { name: idle, match: { bytes: { prefix: idle } }, close: true }
`,
    { file: "routes.yaml", args: ["-w", "2"] },
  );
  using open = await running.proxy.connect();
  await send(open, "last");
  assertEquals(await open.read(new Uint8Array(4)), 4);
  await exchanges(running, "ping1", 40);
  running.proxy.kill("SIGHUP");
  await running.proxy.log.find("Reloaded: generation 2");
  await exchanges(running, "ping2", 30);
  await send(open, "more");
  assertEquals(await open.read(new Uint8Array(4)), 4);

  const routes = await until(
    () => running.get("/api/routes"),
    ([ping, last]) => ping.hits === 70 && ping.out === 350 && last.out === 8,
  );
  assertEquals(routes, [
    { name: "ping", hits: 70, failed: 0, in: 350, out: 350 },
    { name: "route 2", hits: 1, failed: 0, in: 8, out: 8 },
    { name: "idle", hits: 0, failed: 0, in: 0, out: 0 },
    { name: "default", hits: 0, failed: 0, in: 0, out: 0 },
  ]);
  const remotes = await until(
    () => running.get("/api/remotes"),
    (remotes) => remotes.some(({ open }: { open: number }) => open === 1),
  );
  assertEquals(
    remotes.map(({ connectSeconds: _, ...rest }: Record<string, unknown>) =>
      rest
    )
      .sort((a: { connections: number }, b: { connections: number }) =>
        a.connections - b.connections
      ),
    [
      {
        remote: lasting.remote,
        connections: 1,
        open: 1,
        failed: 0,
        errors: {},
      },
      {
        remote: upstream.remote,
        connections: 70,
        open: 0,
        failed: 0,
        errors: {},
      },
    ],
  );
  for (const { connectSeconds } of remotes) {
    assert(connectSeconds > 0 && connectSeconds < 10);
  }
  const status = await until(
    () => running.get("/api/status"),
    // all have reported once
    ({ workers }) =>
      workers.every(({ heapUsed }: { heapUsed: number }) => heapUsed > 0),
  );
  const { total, current, connected } = status.connections;
  assertEquals({ total, current, connected }, {
    total: 71,
    current: 1,
    connected: 1,
  });
  assertEquals(status.ended.done, 70);
  assertEquals(status.bytes, { in: 358, out: 358 });
  assertEquals(status.reloads.count, 1);

  const metrics = await metricsOf(running);
  const expected: Record<string, number> = {
    "proxymachine_connections": 1,
    "proxymachine_connections_total": 71,
    'proxymachine_connections_ended_total{reason="done"}': 70,
    'proxymachine_bytes_total{direction="in"}': 358,
    'proxymachine_route_decisions_total{route="ping"}': 70,
    'proxymachine_route_bytes_total{route="ping",direction="out"}': 350,
    [`proxymachine_remote_connections_total{remote="${upstream.remote}"}`]: 70,
    [`proxymachine_remote_connections{remote="${lasting.remote}"}`]: 1,
    "proxymachine_decision_seconds_count": 71,
    "proxymachine_connect_seconds_count": 71,
    "proxymachine_connection_seconds_count": 70,
    'proxymachine_connection_seconds_bucket{le="+Inf"}': 70,
    'proxymachine_workers{state="serving"}': 2,
    'proxymachine_reloads_total{result="success"}': 1,
    "proxymachine_generations": 2,
  };
  for (const [name, value] of Object.entries(expected)) {
    assertStrictEquals(metrics.get(name), value, name);
  }
  const { interval, samples } = await until(
    () => running.get("/api/history"),
    // the last look may have been while the others were open
    ({ samples }) =>
      samples.some(({ out }: { out: number }) => out > 0) &&
      samples.at(-1).connections === 1,
  );
  assertEquals(interval, 1);
  assert(samples.some(({ accepted }: { accepted: number }) => accepted > 0));
  assertEquals(samples.at(-1).connections, 1);
});

test("promtool finds nothing wrong with the metrics, whatever names have in them", async () => {
  const promtool = need("promtool", "prometheus");
  await using running = await startAdmin(
    `export default (data) => ({ remote: ["${REFUSING}"], connectTimeout: 1, route: data.text });`,
  );
  const name = `<b title="x">\\n</b>`;
  using client = await running.proxy.connect();
  await send(client, name);
  await until(
    () => running.get("/api/remotes"),
    ([remote]) => remote?.errors["connect-failed"] > 0,
  );
  const response = await fetch(`${running.admin}/metrics`);
  assertMatch(
    response.headers.get("content-type") ?? "",
    /^text\/plain; version=0\.0\.4/,
  );
  const text = await response.text();
  const { code, stdout, stderr } = await run(
    [promtool, "check", "metrics"],
    text,
  );
  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: "",
    stderr: "",
  });
  assert(
    text.includes(
      String
        .raw`proxymachine_route_decisions_total{route="<b title=\"x\">\\n</b>"} 1`,
    ),
  );
  assertMatch(text, /^proxymachine_connect_retries_total [1-9]/m);
  const routes = await (await fetch(`${running.admin}/api/routes`)).text();
  assert(routes.includes(JSON.stringify(name)));
});

test("200 names are told apart, and all others counted together", async () => {
  await using running = await startAdmin(
    `export default (data) => ({ close: true, route: data.text });`,
  );
  for (let at = 0; at < 250; at += 25) {
    await Promise.all(Array.from({ length: 25 }, async (_, index) => {
      using client = await running.proxy.connect();
      await send(client, `route-${at + index}`);
      await receiveAll(client);
    }));
  }
  type Route = { name: string; hits: number };
  const routes: Route[] = await until(
    () => running.get("/api/routes"),
    (routes: Route[]) =>
      routes.reduce((sum, { hits }) => sum + hits, 0) === 250,
  );
  assertEquals(routes.length, 201);
  assertEquals(routes.find(({ name }) => name === "(other)")?.hits, 50);
});

test("the connections of a router without names, and failures of remotes, are counted", async () => {
  await using leaving = new Backend(() => {});
  await using running = await startAdmin(
    `export default {
      route: (data) => data.startsWith("throw") ? data.nothing.at() : { remote: "${leaving.remote}" },
      connectError: (remote, error, client) => ({ close: "sorry", route: "apology" }),
    };`,
  );
  for (const text of ["go", "throw"]) {
    using client = await running.proxy.connect();
    await send(client, text);
    await receiveAll(client);
  }
  const routes = await until(
    () => running.get("/api/routes"),
    (routes) => routes.length === 2,
  );
  assertEquals(
    routes.map((
      { name, hits }: { name: string; hits: number },
    ) => [name, hits]),
    [["(none)", 1], ["apology", 1]],
  );
  const [remote] = await running.get("/api/remotes");
  assertEquals(remote.errors, { "remote-left": 1 });
  assertEquals((await running.get("/api/status")).ended["router-error"], 1);
  await running.proxy.access.find(/route=apology .*end=router-close/);
  await running.proxy.access.find(/route=- remote=- .*end=router-error/);
});
