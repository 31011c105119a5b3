/**
 * The arguments of tools.
 *
 * @module
 */
import { type Args, parseArgs } from "@std/cli";

/**
 * Reads the arguments of a tool, which are options only.
 *
 * @param args What the tool was started with.
 * @param flags Options that are given or not.
 * @param texts Options that have a value.
 * @throws {Error} If something else is given, or a value is missing.
 */
export function readArguments<
  const F extends string = never,
  const T extends string = never,
>(
  args: readonly string[],
  flags: readonly F[],
  texts: readonly T[] = [],
): Args<F, T> {
  const values = parseArgs(args, {
    boolean: flags,
    string: texts,
    unknown(arg) {
      const known = [...flags, ...texts].map((name) => `--${name}`).join(" ");
      throw new Error(
        `Cannot use ${arg} as options must be among ${known}`,
      );
    },
  });
  for (const text of texts) {
    if ((values as Record<string, unknown>)[text] === "") {
      throw new Error(`Cannot use --${text} as it must have a value`);
    }
  }
  return values;
}
