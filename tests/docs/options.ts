/**
 * The reference page of options.
 *
 * @module
 */
import { EXIT_STATUS, SIGNALS } from "../../src/cli/exit_status.ts";
import {
  helpOf,
  type Option,
  type Section,
  tableKey,
} from "../../src/options/option.ts";
import { SECTIONS } from "../../src/options/rows.ts";
import { cell, table } from "./markdown.ts";

/** Makes the page. */
export function optionsPage(): string {
  return `# Options

\`proxymachine --help\` prints the same. Times are in seconds, and may have
fractions. Options can be set in a [table](../tables.md#options), too.

${SECTIONS.map(section).join("\n\n")}

## Signals

${
    table(
      ["signal", "meaning"],
      SIGNALS.map(([name, text]) => [name, cell(text)]),
    )
  }

See [operations](../operations.md#signals).

## Exit status

${
    table(
      ["status", "meaning"],
      EXIT_STATUS.map(([status, text]) => [String(status), cell(text)]),
    )
  }
`;
}

function section({ title, note, options }: Section): string {
  const rows = options.map((option) => [
    usage(option),
    meaning(option),
    keyOf(option),
  ]);
  return `## ${title}

${note === undefined ? "" : `${note[0]?.toUpperCase()}${note.slice(1)}.\n\n`}${
    table(["option", "meaning", "in a table"], rows)
  }`;
}

function usage({ name, short, argument, list }: Option): string {
  const long = argument === undefined
    ? `--${name}`
    : list
    ? `--${name}[=${argument},…]`
    : `--${name} ${argument}`;
  const text = short === undefined ? long : `-${short}, ${long}`;
  return `\`${text}\``;
}

/** The key that a route table sets it with. */
function keyOf(option: Option): string {
  const key = tableKey(option);
  return key === undefined ? "" : `\`${key}\``;
}

function meaning(option: Option): string {
  return cell(helpOf(option)) +
    (option.listener
      ? " (for each [listener](../operations.md#listeners))"
      : "");
}
