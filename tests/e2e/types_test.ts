import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";

/**
 * Type checks modules as an editor does.
 *
 * @returns For each module its lines with an error.
 */
async function check(
  modules: Readonly<Record<string, string>>,
): Promise<Map<string, Set<number>>> {
  await using folder = await Folder.make(modules);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--config", join(ROOT, "deno.json"), "."],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  const errors = new Map(
    Object.keys(modules).map((name) => [name, new Set<number>()]),
  );
  let found = false;
  for (const [, url = "", line] of text.matchAll(/at (file:\S+):(\d+):\d+/g)) {
    const name = Object.keys(modules).find((name) =>
      url === folder.url(name).href
    );
    if (name === undefined) continue; // where something is declared
    errors.get(name)?.add(Number(line));
    found = true;
  }
  assertEquals(success, !found, text);
  return errors;
}

/** The lines that say that they are wrong. */
function wrongLines(text: string): Set<number> {
  return new Set(
    text.split("\n").flatMap((line, i) =>
      line.endsWith("// wrong") ? [i + 1] : []
    ),
  );
}

const GOOD = {
  "all_hooks.ts": `import type { Router } from "proxymachine";

export default {
  accept(client) {
    const { remoteAddr, localAddr } = client;
    if (remoteAddr.transport === "unix") return { close: remoteAddr.path };
    if (remoteAddr.hostname === "10.0.0.1") return { close: true };
    if (localAddr.transport === "tcp" && localAddr.port === 22) return { remote: "[::1]:22" };
  },
  route(data, client) {
    if (data.length < 4) return;
    if (data.startsWith("\\0")) return null;
    if (data.startsWith(new Uint8Array([1]))) return { noop: true };
    if (data.view.getUint16(0) === client.id) return { close: "bye\\n" };
    if (data.bytes[0] === 5) return { reply: data.bytes.slice(2), consume: 2 };
    if (data.text === "hi") return { reply: "hello" };
    return {
      remote: \`\${data.match(/(\\w+)/)?.[1]}.example.com:80\`,
      data: new Uint8Array([1]),
      reply: "ok",
      connectTimeout: 0.5,
      inactivityTimeout: 10,
    };
  },
  timeout: (data) => ({ remote: data.length === 0 ? "a:1" : "b:1" }),
  connectError(remote, error, client) {
    console.log(remote, error.message, client.remoteAddr.transport);
    if (remote === "a:1") return { remote: "b:1" };
    return { close: new Uint8Array([1, 2]) };
  },
  inactivityError() {},
} satisfies Router;
`,
  "asynchronous.ts": `import type { Router } from "proxymachine";

export default {
  async accept() {
    await Promise.resolve();
  },
  async route(data) {
    if (data.length < 4) return;
    const response = await fetch("http://127.0.0.1/" + data.text);
    return response.ok ? { remote: await response.text() } : { close: true };
  },
  timeout: async () => await Promise.resolve({ close: "too late" }),
  connectError: () => Promise.resolve(undefined),
} satisfies Router;
`,
  "annotated.ts": `import type {
  Client,
  Decision,
  Preread,
  RouteFunction,
  Router,
} from "proxymachine";

function decide(data: Preread, client: Client): Decision {
  return client.id > data.length ? undefined : { remote: "a:1" };
}

export const route: RouteFunction = (data, client) => decide(data, client);

const router: Router = { route: decide };
export default router;
`,
  "function.ts": `import type { RouteFunction } from "proxymachine";

export default ((data) => ({
  remote: data.startsWith("a") ? "a:1" : "b:1",
})) satisfies RouteFunction;
`,
  "parsers.ts": `import { latin1, type Router } from "proxymachine";
import { http, tls } from "proxymachine/protocols";

export default {
  route(data) {
    const hello = tls(data);
    if (hello) return { remote: \`\${hello.serverName ?? "default"}:443\` };
    const request = http(data);
    if (request) return { remote: \`\${request.host}:\${request.port ?? 80}\` };
    if (hello === undefined || request === undefined) return { noop: true };
    return { close: latin1("\\xff") };
  },
} satisfies Router;
`,
};

Deno.test("deno check accepts routers of every form", async () => {
  for (const [name, lines] of await check(GOOD)) {
    assertEquals([...lines], [], name);
  }
});

