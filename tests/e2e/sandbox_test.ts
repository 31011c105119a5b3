/**
 * What a router may not do. The routers are plain JavaScript, so that the same
 * tests run on an executable (`PROXYMACHINE_EXECUTABLE`).
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";
import { unusedPort } from "../support/ports.ts";
import { PROGRAM, ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { Terminal } from "../support/terminal.ts";

const ROUTER = `router.${ROUTER_EXTENSION}`;

/** Whether an executable is tested. */
const COMPILED = ROUTER_EXTENSION === "js";

/**
 * What Deno does not refuse in an executable (up to 2.9 at least): importing a
 * file is not subject to the read permission there.
 */
const NOT_REFUSED_WHEN_COMPILED = [
  "import a module outside its folder",
  "import data outside its folder",
  "import from its own folder after the start",
  "imports from outside",
];

/** Tells whether a test cannot pass on an executable. */
function isUnchecked(name: string): boolean {
  return COMPILED && NOT_REFUSED_WHEN_COMPILED.includes(name);
}

/** A server of modules that counts what it is asked for. */
class ModuleServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** How many requests there were. */
  requests = 0;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => {
        this.requests++;
        return new Response(`export const secret = "fetched";`, {
          headers: { "content-type": "text/javascript" },
        });
      },
    );
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A folder beside that of the router, with what it wants to have or to do. */
function makeOutside(): Promise<Folder> {
  return Folder.make({
    "file.txt": "secret",
    "module.js": `export const secret = "imported";`,
    "data.json": `{ "secret": true }`,
  });
}

/** What a router may try: an expression, and what it must be told. */
type Attempts = Readonly<Record<string, [expression: string, refusal: RegExp]>>;

/** What is refused at all times when nothing is granted. */
function forbidden(outside: Folder, modules: ModuleServer): Attempts {
  const quote = JSON.stringify;
  const file = quote(outside.file("file.txt"));
  const written = quote(outside.file("written.txt"));
  const program = `new Deno.Command("touch", { args: [${written}] })`;
  const escalating = quote(`postMessage(Deno.readTextFileSync(${file}))`);
  return {
    "read a file": [`Deno.readTextFile(${file})`, /Requires read access/],
    "read a file at once": [`Deno.readTextFileSync(${file})`, /read access/],
    "open a file": [`Deno.open(${file})`, /Requires read access/],
    "list a folder": [`Array.fromAsync(Deno.readDir("/"))`, /read access/],
    "fetch a file": [
      `fetch(${quote(outside.url("file.txt").href)}).then((r) => r.text())`,
      /Requires read access/,
    ],
    "read a file by node:fs": [
      `import("node:fs").then((fs) => fs.readFileSync(${file}, "utf8"))`,
      /Requires read access/,
    ],
    "read a variable": [`Deno.env.get("PATH")`, /Requires env access/],
    "read all variables": [`Deno.env.toObject()`, /Requires env access/],
    "read a variable by node:process": [
      `import("node:process").then((p) => p.default.env.PATH ?? none())`,
      /Requires env access|none is not defined/,
    ],
    "run a program": [`${program}.output()`, /Requires run access/],
    "run a program at once": [`${program}.outputSync()`, /run access/],
    "run a program by node:child_process": [
      `import("node:child_process").then((c) => c.execFileSync("true"))`,
      /Requires \w+ access/,
    ],
    "send a signal": [`Deno.kill(Deno.ppid, "SIGCONT")`, /cannot send signals/],
    "write a file": [
      `Deno.writeTextFile(${written}, "x")`,
      /Requires write access/,
    ],
    "make a temporary file": [`Deno.makeTempFile()`, /Requires write access/],
    "open a library": [`Deno.dlopen("libc.so.6", {})`, /Requires ffi access/],
    "ask about the system": [`Deno.hostname()`, /Requires sys access/],
    "end the program": [`Deno.exit(0)`, /cannot end the program/],
    "end the program by node:process": [
      `import("node:process").then((p) => p.default.exit(0))`,
      /cannot end the program/,
    ],
    "abort the program": [
      `import("node:process").then((p) => p.default.abort())`,
      /not supported|cannot end the program/,
    ],
    "end its worker": [`self.close()`, /cannot end its worker/],
    "import from the network": [
      `import("http://${modules.host}/module.js")`,
      COMPILED ? /Module not found/ : /Requires import access/,
    ],
    "import a module outside its folder": [
      `import(${quote(outside.url("module.js").href)})`,
      /Requires read access/,
    ],
    "import data outside its folder": [
      `import(${
        quote(outside.url("data.json").href)
      }, { with: { type: "json" } })`,
      /Requires read access/,
    ],
    "start a worker that may more": [
      `new Promise((resolve) => {
        const worker = new Worker(
          "data:text/javascript," + encodeURIComponent(${escalating}),
          { type: "module", deno: { permissions: { read: true } } },
        );
        worker.onmessage = resolve;
      })`,
      /cannot start threads/,
    ],
    "end the program by a function of node:process": [
      `import("node:process").then(({ exit }) => exit(0))`,
      /cannot end the program/,
    ],
    "send a signal by a function of node:process": [
      `import("node:process").then(({ kill, pid }) => kill(pid, "SIGKILL"))`,
      /cannot send signals/,
    ],
    "start a worker": [
      `new Worker("data:text/javascript," +
        encodeURIComponent("Deno.kill(Deno.pid, 'SIGKILL')"), {
        type: "module",
      })`,
      /cannot start threads/,
    ],
    "start a worker by node:worker_threads": [
      `import("node:worker_threads").then(({ Worker }) =>
        new Worker("process.kill(process.pid, 'SIGKILL')", { eval: true })
      )`,
      /cannot start threads/,
    ],
    "start a worker of a class of its own": [
      `new (class extends Worker {})("data:text/javascript,", {
        type: "module",
      })`,
      /cannot start threads/,
    ],
    "give threads their constructor back": [
      `import("node:worker_threads").then(({ Worker }) =>
        Object.setPrototypeOf(Worker, EventTarget)
      )`,
      /not extensible/,
    ],
    "speak for its worker by node:worker_threads": [
      `import("node:worker_threads").then(({ parentPort }) =>
        parentPort.postMessage("x")
      )`,
      /null|cannot speak for its worker/,
    ],
  };
}

