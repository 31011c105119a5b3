import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { ROOT } from "../support/paths.ts";
import { anchorsOf, type Page, readPages } from "./pages.ts";

const PAGES = readPages();

/** What a page links to, without the internet. */
function linksOf({ text }: Page): string[] {
  const plain = text.replaceAll(/^```[^]*?^```$/gm, "");
  return [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

Deno.test("every link in the manual leads to a file, and to a heading in it", () => {
  const wrong: string[] = [];
  let checked = 0;
  for (const page of PAGES) {
    for (const link of linksOf(page)) {
      checked++;
      const [file = "", anchor] = link.split("#");
      const path = file === ""
        ? page.path
        : normalize(join(dirname(page.path), file));
      if (!existsSync(join(ROOT, path))) wrong.push(`${page.path}: ${link}`);
      if (anchor === undefined) continue;
      const target = PAGES.find((one) => one.path === path) ??
        { path, text: Deno.readTextFileSync(join(ROOT, path)) };
      if (!anchorsOf(target).has(anchor)) wrong.push(`${page.path}: ${link}`);
    }
  }
  assert(checked > 100, `only ${checked} links`);
  assertEquals(wrong, []);
});

Deno.test("every page of the manual is linked from the contents", () => {
  const [readme] = PAGES;
  const reference = PAGES.find(({ path }) =>
    path === "docs/reference/README.md"
  );
  assert(readme && reference);
  const linked = new Set([
    readme.path,
    ...linksOf(readme),
    ...linksOf(reference).map((link) => `docs/reference/${link}`),
  ]);
  assertEquals(
    PAGES.map(({ path }) => path).filter((path) => !linked.has(path)),
    [],
  );
});

Deno.test("every file of the source that the manual names exists", () => {
  const named = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|tests|examples)\/[\w./-]+|main\.ts)`/g)]
      .map(([, file = ""]) => [path, file] as const)
  );
  assert(named.length > 30, `only ${named.length} files`);
  assertEquals(
    named.filter(([, file]) => !existsSync(join(ROOT, file))),
    [],
  );
});

Deno.test("README.md has at most 250 lines", async () => {
  const text = await Deno.readTextFile(join(ROOT, "README.md"));
  const lines = text.trimEnd().split("\n").length;
  assert(lines <= 250, `${lines} lines`);
});
