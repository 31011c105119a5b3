/**
 * The mistakes in a route table: each with its line, its entry, the rule and
 * the value. For the main thread only.
 *
 * @module
 */
import type { z } from "zod";
import { ConfigError } from "../lib/config_error.ts";
import { describe } from "../lib/errors.ts";
import type { Place } from "./yaml.ts";

/** The way to a value: keys, and positions from 0. */
export type Path = readonly PropertyKey[];

/** One mistake. */
export interface Problem {
  readonly path: Path;
  /** Such as "must be a whole number from 1 to 1024". */
  readonly rule: string;
  /** What breaks the rule. */
  readonly value: unknown;
}

/**
 * Makes the error that lists all mistakes, a line for each.
 *
 * @param file The file, as the operator calls it.
 * @param root The table, for the names of its routes.
 * @returns The error, with the mistakes in the order of their lines.
 */
export function tableError(
  file: string,
  place: Place,
  problems: readonly Problem[],
  root: unknown,
): ConfigError {
  const lines = problems.map((problem) => {
    const { path, rule, value } = problem;
    const line = lineOf(place, path);
    const current = value === undefined
      ? ""
      : `: current value is ${withoutSecrets(describe(value))}`;
    const text = `${file}:${line}: ${entry(path, root)}: ${rule}${current}`;
    return { line, text };
  });
  lines.sort((one, other) => one.line - other.line);
  const texts = [...new Set(lines.map(({ text }) => text))];
  return new ConfigError(
    `Cannot use the route table ${file} as it has ${texts.length} ${
      texts.length === 1 ? "mistake" : "mistakes"
    }:\n${texts.join("\n")}`,
  );
}

/**
 * Finds the line of a value, or that of what should have it.
 *
 * @param place Where everything in the file is.
 * @returns The line, from 1.
 */
export function lineOf(place: Place, path: Path): number {
  let at = place;
  for (const key of path) {
    const next = at.entries.get(typeof key === "number" ? key : String(key));
    if (next === undefined) break;
    at = next;
  }
  return at.line;
}

/** Names an entry; positions count from 1. */
function entry(path: Path, root: unknown): string {
  const [first, second, ...rest] = path;
  if (first === undefined) return "table";
  const join = (keys: Path) =>
    keys.map((key) => typeof key === "number" ? key + 1 : String(key))
      .join(".");
  if (typeof second !== "number") return join(path);
  const kind = first === "routes" ? "route" : String(first);
  const name = first === "routes"
    ? valueAt(root, [first, second, "name"])
    : undefined;
  const title = `${kind} ${second + 1}${
    typeof name === "string" ? ` (${name})` : ""
  }`;
  return rest.length === 0 ? title : `${title}: ${join(rest)}`;
}

/**
 * Follows a path.
 *
 * @returns The value, or `undefined` if the way leads nowhere.
 */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.hasOwn(value, key)
      ? (value as Readonly<Record<PropertyKey, unknown>>)[key]
      : undefined;
  }
  return value;
}

/**
 * Makes mistakes of what the schema has found.
 *
 * @returns One mistake for each, in the words of the schema.
 */
export function fromIssues(
  issues: readonly z.core.$ZodIssue[],
  root: unknown,
): Problem[] {
  return explainAll(issues, [], root);
}

function explainAll(
  issues: readonly z.core.$ZodIssue[],
  above: Path,
  root: unknown,
): Problem[] {
  // what else is wrong with a mapping is seen without its unknown keys
  const unknown = new Set(
    issues.filter(({ code }) => code === "unrecognized_keys").map(({ path }) =>
      path.join("\n")
    ),
  );
  return issues
    .filter(({ code, path }) =>
      code !== "custom" || !unknown.has(path.join("\n"))
    )
    .flatMap((issue) => explain(issue, above, root));
}

function explain(
  issue: z.core.$ZodIssue,
  above: Path,
  root: unknown,
): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const rules = issue.message.split("\n");
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      rule: rules[index] ?? issue.message,
      value: valueAt(root, [...path, key]) ?? null,
    }));
  }
  if (issue.code === "invalid_union") {
    // the alternative of the right type says more than all of them together
    const fitting = issue.errors.find((issues) => !issues.some(isOtherType));
    if (fitting !== undefined && fitting.length > 0) {
      return explainAll(fitting, path, root);
    }
  }
  return [{ path, rule: issue.message, value: valueAt(root, path) }];
}

function isOtherType(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") {
    return issue.errors.every((issues) => issues.some(isOtherType));
  }
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

/** The URL of a table may have a password, wherever it was written. */
function withoutSecrets(text: string): string {
  return text.replaceAll(/(rediss?:\/\/)[^\s"]*@/g, "$1…@");
}
