/**
 * The reference page of the fields of parsers.
 *
 * @module
 */
import * as parsers from "../../src/protocols/mod.ts";
import {
  type FieldKind,
  fieldKind,
} from "../../src/routes/matchers/protocols.ts";
import { cell, table } from "./markdown.ts";
import type { Field, Types } from "./types.ts";

const MODULE = "src/protocols/mod.ts";

const KINDS: Readonly<Record<FieldKind, string>> = {
  host: "a host name or IP address, in lower case; case does not count",
  path: "a text that begins with a slash; only `/^…/` is a regex",
  text: "a text; case counts",
  number: "a number",
  boolean: "`true` or `false`",
  texts: "several texts, of which one has to match",
  numbers: "several numbers, of which one has to match",
  lookup: "texts by name: `headers: { x-env: test }`",
};

/** Makes the page. */
export function parsersPage(types: Types): string {
  // A parser takes bytes; what makes a message takes options.
  const names = Object.entries(parsers).filter(([, { length }]) => length === 1)
    .map(([name]) => name).toSorted();
  return `# Fields of parsers

What the [parsers](../parsers.md) of \`proxymachine/protocols\` return. The column
"in a table" says how a [table](../tables.md#match) can ask for the field:

${
    table(
      ["kind", "meaning"],
      Object.entries(KINDS).map(([kind, text]) => [kind, text]),
    )
  }

${names.map((name) => section(name, types)).join("\n\n")}
`;
}

function section(name: string, types: Types): string {
  const fields = new Map<string, Field[]>();
  for (const field of types.answers(MODULE, name).flat()) {
    fields.set(field.name, [...fields.get(field.name) ?? [], field]);
  }
  const rows = [...fields.values()].map((same) => row(name, same));
  return `## \`${name}\`

${types.comment(MODULE, name)}

${table(["field", "type", "meaning", "in a table"], rows)}`;
}

/** A field, which several kinds of messages may have. */
function row(parser: string, same: readonly Field[]): string[] {
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  const [first] = same;
  if (first === undefined) throw new Error(`${parser} has an empty field`);
  return [
    `\`${first.name}\``,
    unique(same.map(({ type }) => `\`${type.replaceAll("|", "\\|")}\``))
      .join(" or "),
    unique(same.map(({ text }) => cell(text))).join("; or "),
    fieldKind(parser, first.name) ?? "–",
  ];
}
