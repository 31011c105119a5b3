/**
 * Options whose value is a list, or is left out.
 *
 * @module
 */
import { unusable } from "../lib/config_error.ts";

/** One kind of permission: nothing, everything, or what the list names. */
export type Grant = boolean | readonly string[];

/**
 * Parses such an option.
 *
 * @param option The option, such as `--allow-net`.
 * @param values What was given, each time; empty where it was left out.
 * @returns `true` for everything, if it was left out once; otherwise the list.
 * `undefined` if the option was not given.
 * @throws {ConfigError} If a value is no list.
 */
export function listOption(
  option: string,
  values: readonly string[] | undefined,
): true | readonly string[] | undefined {
  if (values === undefined) return undefined;
  if (values.includes("")) return true;
  const list = values.flatMap((value) => value.split(","));
  if (list.includes("")) {
    throw unusable(option, "be a list with commas between", values.join(" "));
  }
  return list;
}
