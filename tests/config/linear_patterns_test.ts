/**
 * Patterns of tables and routers that would take a worker for ever: the tasks
 * run them with the linear engine of V8.
 */
import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../support/paths.ts";

const { start, demo, compile } = config.tasks;

for (const [name, { command }] of Object.entries({ start, demo, compile })) {
  // the compiled program has the flags that it was compiled with
  Deno.test(`the task ${name} ends patterns that backtrack for ever`, async () => {
    const flags = command.split(" ").filter((word) =>
      word.startsWith("--v8-flags=")
    );
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        ...flags,
        // 60 characters: 2 ** 60 steps without it
        `console.log(/^([a-z0-9]+[-.]?)+$/.test("a".repeat(60) + "!"),
          /^([a-z0-9]+[-.]?)+$/.test("a".repeat(60)))`,
      ],
      cwd: ROOT,
      signal: AbortSignal.timeout(60_000),
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "false true\n");
    assert(code === 0);
  });
}
