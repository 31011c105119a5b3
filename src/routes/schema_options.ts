/**
 * The options in the schema of a route table: a key for each that a table may
 * set. For the main thread only.
 *
 * @module
 */
import { resolve } from "node:path";
import type { z } from "zod";
import { socketPaths } from "../options/kinds.ts";
import { helpOf, type Option, tableKey } from "../options/option.ts";
import {
  READ_OPTIONS,
  type ReadOption,
  type Settings,
} from "../options/options.ts";
import { fromKind, mapping } from "./schema_parts.ts";

type Grants = NonNullable<Settings["grants"]>;

const IN_TABLES = READ_OPTIONS.filter((option) => tableKey(option));
const GRANTS = IN_TABLES.filter(({ part }) => part === "grants");
const OTHERS = IN_TABLES.filter(({ part }) => part !== "grants");

/** The keys of options, by name; what they are read as is in `toSettings`. */
export const options: Record<string, z.ZodType> = {
  ...keysOf(OTHERS),
  allow: mapping(keysOf(GRANTS)).optional()
    .describe("Permissions of the router module."),
};

function keysOf(rows: readonly ReadOption[]): Record<string, z.ZodType> {
  return Object.fromEntries(rows.map((option) => [
    option.key,
    fromKind(option.kind).optional().describe(describeOption(option)),
  ]));
}

/** What editors say about an option: its help, as a sentence. */
export function describeOption(option: Option): string {
  const help = helpOf(option);
  return `${help.charAt(0).toUpperCase()}${help.slice(1)}.`;
}

/**
 * Collects the options that a table sets.
 *
 * @param input The table, as the schema has read it.
 */
export function toSettings(
  input: Readonly<Record<string, unknown>>,
  folder: string,
): Settings {
  const allow = input.allow as Readonly<Record<string, unknown>> | undefined;
  // the schema has read each value by the kind of its row
  const settings = valuesOf(OTHERS, input, folder) as Settings;
  if (allow === undefined) return settings;
  const grants: Grants = valuesOf(GRANTS, allow, folder);
  const { net } = grants;
  const unix = typeof net === "object" ? { unix: socketPaths(net) } : {};
  return { ...settings, grants: { ...grants, ...unix } };
}

function valuesOf(
  rows: readonly ReadOption[],
  input: Readonly<Record<string, unknown>>,
  folder: string,
): Record<string, unknown> {
  return Object.fromEntries(rows.flatMap((option) => {
    const { key } = option;
    if (input[key] === undefined) return [];
    return [[
      key,
      option.path ? within(folder, input[key], option) : input[key],
    ]];
  }));
}

/** Makes the paths of a value absolute; some words are no paths. */
function within(folder: string, value: unknown, option: Option): unknown {
  if (Array.isArray(value)) {
    return value.map((path) => within(folder, path, option));
  }
  return typeof value !== "string" || option.words?.includes(value)
    ? value
    : resolve(folder, value);
}
