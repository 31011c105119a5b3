/**
 * The program on another runtime than it needs.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { need, ROOT, run, test } from "../fixtures.ts";

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
  assert.equal(code, 2, stderr);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^proxymachine: Cannot start as the runtime must be Deno 2\.9\.0 or later: current value is 2\.8\.3;.*\n$/,
  );
});
