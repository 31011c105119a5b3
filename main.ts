/**
 * The program: arguments in, exit status out.
 *
 * @module
 */
import { checkRuntime } from "./src/main/runtime.ts";
import { Signals } from "./src/main/signals.ts";
import type { Settings } from "./src/options/options.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Runs the program.
 *
 * @param args The command line, without the name of the program.
 * @returns The exit status: 0 stopped as asked, 1 could not run, 2 usage or
 * configuration error. Errors are printed, never thrown.
 */
export async function main(args: readonly string[]): Promise<number> {
  const problem = checkRuntime();
  if (problem !== undefined) {
    console.error(`proxymachine: ${problem}`);
    return 2;
  }
  // comes early, as it takes a while to load the rest; heard to the very end
  const signals = new Signals();
  try {
    const { parseCommandLine } = await import("./src/cli/command_line.ts");
    const { execute } = await import("./src/main/commands.ts");
    const parse = (settings?: Settings) =>
      parseCommandLine(args, navigator.hardwareConcurrency, settings);
    return await execute(parse(), parse, signals);
  } catch (error) {
    console.error(
      `proxymachine: ${error instanceof Error ? error.message : error}`,
    );
    return error instanceof Error && error.name === "StartError" ? 1 : 2;
  }
}
