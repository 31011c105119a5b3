/**
 * The program on another runtime than it needs.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { need, run } from "../support/run.ts";
import { test } from "../support/test.ts";

test("Deno 2.8.3 gets one line, and status 2", async () => {
  const { code, stdout, stderr } = await run([
    need("npx", "npm"),
    "--yes",
    "deno@2.8.3",
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    join(ROOT, "main.ts"),
    "--version",
  ]);
  assertEquals(code, 2, stderr);
  assertEquals(stdout, "");
  assertMatch(
    stderr,
    /^proxymachine: Cannot start as the runtime must be Deno 2\.9\.0 or later: current value is 2\.8\.3;.*\n$/,
  );
});
