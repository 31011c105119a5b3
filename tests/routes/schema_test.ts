import { assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { z } from "zod";
import { jsonSchema } from "../../src/routes/schema.ts";
import { readYaml } from "../../src/routes/yaml.ts";
import { ROOT } from "../support/paths.ts";
import { SCHEMA } from "../config/generate.ts";

Deno.test("examples/routes.schema.json is what `deno task schema` makes", async () => {
  assertStrictEquals(await Deno.readTextFile(SCHEMA), jsonSchema());
});

Deno.test("the JSON Schema accepts the example, and refuses what is misspelt", async () => {
  const schema = z.fromJSONSchema(JSON.parse(jsonSchema()));
  const source = await Deno.readTextFile(join(ROOT, "examples", "routes.yaml"));
  const accepts = (text: string) =>
    schema.safeParse(readYaml(text).value).success;
  assertEquals(accepts(source), true);
  for (const [word, other] of [["serverName", "sni"], ["routes:", "route:"]]) {
    assertEquals(accepts(source.replace(word ?? "", other ?? "")), false);
  }
});

Deno.test("readYaml() knows the line of each value", () => {
  const { value, place } = readYaml(
    "a: 1\nb:\n  - x\n  - c: |\n      two\n      lines\n    d: { e: [1,\n      2] }\n",
  );
  assertEquals(value, {
    a: 1,
    b: ["x", { c: "two\nlines\n", d: { e: [1, 2] } }],
  });
  const line = (...path: (string | number)[]) =>
    path.reduce(
      (at, key) => at?.entries.get(key),
      place as typeof place | undefined,
    )?.line;
  assertEquals(line("a"), 1);
  assertEquals(line("b"), 2);
  assertEquals(line("b", 0), 3);
  assertEquals(line("b", 1), 4);
  assertEquals(line("b", 1, "c"), 4);
  assertEquals(line("b", 1, "d"), 7);
  assertEquals(line("b", 1, "d", "e", 1), 8);
});
