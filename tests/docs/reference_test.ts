import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { makePages, REFERENCE } from "./generate.ts";

Deno.test("the reference pages are what the code says: run deno task docs", async () => {
  const pages = await makePages();
  const there = [...Deno.readDirSync(REFERENCE)].map(({ name }) => name);
  assertEquals(there.toSorted(), [...pages.keys()].toSorted());
  for (const [name, text] of pages) {
    assertEquals(await Deno.readTextFile(join(REFERENCE, name)), text, name);
  }
});
