import { assertEquals, assertNotEquals } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { REFUSING } from "../support/ports.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

const REFERENCE = join(ROOT, "docs", "reference");

/** Fields that have names of their own: those are not described one by one. */
const MAPS = ["ended", "limits", "errors"];

/** The first cells of the table below a heading that names a path. */
function cells(page: string, path: string): string[] {
  const section = page.split("\n## ").find((text) =>
    text.split("\n")[0]?.includes(`\`${path}\``)
  );
  return [...(section ?? "").matchAll(/^\| `([^`]+)`/gm)]
    .map(([, name]) => name ?? "");
}

/** The paths of all fields of an answer: `a.b`, `list[].c`. */
function fieldsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) {
    const nested = value.flatMap((item) => fieldsOf(item, `${path}[]`));
    const fields = nested.filter((field) => field !== `${path}[]`);
    return fields.length > 0 ? fields : [path];
  }
  if (
    typeof value !== "object" || value === null ||
    MAPS.includes(path.replace("[].", ""))
  ) {
    return [path];
  }
  return Object.entries(value).flatMap(([key, item]) =>
    fieldsOf(item, path === "" ? key : `${path}.${key}`)
  );
}

test("the reference of the API has every field, and no other", async () => {
  await using backend = new Backend(async (socket) => {
    await socket.readable.pipeTo(socket.writable);
  });
  await using running = await startAdmin(
    JSON.stringify({
      pools: { web: { members: [backend.remote] } },
      routes: [
        { match: { bytes: { prefix: "web" } }, pool: "web" },
        { match: true, remote: REFUSING },
      ],
    }),
    { file: "routes.yaml" },
  );
  using open = await running.proxy.connect();
  await send(open, "web");
  using refused = await running.proxy.connect();
  await send(refused, "x");
  await receiveAll(refused);
  await until(
    () => running.get("/api/remotes"),
    (remotes) => remotes.length === 2,
  );
  await until(
    () => running.get("/api/history"),
    ({ samples }) => samples.length > 0,
  );
  const api = await Deno.readTextFile(join(REFERENCE, "api.md"));
  for (
    const path of [
      "/healthz",
      "/readyz",
      "/api/status",
      "/api/history",
      "/api/connections",
      "/api/pools",
      "/api/routes",
      "/api/remotes",
      "/api/errors",
      "/api/config",
    ]
  ) {
    const there = new Set(
      fieldsOf(await running.get(path)).map((field) =>
        field.replace(/^\[\]\./, "")
      ),
    );
    const described = cells(api, path);
    assertEquals([...there].toSorted(), described.toSorted(), path);
  }
});

test("the reference of metrics has every one with its type, and no other", async () => {
  await using running = await startAdmin(
    `export default () => ({ close: true });`,
  );
  const text = await (await fetch(`${running.admin}/metrics`)).text();
  const there = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    .map(([, name, type]) => `${name} ${type}`);
  const described = [
    ...(await Deno.readTextFile(join(REFERENCE, "metrics.md"))).matchAll(
      /^\| `(\w+)[^`]*` +\| (\w+) /gm,
    ),
  ].map(([, name, type]) => `${name} ${type}`);
  assertNotEquals(there.length, 0);
  assertEquals(described.toSorted(), there.toSorted());
});
