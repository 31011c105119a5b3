import { assertEquals } from "@std/assert";
import { OPTIONS } from "../../src/options/rows.ts";
import { Folder } from "../support/folder.ts";
import { PROGRAM } from "../support/program.ts";
import { need, run } from "../support/run.ts";
import { test } from "../support/test.ts";
import { MAN_PAGE } from "./generate.ts";

/** Formats the manual page as a terminal without colours or bold shows it. */
async function format(): Promise<string> {
  const mandoc = need("mandoc", "mandoc");
  const { stdout } = await run([mandoc, "-Tascii", MAN_PAGE]);
  // bold is written by striking a letter twice
  // deno-lint-ignore no-control-regex
  return stdout.replace(/.\x08/g, "");
}

/** The text of the section or entry whose line has only this name. */
function below(page: string, name: string): string {
  const [, rest = ""] = page.split(`\n     ${name}\n`);
  return rest.split(/\n {5}(?=\S)|\n(?=\S)/)[0] ?? "";
}

test("mandoc finds no fault with the manual page", async () => {
  const mandoc = need("mandoc", "mandoc");
  assertEquals(await run([mandoc, "-Tlint", MAN_PAGE]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

test("the manual page has every option, as --help spells it", async () => {
  const page = await format();
  const tags = [...page.matchAll(/^ {5}(-.+?)(?: {2,}.*)?$/gm)]
    .map(([, tag]) => tag);
  assertEquals(
    tags,
    OPTIONS.map(({ name, short, argument, list }) => {
      if (argument === undefined) return `--${name}`;
      if (list) return `--${name}[=${argument},...]`;
      const long = `--${name} ${argument}`;
      return short === undefined ? long : `-${short} ${argument}, ${long}`;
    }),
  );
});

test("the router and the route table in the manual page can be loaded", async () => {
  const page = await format();
  for (const name of ["router.ts", "routes.yaml"]) {
    const [, example = ""] = below(page, name).split(":\n\n");
    const [code = ""] = example.split("\n\n");
    await using folder = await Folder.make({ [name]: code });
    const result = await run([...PROGRAM, "--check", "-c", folder.file(name)]);
    assertEquals(result.stderr, "");
    assertEquals(result.code, 0);
  }
});
