/**
 * The pages of the manual, and the blocks of code in them.
 *
 * @module
 */
import { join, relative } from "node:path";
import { ROOT } from "../support/paths.ts";

/** A page. */
export interface Page {
  /** Its path from the top of the checkout. */
  readonly path: string;
  readonly text: string;
}

/** A block of code. */
export interface Block {
  /** The page and the line at which it begins: `docs/tls.md:17`. */
  readonly place: string;
  /** The path of its page. */
  readonly page: string;
  /** The first word behind the fence, such as `ts`; empty if there is none. */
  readonly language: string;
  /** The other words behind the fence. */
  readonly notes: readonly string[];
  /** The name of the file that the text above tells to save it as. */
  readonly file: string | undefined;
  readonly code: string;
}

/** Reads README.md and all pages of docs. */
export function readPages(): Page[] {
  const paths = [join(ROOT, "README.md"), ...listPages(join(ROOT, "docs"))];
  return paths.map((path) => ({
    path: relative(ROOT, path),
    text: Deno.readTextFileSync(path),
  }));
}

function listPages(folder: string): string[] {
  return [...Deno.readDirSync(folder)].toSorted((a, b) =>
    a.name < b.name ? -1 : 1
  ).flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return listPages(path);
    return name.endsWith(".md") ? [path] : [];
  });
}

/** Finds the blocks of code of a page. */
export function blocksOf({ path, text }: Page): Block[] {
  const blocks: Block[] = [];
  let above = "";
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (open === undefined && fence === null) {
      if (line !== "") above = line;
    } else if (open === undefined) {
      open = { line: index + 1, info: fence?.[1] ?? "", lines: [] };
    } else if (fence === null) {
      open.lines.push(line);
    } else {
      const [language = "", ...notes] = open.info.split(" ");
      blocks.push({
        place: `${path}:${open.line}`,
        page: path,
        language,
        notes,
        file: /ave this as `([^`]+)`:$/.exec(above)?.[1],
        code: `${open.lines.join("\n")}\n`,
      });
      open = undefined;
      above = "";
    }
  }
  if (open !== undefined) throw new Error(`${path}: a block has no end`);
  return blocks;
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf({ text }: Page): Set<string> {
  const plain = text.replaceAll(/^```[^]*?^```$/gm, "");
  return new Set(
    [...plain.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-")
    ),
  );
}
