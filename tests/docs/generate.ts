/**
 * Makes the reference pages from the code: `deno task docs` writes them to
 * `docs/reference`.
 *
 * @module
 */
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { apiPage } from "./api.ts";
import { decisionsPage } from "./decisions.ts";
import { accessLogPage, endReasonsPage, metricsPage } from "./logs.ts";
import { format } from "./markdown.ts";
import { optionsPage } from "./options.ts";
import { parsersPage } from "./parsers.ts";
import { Types } from "./types.ts";

/** The folder of the pages. */
export const REFERENCE: string = join(ROOT, "docs", "reference");

/** What each page is about, in the order of the contents. */
const PAGES: Readonly<
  Record<string, readonly [title: string, make: (types: Types) => string]>
> = {
  "options.md": ["options, signals, exit status", optionsPage],
  "decisions.md": ["decisions of a router", decisionsPage],
  "parsers.md": ["fields of parsers, and how tables ask for them", parsersPage],
  "access-log.md": ["fields of the access log", accessLogPage],
  "end-reasons.md": ["why connections end", endReasonsPage],
  "api.md": ["the JSON API of the admin server", apiPage],
  "metrics.md": ["metrics for Prometheus", metricsPage],
};

if (import.meta.main) {
  await Deno.mkdir(REFERENCE, { recursive: true });
  for (const [name, text] of await makePages()) {
    await Deno.writeTextFile(join(REFERENCE, name), text);
  }
}

/**
 * Makes the pages.
 *
 * @returns The name and the text of each, formatted as `deno fmt` does.
 */
export async function makePages(): Promise<Map<string, string>> {
  const types = new Types([
    "src/router/contract.ts",
    "src/router/decision.ts",
    "src/protocols/mod.ts",
    "src/admin/json_types.ts",
  ]);
  const pages = new Map([["README.md", contents()]]);
  for (const [name, [, make]] of Object.entries(PAGES)) {
    pages.set(
      name,
      `<!-- Made by "deno task docs" from the code: change that instead. -->\n\n${
        make(types)
      }`,
    );
  }
  const formatted = await Promise.all(
    [...pages].map(async ([name, text]) => [name, await format(text)] as const),
  );
  return new Map(formatted);
}

function contents(): string {
  return `# Reference

These pages are made from the code by \`deno task docs\`; a test fails when they
are out of date.

${
    Object.entries(PAGES).map(([name, [title]]) =>
      `- [${name}](${name}): ${title}`
    )
      .join("\n")
  }
`;
}
