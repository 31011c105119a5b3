import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  authorityFiles,
  readAuthorities,
} from "../../src/routes/authorities.ts";
import type { Action } from "../../src/routes/route_table.ts";
import { Folder } from "../support/folder.ts";
import { Authority } from "../support/tls.ts";
import { read } from "../support/route_tables.ts";

/** The authorities of an action. */
function authorities(action: Action | undefined): readonly string[] {
  assert(action?.kind === "remote" && typeof action.tls === "object");
  return action.tls.ca;
}

Deno.test("an authority that many routes name is read once, and sent to the workers once", async () => {
  await using one = await Authority.make();
  await using other = await Authority.make();
  await using folder = await Folder.make({
    "one.pem": one.pem,
    "other.pem": other.pem,
  });
  const route = (ca: string) =>
    `  - { match: true, remote: "a:1", tls: { ca: ${ca} } }\n`;
  const loaded = read(
    `routes:\n${route("one.pem").repeat(2)}${route("[one.pem, other.pem]")}`,
  );
  const table = { ...loaded.table, file: folder.file("routes.yaml") };
  assertEquals(authorityFiles({ ...loaded, table }), [
    folder.file("one.pem"),
    folder.file("other.pem"),
  ]);
  const { routes } = (await readAuthorities({ ...loaded, table })).table;
  const [first, second, both] = structuredClone(routes)
    .map(({ action }) => authorities(action));
  assertEquals(first, [one.pem]);
  // one object, which is cloned once
  assertStrictEquals(second, first);
  assertEquals(both, [one.pem, other.pem]);
});