/** Routers of one hook: the error is told at the name of the hook. */
const DECISIONS = {
  "remote is a number": `{ remote: 80 }`,
  "remote is an object": `{ remote: { hostname: "a", port: 1 } }`,
  "remote is missing": `{ data: "x" }`,
  "close is false": `{ close: false }`,
  "close is a number": `{ close: 1 }`,
  "noop is false": `{ noop: false }`,
  "remote and close": `{ remote: "a:1", close: true }`,
  "remote and noop": `{ remote: "a:1", noop: true }`,
  "remote and consume": `{ remote: "a:1", consume: 1 }`,
  "reply and close": `{ reply: "x", close: true }`,
  "reply and data": `{ reply: "x", data: "y" }`,
  "consume without reply": `{ consume: 1 }`,
  "consume is a string": `{ reply: "x", consume: "1" }`,
  "connectTimeout is a string": `{ remote: "a:1", connectTimeout: "1" }`,
  "inactivityTimeout is a date": `{ remote: "a:1", inactivityTimeout: NOW }`,
  "data is a number": `{ remote: "a:1", data: 1 }`,
  "data is an array": `{ remote: "a:1", data: [1, 2] }`,
  "reply is a boolean": `{ remote: "a:1", reply: true }`,
  "a key of nothing": `{ remot: "a:1" }`,
  "a string": `"a:1"`,
  "a boolean": `true`,
};

Deno.test("deno check refuses a decision that is none, at the hook", async (t) => {
  const modules = Object.fromEntries(
    Object.entries(DECISIONS).map(([name, decision]) => [
      `${name.replaceAll(" ", "_")}.ts`,
      `import type { Router } from "proxymachine";

const NOW = new Date();

export default {
  accept() {},
  route(data) { // wrong
    if (data.length < NOW.getTime()) return;
    return ${decision};
  },
} satisfies Router;
`,
    ]),
  );
  for (const [name, lines] of await check(modules)) {
    await t.step(name, () => {
      assertEquals(lines, wrongLines(modules[name] ?? ""));
    });
  }
});

const BAD = {
  "misspelled_hook.ts": `import type { Router } from "proxymachine";

export default {
  route: () => ({ remote: "a:1" }),
  conectError() {}, // wrong
} satisfies Router;
`,
  "hook_of_the_original.ts": `import type { Router } from "proxymachine";

export default {
  route: () => ({ remote: "a:1" }),
  proxy_connect_error(): void {}, // wrong
} satisfies Router;
`,
  "hook_is_no_function.ts": `import type { Router } from "proxymachine";

export default {
  route: { remote: "a:1" }, // wrong
} satisfies Router;
`,
  "methods_of_data.ts": `import type { Router } from "proxymachine";

export default {
  route(data) {
    if (data.includes("x")) return { close: true }; // wrong
    if (data.startsWith(1)) return { close: true }; // wrong
    if (data.match("x")) return { close: true }; // wrong
    if (data === "x") return { close: true }; // wrong
    data.length = 0; // wrong
    return { remote: data.match(/x/)[0] }; // wrong
  },
} satisfies Router;
`,
  "client.ts": `import type { Router } from "proxymachine";

export default {
  accept(client) {
    if (client.address === "10.0.0.1") return { close: true }; // wrong
    if (client.remoteAddr === "10.0.0.1") return { close: true }; // wrong
    client.id = 1; // wrong
    return { remote: "a:1" };
  },
} satisfies Router;
`,
  "dialogue_after_routing.ts": `import type { Router } from "proxymachine";

export default {
  route: () => ({ remote: "a:1" }),
  timeout: () => ({ reply: "x" }), // wrong
  connectError: () => ({ reply: "x", consume: 1 }), // wrong
  inactivityError: () => ({ reply: "x" }), // wrong
} satisfies Router;
`,
  "arguments_in_another_order.ts": `import type { Router } from "proxymachine";

export default {
  route: () => ({ remote: "a:1" }),
  connectError(error: Error, remote: string) { // wrong
    console.log(error, remote);
  },
} satisfies Router;
`,
  "asynchronous.ts": `import type { Router } from "proxymachine";

export default {
  async accept() { // wrong
    await Promise.resolve();
    return { close: false };
  },
  route: (data) => Promise.resolve([data]), // wrong
} satisfies Router;
`,
  "annotated.ts": `import type { Decision, Router } from "proxymachine";

const router: Router = {
  rout() {}, // wrong
};
export const misspelled: Decision = {
  remote: "a:1",
  connect_timeout: 1, // wrong
};
export default router;
`,
  "imports.ts": `import { latin2 } from "proxymachine"; // wrong
import type { Routr } from "proxymachine"; // wrong
import { gopher } from "proxymachine/protocols"; // wrong

export default { route: () => ({ close: latin2 + gopher }) } satisfies Routr;
`,
  "parsers.ts": `import type { Router } from "proxymachine";
import { tls } from "proxymachine/protocols";

export default {
  route(data) {
    const host = tls(data).serverName; // wrong
    if (tls(data.text)) return { close: true }; // wrong
    return { remote: \`\${host}:443\` };
  },
  accept: () => ({ remote: tls(new Uint8Array())?.serverName }), // wrong
} satisfies Router;
`,
};

Deno.test("deno check refuses a router that cannot work, at the line that is wrong", async (t) => {
  for (const [name, lines] of await check(BAD)) {
    await t.step(name, () => {
      assertEquals(
        lines,
        wrongLines((BAD as Record<string, string>)[name] ?? ""),
      );
    });
  }
});
