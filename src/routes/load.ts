/**
 * Reading a route table. For the main thread only: the packages that this needs
 * are not loaded in the workers.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import type { Settings } from "../options/options.ts";
import { ConfigError } from "../lib/config_error.ts";
import { checkTable } from "./check.ts";
import { type ActionValues, toAction } from "./action.ts";
import {
  fromIssues,
  lineOf,
  type Path,
  type Problem,
  tableError,
} from "./problems.ts";
import { type TableInput, tableSchema } from "./schema.ts";
import { toSettings } from "./schema_options.ts";
import type { Otherwise, RouteTable } from "./route_table.ts";
import { readYaml, YamlError, type YamlFile } from "./yaml.ts";

/** A route table that was read and checked. */
export interface LoadedRouteTable {
  readonly table: RouteTable;
  /** The options that it sets. */
  readonly settings: Settings;
  /** The path of the module for the rest, if it names one. */
  readonly router: string | undefined;
}

/**
 * Reads a route table.
 *
 * @param source The text of the file.
 * @param file The path of the file; paths in it are relative to its folder.
 * @returns The table as plain data.
 * @throws {ConfigError} If it has mistakes; the message names all of them, a
 * line for each: file, line, entry, rule, value.
 */
export function readTable(source: string, file: string): LoadedRouteTable {
  const { value: content, place } = readFile(source, file);
  const value = content ?? {}; // an empty file
  const parsed = tableSchema.safeParse(value);
  const problems = parsed.success ? [] : fromIssues(parsed.error.issues, value);
  problems.push(...checkTable(value, soundness(problems)));
  if (problems.length > 0 || !parsed.success) {
    throw tableError(file, place, problems, value);
  }
  const input = parsed.data;
  const folder = dirname(resolve(file));
  return {
    table: {
      file,
      routes: (input.routes ?? []).map(({ name, match, ...action }, index) => ({
        name,
        line: lineOf(place, ["routes", index]),
        match,
        // the schema has read each value by the kind of its key
        action: toAction(action as ActionValues),
      })),
      pools: Object.entries(input.pools ?? {}).map(([name, pool]) => ({
        name,
        options: pool,
      })),
      tables: Object.entries(input.tables ?? {}).map(([name, table]) => {
        const { redis: url, passwordFile, ...options } = table;
        return { name, options: { url, ...options }, passwordFile };
      }),
      otherwise: otherwise(input),
    },
    settings: {
      ...toSettings(input, folder),
      ...input.listen === undefined ? {} : {
        listen: [input.listen].flat().map((listener) => listener(folder)),
      },
      ...input.admin === undefined ? {} : { admin: input.admin(folder) },
    },
    router: input.router === undefined
      ? undefined
      : resolve(folder, input.router),
  };
}

function readFile(source: string, file: string): YamlFile {
  try {
    return readYaml(source);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ConfigError(
      `Cannot use the route table ${file} as it has 1 mistake:\n${file}:${error.line}: table: ${error.message}`,
      { cause: error },
    );
  }
}

/** Tells where no mistake has been found. */
function soundness(problems: readonly Problem[]): (path: Path) => boolean {
  // a mistake makes all that it is in unsound, too
  const unsound = new Set<string>();
  for (const { path } of problems) {
    for (let length = 0; length <= path.length; length++) {
      unsound.add(path.slice(0, length).map(String).join("\n"));
    }
  }
  return (path) => !unsound.has(path.map(String).join("\n"));
}

function otherwise({ router, default: action }: TableInput): Otherwise {
  if (router !== undefined) return "router";
  return toAction((action ?? {}) as ActionValues);
}