/** Text of a router module: an object of functions, and one that calls them. */
function attemptsText(attempts: Attempts): string {
  const entries = Object.entries(attempts).map(([name, [expression]]) =>
    `${JSON.stringify(name)}: () => ${expression},`
  );
  return `
    const attempts = {\n${entries.join("\n")}\n};
    async function tell(name) {
      try {
        return "done: " + await attempts[name]();
      } catch (error) {
        return error.name + ": " + error.message;
      }
    }`;
}

/** A router that tries, for a client, what the client says, and tells it. */
function tryInHook(attempts: Attempts): string {
  return `${attemptsText(attempts)}
    export default {
      async route(data) {
        if (!data.text.endsWith("\\n")) return { noop: true };
        return { close: await tell(data.text.trim()) };
      },
    };`;
}

/** Sends a line as a client, and returns the whole answer. */
async function ask(proxy: Proxy, line: string): Promise<string> {
  using client = await proxy.connect();
  await send(client, `${line}\n`);
  return await receiveAll(client);
}

/** Lets the router try all, and expects that it is told so. */
async function expectRefusals(
  t: Deno.TestContext,
  proxy: Proxy,
  attempts: Attempts,
): Promise<void> {
  for (const [name, [, refusal]] of Object.entries(attempts)) {
    await t.step({
      name,
      ignore: isUnchecked(name),
      fn: async () => assertMatch(await ask(proxy, name), refusal),
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("a router is refused what it was not granted when it tries in a hook", async (t) => {
  await using outside = await makeOutside();
  await using modules = new ModuleServer();
  await using folder = await Folder.make({
    "data.json": "{}",
    "late.js": "export const late = 1;",
  });
  const attempts: Attempts = {
    ...forbidden(outside, modules),
    "read its own folder": [
      `Deno.readTextFile(${JSON.stringify(folder.file("data.json"))})`,
      /Requires read access/,
    ],
    "import from its own folder after the start": [
      // a literal would be found, and loaded, together with the router
      `import("./la" + "te.js")`,
      /Requires read access/,
    ],
    "ask for a permission": [
      `Deno.permissions.request({ name: "read" }).then(({ state }) => {
        throw new Error(state);
      })`,
      /Error: denied/,
    ],
  };
  await Deno.writeTextFile(folder.file(ROUTER), tryInHook(attempts));
  await using proxy = await Proxy.start(folder.url(ROUTER));
  await expectRefusals(t, proxy, attempts);
  assertEquals(modules.requests, 0);
  assert(!await exists(outside.file("written.txt")));
});

Deno.test("a router is refused what it was not granted when it tries while it loads", async (t) => {
  await using outside = await makeOutside();
  await using modules = new ModuleServer();
  const attempts = forbidden(outside, modules);
  await using proxy = await Proxy.start(`${attemptsText(attempts)}
    const told = new Map();
    for (const name in attempts) told.set(name, await tell(name));
    export default {
      route(data) {
        if (data.text.endsWith("\\n")) {
          return { close: told.get(data.text.trim()) };
        }
      },
    };`);
  await expectRefusals(t, proxy, attempts);
  assertEquals(modules.requests, 0);
  assert(!await exists(outside.file("written.txt")));
});

Deno.test("a refusal that a hook does not catch closes that client, is logged, and the others go on", async () => {
  await using outside = await makeOutside();
  const file = outside.file("file.txt");
  await using proxy = await Proxy.start(`export default {
    route(data) {
      switch (data.text) {
        case "read": return { close: Deno.readTextFileSync("${file}") };
        case "variable": return { close: Deno.env.get("PATH") };
        case "exit": return Deno.exit(0);
        case "close": return self.close();
        case "ok": return { close: "ok" };
      }
    },
  };`);
  const refusals = [
    ["read", `route() threw: NotCapable: Requires read access to "${file}"`],
    ["variable", "route() threw: NotCapable: Requires env access"],
    ["exit", "route() threw: Error: a router cannot end the program"],
    ["close", "route() threw: Error: a router cannot end its worker"],
  ] as const;
  for (const [request, logged] of refusals) {
    using client = await proxy.connect();
    await send(client, request);
    assertEquals(await receiveAll(client), "");
    await proxy.log.find(logged);
    using other = await proxy.connect();
    await send(other, "ok");
    assertEquals(await receiveAll(other), "ok");
  }
});

Deno.test("a refusal that a router does not catch while it loads is an error of one line", async (t) => {
  await using outside = await makeOutside();
  await using modules = new ModuleServer();
  const file = outside.file("file.txt");
  const module = outside.url("module.js").href;
  const tried: Record<string, [statement: string, named: string[]]> = {
    "reads a file": [
      `await Deno.readTextFile("${file}");`,
      [file, "--allow-read"],
    ],
    "reads a variable": [`Deno.env.get("PATH");`, ["PATH", "--allow-env"]],
    "runs a program": [`new Deno.Command("true").outputSync();`, ["run"]],
    "imports from outside": [`import "${module}";`, [
      outside.file("module.js"),
      "--allow-read",
    ]],
    "imports from the network": [
      `import "http://${modules.host}/module.js";`,
      COMPILED ? [modules.host] : [modules.host, "--allow-import"],
    ],
    "ends the program": [`Deno.exit(0);`, ["cannot end the program"]],
    "ends its worker": [`self.close();`, ["cannot end its worker"]],
  };
  for (const [name, [statement, named]] of Object.entries(tried)) {
    const fn = async () => {
      await using folder = await Folder.make({
        [ROUTER]: `${statement}\nexport default { route() {} };`,
      });
      const { code, stdout, stderr } = await run([
        ...PROGRAM,
        "-h",
        "127.0.0.1",
        "-p",
        "0",
        "-c",
        folder.file(ROUTER),
      ]);
      assertMatch(stderr, /^proxymachine: Cannot load the router \P{Cc}+\n$/u);
      for (const word of [folder.file(ROUTER), ...named]) {
        assert(stderr.includes(word), `${word} is not in ${stderr}`);
      }
      assertEquals(stdout, "");
      assertEquals(code, 2);
    };
    await t.step({ name, ignore: isUnchecked(name), fn });
  }
  assertEquals(modules.requests, 0);
});

Deno.test("a router may do what it was granted, and nothing else", async (t) => {
  await using outside = await makeOutside();
  await using folder = await Folder.make({
    "routes.txt": "from its own folder",
    "other.txt": "",
  });
  await using backend = new Backend(() => {});
  const quote = JSON.stringify;
  const read = (path: string) => `Deno.readTextFile(${quote(path)})`;
  const connect = (port: number) =>
    `Deno.connect({ hostname: "127.0.0.1", port: ${port} })
      .then((socket) => socket.close())`;
  const attempts: Attempts = {
    "read that file": [read(outside.file("file.txt")), /^done: secret$/],
    "read another": [read(outside.file("module.js")), /read access/],
    "read the file of its folder": [
      read(folder.file("routes.txt")),
      /^done: from its own folder$/,
    ],
    "read another of its folder": [
      read(folder.file("other.txt")),
      /read access/,
    ],
    "write that file": [
      `Deno.writeTextFile(${quote(outside.file("file.txt"))}, "x")`,
      /write access/,
    ],
    "read that variable": [`Deno.env.get("PATH")`, /^done: .*\/bin/],
    "read another variable": [`Deno.env.get("HOME")`, /env access/],
    "connect to that port": [connect(backend.port), /^done: undefined$/],
    "connect to another": [connect(unusedPort()), /Requires net access/],
    "run a program": [`new Deno.Command("true").output()`, /run access/],
  };
  await Deno.writeTextFile(folder.file(ROUTER), tryInHook(attempts));
  await using proxy = await Proxy.start(folder.url(ROUTER), {
    args: [
      "-w",
      "1",
      `--allow-read=${outside.file("file.txt")},${folder.file("routes.txt")}`,
      "--allow-env=PATH",
      `--allow-net=${backend.remote}`,
    ],
  });
  for (const [name, [, answer]] of Object.entries(attempts)) {
    await t.step(name, async () => {
      assertMatch(await ask(proxy, name), answer);
    });
  }
});

Deno.test("a router may read a folder that it was granted", async (t) => {
  await using folder = await Folder.make({ "inner/routes.txt": "routes" });
  const attempts: Attempts = {
    "read it": [
      `Deno.readTextFile(new URL("./routes.txt", import.meta.url))`,
      /^done: routes$/,
    ],
    "read above": [`Array.fromAsync(Deno.readDir("/"))`, /read access/],
  };
  const file = join("inner", ROUTER);
  await Deno.writeTextFile(folder.file(file), tryInHook(attempts));
  for (const granted of [folder.file("inner"), folder.path]) {
    await t.step(granted, async () => {
      await using proxy = await Proxy.start(folder.url(file), {
        args: ["-w", "1", `--allow-read=${granted}`],
      });
      for (const [name, [, answer]] of Object.entries(attempts)) {
        assertMatch(await ask(proxy, name), answer, name);
      }
    });
  }
});

Deno.test("the proxy refuses and logs a remote that --allow-net does not include, and asks connectError", async () => {
  await using inside = new Backend((socket) => send(socket, "inside"));
  await using outside = new Backend((socket) => send(socket, "outside"));
  await using proxy = await Proxy.start(
    `export default {
      route(data) {
        return { remote: data.startsWith("i") ? "${inside.remote}" : "${outside.remote}" };
      },
      connectError(remote, error) {
        return { close: remote + " " + error.name };
      },
    };`,
    { args: ["-w", "1", `--allow-net=${inside.remote}`] },
  );
  assertEquals(await ask(proxy, "i"), "inside");
  assertEquals(await ask(proxy, "o"), `${outside.remote} NotCapable`);
  await proxy.log.find(
    `Cannot connect to ${outside.remote} as the router's --allow-net does not include it`,
  );
  assertEquals(proxy.log.count("Retrying"), 0);
  assertEquals(outside.accepted, 0);
});

Deno.test("a router imports modules and data from its own folder", async () => {
  await using folder = await Folder.make({
    "lib/helper.js": `export { word } from "../word.js";`,
    "word.js": `export const word = "good";`,
    "late.js": `export default "late";`,
    "data.json": `{ "word": "data" }`,
    [ROUTER]: `
      import { word } from "./lib/helper.js";
      import data from "./data.json" with { type: "json" };
      const late = (await import("./late.js")).default;
      const text = await Deno.readTextFile(
        new URL("./data.json", import.meta.url),
      );
      export default {
        route: () => ({ close: [word, data.word, late, text].join() }),
      };`,
  });
  await using proxy = await Proxy.start(folder.url(ROUTER));
  assertEquals(await ask(proxy, ""), `good,data,late,{ "word": "data" }`);
});

Deno.test("a router in any folder imports values from proxymachine", async () => {
  await using proxy = await Proxy.start(`
    import { latin1, Preread } from "proxymachine";
    import { ssh } from "proxymachine/protocols";
    export default {
      route(data) {
        const found = data instanceof Preread && ssh(data);
        return { close: found ? latin1("\\xff" + found.software) : latin1("?") };
      },
    };`);
  assertEquals(await ask(proxy, "SSH-2.0-test"), "\xfftest");
});

Deno.test("a router imports from a host that --allow-import names", {
  ignore: COMPILED, // an executable has fixed permissions
}, async () => {
  await using modules = new ModuleServer();
  await using proxy = await Proxy.start(
    `import { secret } from "http://${modules.host}/module.js";
    export default { route: () => ({ close: secret }) };`,
    {
      program: [
        Deno.execPath(),
        "run",
        "--no-lock", // which would keep what comes from this port
        "--no-prompt",
        "--allow-net",
        "--allow-read",
        `--allow-import=${modules.host}`,
        join(ROOT, "main.ts"),
      ],
      args: ["-w", "1", `--allow-import=${modules.host}`],
    },
  );
  assertEquals(await ask(proxy, ""), "fetched");
});

Deno.test("a router is refused and nobody is asked when the program runs at a terminal", async () => {
  await using outside = await makeOutside();
  await using modules = new ModuleServer();
  const attempts: Attempts = Object.fromEntries(
    Object.entries(forbidden(outside, modules))
      .filter(([name]) =>
        /^(read|run|write|import|open)/.test(name) && !isUnchecked(name)
      ),
  );
  const router = `${tryInHook(attempts)}
    for (const name in attempts) await tell(name);`;
  await using folder = await Folder.make({ [ROUTER]: router });
  const address = ["-h", "127.0.0.1", "-p", "0", "-w", "1"];
  await using terminal = new Terminal([
    ...PROGRAM,
    "-c",
    folder.file(ROUTER),
    ...address,
  ]);
  const line = await terminal.screen.find("Listening on");
  const port = Number(/:(\d+) with/.exec(line)?.[1]);
  for (const [name, [, refusal]] of Object.entries(attempts)) {
    using client = await Deno.connect({ hostname: "127.0.0.1", port });
    await send(client, `${name}\n`);
    assertMatch(await receiveAll(client), refusal, name);
  }
  assertEquals(terminal.screen.count("Deno requests"), 0);
  assertEquals(terminal.screen.count("Allow?"), 0);
});

Deno.test("the proxy lives on when a router sends messages in the name of its worker", async (t) => {
  const messages = [
    `null`,
    `"text"`,
    `{ type: "lines" }`,
    `{ type: "lines", log: [["nothing", "x"]], access: "", dropped: 0 }`,
    `{ type: "lines", log: [["error", {}]], access: "", dropped: 0 }`,
    `{ type: "lines", log: [], access: {}, dropped: 0 }`,
    `{ type: "failed" }`,
    `{ type: "drained" }`,
  ];
  for (const message of messages) {
    await t.step(message, async () => {
      await using proxy = await Proxy.start(`export default {
        route(data) {
          if (data.startsWith("post")) {
            try {
              self.postMessage(${message});
            } catch {
              // it is refused, which is as well
            }
          }
          return { close: "ok" };
        },
      };`);
      assertEquals(await ask(proxy, "post"), "ok");
      // served when the message has been received at the latest
      for (let i = 0; i < 3; i++) assertEquals(await ask(proxy, ""), "ok");
    });
  }
});

Deno.test("the proxy lives on when a router sends a signal to its own process", async () => {
  await using proxy = await Proxy.start(`import process from "node:process";
    export default {
      route(data) {
        if (data.startsWith("kill")) process.kill(process.pid, "SIGKILL");
        return { close: "ok" };
      },
    };`);
  await ask(proxy, "kill").catch(() => {});
  assertEquals(await ask(proxy, "ok"), "ok");
});

Deno.test("the proxy lives on when a router throws what cannot be written", async (t) => {
  const thrown = {
    "an object without prototype": `Object.create(null)`,
    "a method that throws": `{ toString() { throw new Error("mean"); } }`,
    "an error with a strange stack":
      `Object.assign(new Error("x"), { stack: 1 })`,
    "a symbol": `Symbol("s")`,
    "nothing": `undefined`,
  };
  for (const [name, value] of Object.entries(thrown)) {
    await t.step(name, async () => {
      await using proxy = await Proxy.start(`
        const thrown = ${value};
        export default {
          route(data) {
            if (!data.text.endsWith("\\n")) return { noop: true };
            const how = data.text.trim();
            if (how === "hook") throw thrown;
            if (how === "timer") setTimeout(() => { throw thrown; }, 0);
            if (how === "promise") Promise.reject(thrown);
            return { close: "ok" };
          },
        };`);
      const expected = [
        ["hook", "", /route\(\) threw: /],
        ["promise", "ok", /left a rejected promise: /],
        ["timer", "ok", /threw outside its hooks: /],
      ] as const;
      for (const [i, [how, answer, logged]] of expected.entries()) {
        assertStrictEquals(await ask(proxy, how), answer);
        const errors = await proxy.log.findAll(" error ", i + 1);
        assertMatch(errors[i] ?? "", logged);
      }
      assertEquals(await ask(proxy, "later"), "ok");
    });
  }
});
