/**
 * The program that the tests start.
 *
 * @module
 */
import { join } from "node:path";
import { ROOT } from "./paths.ts";

/** The executable to test in place of the source, if there is one. */
const EXECUTABLE = Deno.env.get("PROXYMACHINE_EXECUTABLE");

/** How to run the program. */
export const PROGRAM: readonly string[] = EXECUTABLE === undefined
  ? [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-env",
    join(ROOT, "main.ts"),
  ]
  : [EXECUTABLE];

/**
 * The program with more permissions; the executable has all.
 *
 * @param flags Such as `--allow-write=/tmp`.
 */
export function programWith(...flags: readonly string[]): readonly string[] {
  if (EXECUTABLE !== undefined) return PROGRAM;
  const [deno = "", run = "", ...rest] = PROGRAM;
  return [deno, run, ...flags, ...rest];
}

/**
 * How the file of a router is named. The executable that can be built without
 * a download takes JavaScript only, so the routers of the tests that run on it
 * are written in what both languages have in common.
 */
export const ROUTER_EXTENSION = EXECUTABLE === undefined ? "ts" : "js";
