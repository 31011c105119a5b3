import { assert, assertEquals } from "@std/assert";
import {
  type ImportMap,
  type Modules,
  parseModules,
  readModules,
} from "./architecture/modules.ts";
import {
  findFaceImports,
  findFileCircles,
  findFolderCircles,
  findLong,
  findUpwardImports,
} from "./architecture/rules.ts";
import { ROOT } from "./support/paths.ts";

Deno.test("the source keeps to its layout", async (t) => {
  const modules = await readModules(ROOT);
  assert(modules.get("main.ts")?.imports.includes("src/main/commands.ts"));
  const rules: Record<string, (modules: Modules) => string[]> = {
    "no circle of files": findFileCircles,
    "no circle of folders": findFolderCircles,
    "imports go down the levels": findUpwardImports,
    "nothing imports a face": findFaceImports,
    "functions and modules are short": findLong,
  };
  for (const [name, find] of Object.entries(rules)) {
    await t.step(name, () => {
      const found = find(modules);
      assertEquals(found, [], found.join("\n"));
    });
  }
});

/** Modules of a small program. */
function tree(sources: Record<string, string>, importMap?: ImportMap): Modules {
  return parseModules(new Map(Object.entries(sources)), importMap);
}

Deno.test("parseModules() finds imports of all kinds, and only these", () => {
  const modules = tree({
    "src/a.ts": `
      import { b } from "./b.ts";
      import type { C } from "./c.ts";
      export * from "./d.ts";
      export type { E } from "./e.ts";
      import "./f.ts";
      const g = await import("./g.ts");
      type H = import("./h.ts").H;
      type I = typeof import("./i.ts");
      import j from "mapped";
      import k from "./k.ts" with { type: "text" };
      import l from "node:path";
      // import m from "./m.ts"
      const text = 'import n from "./n.ts"';
    `,
    "src/script.js": `
      /** @import { B } from "./b.ts" */
      /** @param {import("./c.ts").C} c */
      function f(c) {}
    `,
    ...Object.fromEntries(
      [..."bcdefghijklmn"].map((name) => [`src/${name}.ts`, ""]),
    ),
  }, { mapped: "./src/j.ts" });
  assertEquals(
    modules.get("src/a.ts")?.imports,
    [..."bcdefghij"].map((name) => `src/${name}.ts`),
  );
  assertEquals(
    modules.get("src/script.js")?.imports,
    ["src/b.ts", "src/c.ts"],
  );
});

Deno.test("findFileCircles() names the files of each circle, types too", () => {
  const modules = tree({
    "src/net/a.ts": `import "./b.ts";`,
    "src/net/b.ts": `import type { C } from "./c.ts"; import "./d.ts";`,
    "src/net/c.ts": `import "./a.ts";`,
    "src/net/d.ts": `import "./e.ts";`,
    "src/net/e.ts": `import "./d.ts";`,
    "src/net/f.ts": `import "./a.ts";`,
  });
  assertEquals(findFileCircles(modules), [
    "circle of files: src/net/a.ts → src/net/b.ts → src/net/c.ts → src/net/a.ts",
    "circle of files: src/net/d.ts → src/net/e.ts → src/net/d.ts",
  ]);
});

Deno.test("findFolderCircles() finds one whose files are in none", () => {
  const modules = tree({
    "src/net/a.ts": `import "../pool/a.ts";`,
    "src/net/b.ts": "",
    "src/pool/a.ts": "",
    "src/pool/b.ts": `import "../net/b.ts";`,
  });
  assertEquals(findFileCircles(modules), []);
  assertEquals(findFolderCircles(modules), [
    "circle of folders: src/net → src/pool → src/net (src/net/a.ts imports src/pool/a.ts, src/pool/b.ts imports src/net/b.ts)",
  ]);
});

Deno.test("findFolderCircles() does not count what a face shows", () => {
  const modules = tree({
    "src/pool/mod.ts": `export * from "./a.ts"; export * from "../net/b.ts";`,
    "src/pool/a.ts": "",
    "src/net/b.ts": `import "../pool/a.ts";`,
  });
  assertEquals(findFolderCircles(modules), []);
});

Deno.test("findUpwardImports() tells upwards, sideways, and no level", () => {
  const modules = tree({
    "main.ts": `import "./src/main/a.ts";`,
    "src/main/a.ts": `import "../net/a.ts"; import "../../main.ts";`,
    "src/net/a.ts": `import "./b.ts"; import "../lib/a.ts";`,
    "src/net/b.ts": `import type { A } from "../main/a.ts";`,
    "src/lib/a.ts": `import "../router/a.ts";`,
    "src/router/a.ts": "",
    "src/attic/a.ts": `import "../lib/a.ts";`,
    "src/mod.ts": `export * from "./main/a.ts";`,
  });
  assertEquals(findUpwardImports(modules), [
    "import upwards: src/main/a.ts → main.ts",
    "import upwards: src/net/b.ts → src/main/a.ts",
    "import sideways: src/lib/a.ts → src/router/a.ts",
    "room without a level: src/attic/a.ts imports src/lib/a.ts",
  ]);
});

Deno.test("findFaceImports() lets nothing but a face import one", () => {
  const modules = tree({
    "src/mod.ts": `export * from "./pool/mod.ts";`,
    "src/pool/mod.ts": "",
    "src/testing/mod.ts": `import "./feed.ts";`,
    "src/testing/feed.ts": `import "proxymachine";`,
    "src/main/a.ts": `import "proxymachine/pool"; import "../mod.ts";`,
  }, {
    "proxymachine": "./src/mod.ts",
    "proxymachine/pool": "./src/pool/mod.ts",
  });
  assertEquals(findFaceImports(modules), [
    "import of a face: src/main/a.ts → src/pool/mod.ts",
    "import of a face: src/main/a.ts → src/mod.ts",
  ]);
});

Deno.test("findLong() names functions of 71 lines and modules of 401", () => {
  const body = (lines: number) => "{\n" + "// …\n".repeat(lines - 2) + "}";
  const modules = tree({
    "src/net/a.ts": `// not of the function\nfunction short() ${body(70)}
function long() ${body(71)}
const arrow = () => ${body(71)};
class Box {
  constructor() ${body(71)}
  get method() ${body(71)}
}
`,
    "src/net/b.ts": "//\n".repeat(400),
    "src/net/c.ts": "//\n".repeat(401),
  });
  assertEquals(findLong(modules), [
    "long function: long in src/net/a.ts:72 has 71 lines",
    "long function: arrow in src/net/a.ts:143 has 71 lines",
    "long function: Box.constructor in src/net/a.ts:215 has 71 lines",
    "long function: Box.method in src/net/a.ts:286 has 71 lines",
    "long module: src/net/c.ts has 401 lines",
  ]);
});
