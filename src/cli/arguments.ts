/**
 * The arguments of a command line: which option has which value.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { ConfigError } from "../lib/config_error.ts";
import { messageOf } from "../lib/errors.ts";
import type { Given } from "./listeners.ts";
import type { Values } from "../options/options.ts";
import { OPTIONS } from "../options/rows.ts";

/** What `parseArgs` is told about each option. */
const PARSED = Object.fromEntries(
  OPTIONS.map(({ name, short, argument, list = false }) => [name, {
    type: argument === undefined ? "boolean" as const : "string" as const,
    multiple: list,
    ...short === undefined ? {} : { short },
  }]),
);

/** Options that may stand without a value. */
const BARE = OPTIONS.filter(({ list }) => list).map(({ name }) => `--${name}`);

/** Options whose value is the argument that follows. */
const WITH_VALUE = OPTIONS.filter(({ argument, list }) => argument && !list)
  .flatMap(({ name, short }) =>
    short ? [`-${short}`, `--${name}`] : `--${name}`
  );

/** The long names of the options that each listener has for itself. */
const OF_LISTENERS = OPTIONS.filter(({ listener }) => listener)
  .map(({ name }) => name);

/**
 * Reads the arguments of a command line.
 *
 * @param args The arguments, without the name of the program.
 * @returns The values of the options, and in order those of the listeners.
 * @throws {ConfigError} If there is no such option, or its value is missing.
 */
export function readArguments(
  args: readonly string[],
): { readonly values: Values; readonly given: readonly Given[] } {
  try {
    const { values, tokens } = parseArgs({
      args: joined(args),
      options: PARSED,
      tokens: true,
    });
    const given = tokens.flatMap((token) =>
      token.kind === "option" && OF_LISTENERS.includes(token.name)
        ? [{ name: token.name, value: token.value ?? "" }]
        : []
    );
    // it gives what it is told to look for, of which Values is the type
    return { values: values as Values, given };
  } catch (error) {
    const text = messageOf(error);
    const [first = text] = text.split(/\n|\. To specify/);
    throw new ConfigError(
      `Cannot use the command line: ${first.replace(/\.$/, "")} (see --help)`,
      { cause: error },
    );
  }
}

/**
 * Joins values to their options where `parseArgs` would not understand: a
 * negative number behind its option, and no value at all.
 */
function joined(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const next = args[at + 1] ?? "";
    if (arg === "--") return [...joined, ...args.slice(at)];
    if (BARE.includes(arg)) joined.push(`${arg}=`);
    else if (WITH_VALUE.includes(arg) && /^-[.\d]/.test(next)) {
      joined.push(arg.startsWith("--") ? `${arg}=${next}` : arg + next);
      at++;
    } else joined.push(arg);
  }
  return joined;
}
