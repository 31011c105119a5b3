/**
 * What the tests of examples share.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { EXAMPLES } from "./paths.ts";
import { Proxy } from "./proxy.ts";
import { run } from "./run.ts";

/** The text of an example, with the addresses of the test in place of its own. */
export async function readExample(
  name: string,
  addresses: Readonly<Record<string, string>>,
): Promise<string> {
  let text = await Deno.readTextFile(join(EXAMPLES, name));
  for (const [address, replacement] of Object.entries(addresses)) {
    assert(text.includes(`"${address}"`), `${name} has no ${address}`);
    text = text.replaceAll(`"${address}"`, `"${replacement}"`);
  }
  return text;
}

/** Starts the proxy with an example whose addresses are those of the test. */
export async function startExample(
  name: string,
  addresses: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Proxy> {
  const text = await readExample(name, addresses);
  return await Proxy.start(text, { args: ["-w", "1", ...args] });
}

/** Runs a program that must succeed; gives what it prints. */
export async function succeed(...command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  assertEquals(code, 0, `${command.join(" ")}: ${stderr}`);
  return stdout;
}
