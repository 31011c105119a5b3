/**
 * The command line: options in, checked values out.
 *
 * @module
 */
import { ConfigError } from "../lib/config_error.ts";
import { adminOptions } from "../options/admin.ts";
import { socketPaths } from "../options/kinds.ts";
import {
  isRouteTable,
  type Options,
  parseOption,
  readOptions,
  type Settings,
  type Values,
} from "../options/options.ts";
import { OPTIONS, type Row, type Shell } from "../options/rows.ts";
import { readArguments } from "./arguments.ts";
import { type Given, parseListeners } from "./listeners.ts";

/** What the program is to do. */
export type Command =
  | { readonly kind: "help" | "version" | "types" }
  | { readonly kind: "completions"; readonly shell: Shell }
  | { readonly kind: "run" | "check"; readonly options: Options }
  | {
    readonly kind: "dry-run";
    readonly options: Options;
    /** The file with the bytes; `-` is standard input. */
    readonly file: string;
  };

/**
 * Parses the command line.
 *
 * @param args The arguments, without the name of the program.
 * @param cores The default for `--workers`.
 * @param read Defaults for the others, from a route table; none if there is no
 * table, or if it was not read yet.
 * @returns What to do.
 * @throws {ConfigError} If an option is unknown, lacks its value, or has a
 * value that breaks its rule.
 */
export function parseCommandLine(
  args: readonly string[],
  cores: number,
  read?: Settings,
): Command {
  const { values, given } = readArguments(args);
  if (values.help) return { kind: "help" };
  if (values.version) return { kind: "version" };
  if (values.types) return { kind: "types" };
  if (values.completions !== undefined) {
    const shell = parseOption(row("completions"), values.completions);
    return { kind: "completions", shell };
  }
  const options = optionsOf(values, given, cores, read);
  const file = values["dry-run"];
  if (file === undefined) {
    return { kind: values.check ? "check" : "run", options };
  }
  if (values.check) {
    throw new ConfigError("Cannot use --check and --dry-run at a time");
  }
  if (file === "-" && options.config === "-") {
    throw new ConfigError(
      "Cannot read both the router and the bytes from standard input: give -c or --dry-run a file",
    );
  }
  const path = parseOption(row("dry-run"), file);
  return { kind: "dry-run", options, file: path };
}

/** Puts the options together: those of a row each, and the others. */
function optionsOf(
  values: Values,
  given: readonly Given[],
  cores: number,
  read: Settings | undefined,
): Options {
  const { config, admin, "admin-token-file": tokenFile } = values;
  if (config === undefined || config === "") {
    throw new ConfigError(
      "Cannot start as -c FILE, the router module or route table, is needed: see --help",
    );
  }
  const settings = read ?? {};
  const unread = read === undefined && isRouteTable(config);
  const options = readOptions(values, settings);
  const hosts = values["allow-net"]?.flatMap((list) => list.split(","));
  return {
    ...options,
    config,
    listen: parseListeners(given, settings.listen, unread),
    workers: options.workers ?? cores,
    grants: {
      ...options.grants,
      unix: hosts ? socketPaths(hosts) : settings.grants?.unix ?? [],
    },
    admin: adminOptions(admin, tokenFile, settings.admin),
  };
}

type RowOf<N> = Extract<Row, { readonly name: N; readonly kind: object }>;

/** The row of an option that is no setting, but something to do. */
function row<const N extends "completions" | "dry-run">(name: N): RowOf<N> {
  // there is one: its name is the type
  return OPTIONS.find((option) => option.name === name) as unknown as RowOf<N>;
}
