import { assertEquals, assertNotEquals } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { REFUSING } from "../support/ports.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";

const README = await Deno.readTextFile(join(ROOT, "README.md"));

/** Fields that have names of their own: those are not described one by one. */
const MAPS = ["ended", "limits", "errors"];

/** The part of the README with a heading, up to the next. */
function section(heading: string): string {
  const [, text = ""] = README.split(`\n${heading}\n`);
  return text.split(/\n##+ /)[0] ?? "";
}

/** The first cells of the table that comes after a text, in pieces of code. */
function cells(text: string, after: string): string[] {
  const [, rest = ""] = text.split(`\n\`${after}`);
  const rows = rest.slice(rest.indexOf("\n|")).trim().split("\n\n")[0] ?? "";
  return rows.split("\n").slice(2).flatMap((row) =>
    [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)]
      .map(([, name]) => name ?? "")
  );
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

test("the README has every field of the API, and no other", async () => {
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
  const api = section("### API");
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
    const described = cells(api, path === "/readyz" ? "/healthz" : path);
    assertEquals([...there].toSorted(), described.toSorted(), path);
  }
});

test("the README has every metric with its type, and no other", async () => {
  await using running = await startAdmin(
    `export default () => ({ close: true });`,
  );
  const text = await (await fetch(`${running.admin}/metrics`)).text();
  const there = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    .map(([, name, type]) => `${name} ${type}`);
  const described = [
    ...section("### Metrics").matchAll(/^\| `(\w+)[^`]*` +\| (\w+) /gm),
  ].map(([, name, type]) => `${name} ${type}`);
  assertNotEquals(there.length, 0);
  assertEquals(described.toSorted(), there.toSorted());
});
