import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";
import { run } from "../support/run.ts";

Deno.test("confineImports() refuses imports of files from outside the folders, and no others", async () => {
  await using inside = await Folder.make({
    "own.js": `export default "own";`,
    "later.js": `export default "later";`,
  });
  await using outside = await Folder.make({
    "secret.js": `export default "secret";`,
    "secret.json": `"secret"`,
  });
  const url = (path: string) => JSON.stringify(pathToFileURL(path).href);
  await Deno.writeTextFile(
    inside.file("main.js"),
    `import { confineImports } from ${
      url(join(ROOT, "src/worker/import_hooks.ts"))
    };
    let readable = [${JSON.stringify(inside.path)}];
    confineImports(() => readable);
    const attempt = async (url, options) => {
      try {
        console.log((await import(url, options)).default);
      } catch (error) {
        console.log(error.message.includes("Requires read access"));
      }
    };
    await attempt(${url(inside.file("own.js"))});
    await attempt(${url(outside.file("secret.js"))});
    await attempt(${
      url(outside.file("secret.json"))
    }, { with: { type: "json" } });
    await attempt(${
      url(`${inside.path}/../${outside.path.split("/").at(-1)}/secret.js`)
    });
    await attempt("data:application/javascript,export default 'data'");
    readable = [];
    await attempt(${url(inside.file("later.js"))});
    `,
  );
  const { stdout, stderr } = await run([
    Deno.execPath(),
    "run",
    "-A",
    inside.file("main.js"),
  ]);
  assertEquals(stdout, "own\ntrue\ntrue\ntrue\ndata\ntrue\n", stderr);
});
