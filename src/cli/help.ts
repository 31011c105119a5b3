/**
 * What the program prints about itself.
 *
 * @module
 */
import { VERSION } from "../lib/version.ts";
import { helpOf, type Option, type Section } from "../options/option.ts";
import { SECTIONS } from "../options/rows.ts";
import { EXIT_STATUS, SIGNALS } from "./exit_status.ts";

/** The width of the terminal that everything fits. */
const WIDTH = 80;

/** What `--help` prints. */
export const HELP: string = `\
proxymachine ${VERSION}: a content-aware TCP routing proxy

Usage:
  proxymachine -c <file> [[-h <host>] [-p <port>]]... [options]

${SECTIONS.map(section).join("\n")}
Signals:
${SIGNALS.map(([names, help]) => entry(names, help, 13)).join("")}
Exit status:
${rows(EXIT_STATUS.map(([status, help]) => `${status}  ${help}`))}`;

function section({ title, note, column = 31, options }: Section): string {
  const heading = note === undefined ? title : `${title} (${note})`;
  return `${heading}:\n${
    options.map((option) => entry(usage(option), helpOf(option), column)).join(
      "",
    )
  }`;
}

function usage({ name, short, argument, list }: Option): string {
  const names = short === undefined ? `    --${name}` : `-${short}, --${name}`;
  if (argument === undefined) return names;
  return list ? `${names}[=${argument},...]` : `${names} ${argument}`;
}

/** A name at the left, and its text beside it, or below if it is too long. */
function entry(name: string, help: string, column: number): string {
  const left = `  ${name}`;
  const [first = "", ...rest] = wrap(help, WIDTH - column);
  const begin = left.length < column
    ? [left.padEnd(column) + first]
    : [left, " ".repeat(column) + first];
  const lines = [...begin, ...rest.map((line) => " ".repeat(column) + line)];
  return lines.map((line) => `${line}\n`).join("");
}

/** Breaks a text between words. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Puts short texts beside each other, as many as fit a line. */
function rows(texts: readonly string[]): string {
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    const longer = `${last}    ${text}`;
    if (last === undefined || longer.length > WIDTH) lines.push(`  ${text}`);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => `${line}\n`).join("");
}
