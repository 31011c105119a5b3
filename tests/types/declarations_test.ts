import {
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { join } from "node:path";
import { PROGRAM } from "../support/program.ts";
import { run } from "../support/run.ts";
import { generate, TARGET } from "./generate.ts";

Deno.test("src/cli/declarations.ts is what `deno task types` makes of the sources", async () => {
  assertStrictEquals(await Deno.readTextFile(TARGET), await generate());
});

Deno.test("--types prints all that a compiler needs to check a router", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { stdout } = await run([...PROGRAM, "--types"]);
    await Deno.writeTextFile(join(folder, "proxymachine.d.ts"), stdout);
    const compile = async (router: string) => {
      const file = join(folder, "router.ts");
      await Deno.writeTextFile(
        file,
        `/// <reference path="./proxymachine.d.ts" />\n${router}`,
      );
      return await run([
        ...[Deno.execPath(), "run", "-A", "npm:typescript@5.9.3/tsc"],
        ...["--noEmit", "--strict", "--target", "esnext", "--module", "esnext"],
        ...["--lib", "esnext,dom", "--moduleResolution", "bundler", file],
      ]);
    };
    const router = (timeout: string) =>
      `import { latin1, type Router } from "proxymachine";
import { tls } from "proxymachine/protocols";
export default {
  route(data) {
    const name: string | undefined = tls(data)?.serverName;
    if (name === undefined) return { noop: true };
    return { remote: name + ":443", data: latin1("x"), connectTimeout: ${timeout} };
  },
} satisfies Router;`;

    const good = await compile(router("1.5"));
    assertEquals(good.stdout, "");
    assertEquals(good.code, 0);

    const bad = await compile(router('"1.5"'));
    assertNotEquals(bad.code, 0);
    assertMatch(bad.stdout, /router\.ts\(5,\d+\): error TS2322/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
