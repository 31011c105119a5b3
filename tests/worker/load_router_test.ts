import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  fail,
} from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  checkRouter,
  HOOKS,
  loadRouter,
  RouterError,
} from "../../src/worker/load_router.ts";

function refusal(value: unknown): string {
  try {
    checkRouter(value, "r.ts");
  } catch (error) {
    assert(error instanceof RouterError, String(error));
    return error.message;
  }
  fail("the router was accepted");
}

/** The message when a module of this text is loaded as the router. */
async function loadFailure(text: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "proxymachine-test-" });
  try {
    const file = join(folder, "r.ts");
    await Deno.writeTextFile(file, text);
    await loadRouter(pathToFileURL(file).href, "r.ts");
  } catch (error) {
    assert(error instanceof RouterError, String(error));
    return error.message;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  fail("the router was loaded");
}

Deno.test("checkRouter() takes a function as route()", () => {
  const route = () => undefined;
  assertEquals(checkRouter(route, "r.ts"), { route });
  class Callable {}
  assertStrictEquals(checkRouter(Callable, "r.ts").route, Callable);
});

Deno.test("checkRouter() takes an object with route, accept or both", () => {
  const hook = () => undefined;
  for (const router of [{ route: hook }, { accept: hook }]) {
    assertStrictEquals(checkRouter(router, "r.ts"), router);
  }
  const all = Object.fromEntries(HOOKS.map((name) => [name, hook]));
  assertStrictEquals(checkRouter(all, "r.ts"), all);
  const absent = { route: hook, timeout: undefined };
  assertStrictEquals(checkRouter(absent, "r.ts"), absent);
});

Deno.test("checkRouter() takes the instance of a class", () => {
  class Table {
    route(): undefined {}
  }
  const router = new Table();
  assertStrictEquals(checkRouter(router, "r.ts"), router);
});

Deno.test("checkRouter() shows the default export when it is no router", () => {
  const cases: [value: unknown, shown: string][] = [
    [undefined, "undefined"],
    [null, "null"],
    ["10.0.0.1:80", `"10.0.0.1:80"`],
    [5, "5"],
  ];
  for (const [value, shown] of cases) {
    assertEquals(
      refusal(value),
      `Cannot use the router r.ts as its default export must be an object with hooks, or the route function: current value is ${shown}`,
    );
  }
});

Deno.test("checkRouter() names what is wrong when a hook is", () => {
  const route = () => undefined;
  const hooks = "accept, route, timeout, connectError, inactivityError";
  const cases: [value: unknown, message: string][] = [
    [
      { route, connect_error: 1 },
      `"connect_error" is not a hook (${hooks}): current value is 1`,
    ],
    [
      { route, onError: null },
      `"onError" is not a hook (${hooks}): current value is null`,
    ],
    [
      { route: "10.0.0.1:80" },
      `its hook "route" must be a function: current value is "10.0.0.1:80"`,
    ],
    [
      { route, timeout: 5 },
      `its hook "timeout" must be a function: current value is 5`,
    ],
    [{}, `it must have "route" or "accept": current value is {}`],
    [
      { connectError: undefined },
      `it must have "route" or "accept": current value is { connectError: undefined }`,
    ],
  ];
  for (const [value, message] of cases) {
    assertEquals(refusal(value), `Cannot use the router r.ts as ${message}`);
  }
});

Deno.test("loadRouter() loads TypeScript from a data: URL", async () => {
  const text = "export default { route(): undefined {} } as object;";
  const router = await loadRouter(
    `data:application/typescript,${encodeURIComponent(text)}`,
    "from standard input",
  );
  assertEquals(router.route?.length, 0);
});

Deno.test("loadRouter() says on one line what is wrong when a module does not load", async () => {
  const cases: [text: string, message: RegExp][] = [
    [
      "export const route = 1;",
      /^Cannot use the router r\.ts as its default export must be .*: current value is undefined$/,
    ],
    ["export default {\n  route( {\n};", /r\.ts:[23]:\d+/],
    [
      "\nthrow new TypeError('two\\nlines');",
      /^Cannot load the router r\.ts: TypeError: two lines at file:.*r\.ts:2:7$/,
    ],
    ["throw 'rubbish';", /^Cannot load the router r\.ts: "rubbish"$/],
    ["throw undefined;", /^Cannot load the router r\.ts: undefined$/],
    [
      "import './missing.ts';",
      /^Cannot load the router r\.ts: Module not found .*missing\.ts/,
    ],
    [
      "import { x } from 'data:text/javascript,';\nexport default { x };",
      /^Cannot load the router r\.ts: SyntaxError: .*'x'/,
    ],
  ];
  for (const [text, expected] of cases) {
    const message = await loadFailure(text);
    assertMatch(message, expected);
    assert(!message.includes("\n"), message);
  }
});

Deno.test("loadRouter() says that there is no such module when there is none", async () => {
  await assertRejects(
    () => loadRouter("file:///nowhere/r.ts", "r.ts"),
    RouterError,
    /Module not found "file:\/\/\/nowhere/,
  );
});
