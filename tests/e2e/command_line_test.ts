import { assert, assertEquals, AssertionError, assertMatch } from "@std/assert";
import { dirname, join } from "node:path";
import { completions } from "../../src/cli/completions.ts";
import { HELP } from "../../src/cli/help.ts";
import { VERSION } from "../../src/lib/version.ts";
import { delay } from "../support/delay.ts";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";
import { unusedPort } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { type Result, run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { Terminal } from "../support/terminal.ts";

const MAIN = join(ROOT, "main.ts");
const DENO = [Deno.execPath(), "run", "--no-prompt"];
const GOOD = `export default { route() { return { close: "bye" }; } };`;

/** Runs a command that must fail with one line on standard error. */
async function fail(
  command: readonly string[],
  code: number,
): Promise<string> {
  const result = await run(command);
  assertMatch(
    result.stderr,
    /^proxymachine: Cannot \P{Cc}+\n$/u,
    "one line of plain text",
  );
  assertEquals(result.stdout, "");
  assertEquals(result.code, code);
  return result.stderr;
}

/** Starts the program with a router that it must refuse. */
async function refuse(
  text: string,
  ...args: readonly string[]
): Promise<string> {
  await using folder = await Folder.make({ "router.ts": text });
  const file = folder.file("router.ts");
  const line = await fail(
    [...PROGRAM, "-h", "127.0.0.1", "-p", "0", "-c", file, ...args],
    2,
  );
  assert(line.includes(file), line);
  return line;
}

/** Sends a request as a client, and returns the whole answer. */
async function ask(proxy: Proxy, request: string): Promise<string> {
  using client = await proxy.connect();
  await send(client, request);
  return await receiveAll(client);
}

/** Runs a command in a folder. */
function runIn(folder: string, command: readonly string[]): Promise<Result> {
  return run(["sh", "-c", `cd "$0" && exec "$@"`, folder, ...command]);
}

/** The command that a message tells the user to run, as a shell takes it. */
function advice(message: string): string {
  const command = /\b(deno run .*)\n$/.exec(message)?.[1];
  assert(command !== undefined, message);
  return command;
}

Deno.test("the program exits with 1 when the port is in use", async () => {
  await using taken = new Backend(() => {});
  await using folder = await Folder.make({ "router.ts": GOOD });
  const line = await fail([
    ...PROGRAM,
    "-c",
    folder.file("router.ts"),
    "-h",
    "127.0.0.1",
    "-p",
    String(taken.port),
  ], 1);
  assert(line.includes(`listen on 127.0.0.1:${taken.port}`), line);
});

Deno.test("the program exits with 1 when the address is not of this machine", async () => {
  await using folder = await Folder.make({ "router.ts": GOOD });
  const line = await fail([
    ...PROGRAM,
    "-c",
    folder.file("router.ts"),
    "-h",
    "203.0.113.7",
    "-p",
    "0",
  ], 1);
  assert(line.includes("listen on 203.0.113.7:0"), line);
});

Deno.test("the program exits with 2 when the command line is wrong", async (t) => {
  const wrong: [args: string[], named: string][] = [
    [[], "-c FILE"],
    [["-c", "r.ts", "--bogus"], "--bogus"],
    [["-c"], "--config"],
    [["-c", "r.ts", "--port=65536"], "65536"],
    [["-c", "r.ts", "--port=-3"], "-3"],
    [["-c", "r.ts", "-p", "-3"], `--port as it must be`],
    [["-c", "r.ts", "--preread-timeout=-3"], "-3"],
    [["-c", "r.ts", "--preread-timeout", "-3"], "--preread-timeout as"],
  ];
  for (const [args, named] of wrong) {
    await t.step(args.join(" ") || "no arguments", async () => {
      const line = await fail([...PROGRAM, ...args], 2);
      assert(line.includes(named), line);
    });
  }
});

Deno.test("the program exits with 2 when the router cannot be read", async () => {
  await using folder = await Folder.make();
  const missing = await fail([...PROGRAM, "-c", folder.file("none.ts")], 2);
  assert(missing.includes(folder.file("none.ts")), missing);
  assertMatch(missing, /no such file/);

  const directory = await fail([...PROGRAM, "-c", folder.path], 2);
  assert(directory.includes(folder.path), directory);
  assertMatch(directory, /not a file/);
});

Deno.test({
  name: "the program exits with 2 when it may not open the router's file",
  ignore: Deno.uid() === 0, // who may open any file
  async fn() {
    await using folder = await Folder.make({ "router.ts": GOOD });
    await Deno.chmod(folder.file("router.ts"), 0o000);
    const line = await fail([...PROGRAM, "-c", folder.file("router.ts")], 2);
    assertMatch(line, /Permission denied/);
  },
});

Deno.test("the program names file, line and column when the router has a syntax error", async () => {
  const line = await refuse("export default {\n  route( {\n  }\n");
  assertMatch(line, /SyntaxError/);
  assertMatch(line, /router\.ts:3:4/);
});

Deno.test("the program names file, line and column when the router throws while it loads", async () => {
  const line = await refuse(`const a = 1;\nthrow new Error("no\\nway");\n`);
  assertMatch(line, /Error: no way/);
  assertMatch(line, /router\.ts:2:7/);
});

Deno.test("the program names what the router throws when it is no error", async () => {
  assertMatch(await refuse(`throw "a string";`), /"a string"/);
});

Deno.test("the program names the import when the router imports what is not there", async () => {
  const gone = await refuse(`import "./gone.ts";\n${GOOD}`);
  assertMatch(gone, /gone\.ts/);
  assertMatch(gone, /router\.ts:1:8/);

  const bare = await refuse(`import "nowhere";\n${GOOD}`);
  assertMatch(bare, /"nowhere"/);
  assertMatch(bare, /router\.ts:1:8/);
});

Deno.test("the program says what a router is when the module exports none", async (t) => {
  const wrong: [text: string, rule: RegExp, value: string][] = [
    ["export const route = 1;", /default export/, "undefined"],
    ["export default 42;", /default export/, "42"],
    ["export default null;", /default export/, "null"],
    [`export default "router";`, /default export/, `"router"`],
    ["export default [];", /"route" or "accept"/, "[]"],
    ["export default {};", /"route" or "accept"/, "{}"],
    ["export default { timeout() {} };", /"route" or "accept"/, "timeout"],
    ["export default { rout() {} };", /"rout" is not a hook/, "rout"],
    ["export default { route: 1 };", /"route" must be a function/, "1"],
    [
      "export default { route() {}, accept: {} };",
      /"accept" must be a function/,
      "{}",
    ],
  ];
  for (const [text, rule, value] of wrong) {
    await t.step(text, async () => {
      const line = await refuse(text);
      assertMatch(line, rule);
      assert(line.includes(value), line);
    });
  }
});

Deno.test("the program checks the router in the same way when it is told to --check", async () => {
  await refuse("export default 42;", "--check");
});

Deno.test("the program prints help, version and completions when it has no permission at all", async () => {
  assertEquals(await run([...DENO, MAIN, "--help"]), {
    code: 0,
    stdout: HELP,
    stderr: "",
  });
  assertEquals(await run([...DENO, MAIN, "--version"]), {
    code: 0,
    stdout: `proxymachine ${VERSION}\n`,
    stderr: "",
  });
  assertEquals(await run([...DENO, MAIN, "--completions", "fish"]), {
    code: 0,
    stdout: completions("fish"),
    stderr: "",
  });
});

Deno.test("--check prints what was found", async () => {
  await using folder = await Folder.make({
    "router.ts": `export default {
      accept() {},
      route() {},
      connectError() {},
    };`,
  });
  const file = folder.file("router.ts");
  const result = await run([
    ...PROGRAM,
    "--check",
    "-c",
    file,
    "-h",
    "::1",
    "-p",
    "99",
    "--accept-proxy=10.0.0.0/8,::1",
    "-w",
    "3",
    "--max-connections",
    "77",
    "--max-preread",
    "2049",
    "--preread-timeout",
    "1.5",
    "--connect-timeout",
    "2.5",
    "--half-close-timeout",
    "4",
    "--idle-timeout",
    "600",
    "--max-connections-per-ip",
    "20",
    "--rate-limit",
    "5:50",
    "--allow-net=a.example:80",
    `--allow-read=${folder.path}`,
    "--allow-env=HOME",
    "--access-log",
    "off",
  ]);
  assertEquals(result.stderr, "");
  assertEquals(result.code, 0);
  const summary = new Map(
    result.stdout.trimEnd().split("\n").map((line) => {
      const [name = "", ...words] = line.split(/ +/);
      return [name, words.join(" ")];
    }),
  );
  assertEquals(summary.get("router"), `${file}: accept, route, connectError`);
  assertEquals(
    summary.get("listen"),
    "[::1]:99 with a PROXY header of 10.0.0.0/8 | ::1",
  );
  assertEquals(summary.get("workers"), "3");
  assertMatch(summary.get("preread") ?? "", /2049 bytes and 1\.5 seconds/);
  assertEquals(summary.get("connect"), "at most 2.5 seconds");
  assertMatch(summary.get("half-close") ?? "", /4 seconds/);
  assertEquals(summary.get("idle"), "at most 600 seconds");
  assertEquals(summary.get("duration"), "no limit");
  assertEquals(
    summary.get("per"),
    "address at most 20 connections; at most 5 new ones per second, 50 at a time",
  );
  assertMatch(summary.get("connections") ?? "", /77/);
  assertEquals(
    summary.get("permissions"),
    `net: a.example:80; read: ${folder.path}; env: HOME; import: none`,
  );
});

Deno.test("--check neither listens nor waits for the port", async () => {
  await using taken = new Backend(() => {});
  await using folder = await Folder.make({ "router.ts": GOOD });
  const { code } = await run([
    ...PROGRAM,
    "--check",
    "-c",
    folder.file("router.ts"),
    "-h",
    "127.0.0.1",
    "-p",
    String(taken.port),
  ]);
  assertEquals(code, 0);
});

Deno.test("--dry-run prints each decision, for bytes of a file and of standard input", async () => {
  await using folder = await Folder.make({
    bytes: "abcd-rest",
    "router.ts": `import { latin1, type Router } from "proxymachine";
    let greeted = false;
    export default {
      accept() {},
      route(data) {
        if (data.length < 2) return { noop: true };
        if (!greeted) {
          greeted = true;
          return { reply: latin1("\\xffhello\\n"), consume: 2 };
        }
        if (data.text !== "cd") return;
        return { remote: "[::1]:80", data: "x", reply: "y", connectTimeout: 2, maxDuration: 9.5, route: "web" };
      },
    } satisfies Router;`,
  });
  const command = [...PROGRAM, "-c", folder.file("router.ts"), "--dry-run"];
  const expected = [
    "accept: wait",
    "byte 1: wait",
    String.raw`byte 2: reply "\xffhello\n", consume 2`,
    "byte 3: wait",
    `byte 4: remote [::1]:80, data "x", reply "y", connectTimeout 2, maxDuration 9.5, route web`,
    "",
  ].join("\n");

  assertEquals(await run([...command, folder.file("bytes")]), {
    code: 0,
    stdout: expected,
    stderr: "",
  });
  assertEquals(await run([...command, "-"], "abcd-rest"), {
    code: 0,
    stdout: expected,
    stderr: "",
  });
});

Deno.test("--dry-run asks the timeout hook when the bytes end without a decision", async () => {
  await using folder = await Folder.make({
    "router.ts": `export default {
      route() {},
      timeout(data) { return { remote: "late.example:" + data.length }; },
    };`,
  });
  const { code, stdout } = await run(
    [...PROGRAM, "-c", folder.file("router.ts"), "--dry-run", "-"],
    "abc",
  );
  assertEquals(
    stdout,
    "bytes 1-3: wait\nno decision after 3 bytes\ntimeout: remote late.example:3\n",
  );
  assertEquals(code, 0);
});

Deno.test("--dry-run stops at --max-preread bytes", async () => {
  await using folder = await Folder.make({
    "router.ts": "export default { route() {} };",
  });
  const { stdout } = await run([
    ...PROGRAM,
    "-c",
    folder.file("router.ts"),
    "--max-preread",
    "2",
    "--dry-run",
    "-",
  ], "abc");
  assertMatch(stdout, /^bytes 1-2: wait\n--max-preread 2 .*close\n$/);
});

Deno.test("--dry-run exits with 2 when a decision is malformed, and names key and value", async () => {
  await using folder = await Folder.make({
    "router.ts": `export default {
      route(data) { if (data.length === 2) return { remote: "nowhere" }; },
    };`,
  });
  const { code, stdout } = await run(
    [...PROGRAM, "-c", folder.file("router.ts"), "--dry-run", "-"],
    "abc",
  );
  assertEquals(code, 2);
  assertMatch(stdout, /"remote" must be "host:port"/);
  assertMatch(stdout, /"nowhere"/);
  assert(!stdout.includes("decision.ts"), `a place of the program: ${stdout}`);
});

Deno.test("--dry-run exits with 2 when the router throws, and names the place", async () => {
  await using folder = await Folder.make({
    "router.ts": `export default {\n  route(data) { data.nothing(); },\n};`,
  });
  const { code, stdout } = await run(
    [...PROGRAM, "-c", folder.file("router.ts"), "--dry-run", "-"],
    "abc",
  );
  assertEquals(code, 2);
  assertMatch(stdout, /TypeError: .*router\.ts:2:/);
});

Deno.test("--dry-run names the file of the bytes when it cannot be read", async () => {
  await using folder = await Folder.make({ "router.ts": GOOD });
  const line = await fail([
    ...PROGRAM,
    "-c",
    folder.file("router.ts"),
    "--dry-run",
    folder.file("none"),
  ], 2);
  assert(line.includes(folder.file("none")), line);
});

const FROM_STDIN = `import { latin1, type Router } from "proxymachine";
import { ssh } from "proxymachine/protocols";
const word: string = "b\\xffe";
export default {
  route: (data) => ssh(data) ? { close: true } : { close: latin1(word) },
} satisfies Router;
`;

Deno.test("-c - reads a router with types and imports from standard input", async () => {
  await using folder = await Folder.make({ bytes: "x" });
  const result = await run(
    [...PROGRAM, "-c", "-", "--dry-run", folder.file("bytes")],
    FROM_STDIN,
  );
  assertEquals(result, {
    code: 0,
    stdout: String.raw`byte 1: close after "b\xffe"` + "\n",
    stderr: "",
  });
});

Deno.test("-c - serves with a router from standard input in every worker", async () => {
  await using folder = await Folder.make({ "piped.ts": FROM_STDIN });
  await using proxy = await Proxy.start("not used", {
    args: ["-w", "2", "-c", "-"],
    setup: `exec < '${folder.file("piped.ts")}'`,
  });
  for (let i = 0; i < 8; i++) {
    assertEquals(await ask(proxy, "x"), "b\xffe");
  }
});

Deno.test("-c - names line and column when standard input has a syntax error", async () => {
  const { code, stderr } = await run(
    [...PROGRAM, "-c", "-", "--check"],
    "const a = 1;\nlet b: string = ;\n",
  );
  assertEquals(code, 2);
  assertMatch(stderr, /^proxymachine: Cannot \P{Cc}+\n$/u);
  assertMatch(stderr, /standard input/);
  assertMatch(stderr, /\b2:17\b/);
  assert(!stderr.includes("data:"), `the whole module again: ${stderr}`);
});

Deno.test("--log-format json makes both logs lines of JSON", async () => {
  await using backend = new Backend((socket) => send(socket, "answer"));
  await using proxy = await Proxy.start(
    `export default {
      route(data) {
        if (data.startsWith("!")) throw new Error('a "quoted" {word}');
        return { remote: "${backend.remote}" };
      },
    };`,
    { args: ["-w", "1", "--log-format", "json"] },
  );
  assertEquals(await ask(proxy, "hello"), "answer");
  assertEquals(await ask(proxy, "!"), "");
  const [routed, failed] = [
    JSON.parse(await proxy.access.find(`"id":1,`)),
    JSON.parse(await proxy.access.find(`"id":2,`)),
  ];
  assertMatch(routed.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assertMatch(routed.client, /^127\.0\.0\.1:\d+$/);
  assertEquals(routed.remote, backend.remote);
  assertEquals(routed.in, 5);
  assertEquals(routed.out, 6);
  assertEquals(typeof routed.seconds, "number");
  assertEquals(failed.remote, null);
  assertEquals(failed.end, "router-error");

  await proxy.log.find("quoted");
  const log = proxy.log.all.map((line) => JSON.parse(line));
  assertMatch(log[0].message, /^Listening on 127\.0\.0\.1:\d+ with 1 worker$/);
  assertEquals(log[0].level, "INFO");
  const error = log.find(({ level }) => level === "ERROR");
  assertMatch(error.message, /a "quoted" \{word\}/);
  assertEquals(error.properties, {
    client: failed.client,
    id: 2,
    listener: "127.0.0.1:0",
    hook: "route",
    error: error.properties.error,
    worker: "1.1",
  });
  assertMatch(error.properties.error, /^Error: a "quoted" \{word\} at /);
});

Deno.test("--log-level error leaves out what is no error", async () => {
  await using folder = await Folder.make({
    "router.ts": `export default { route() { throw new Error("mine"); } };`,
  });
  const port = unusedPort();
  // it does not say that it listens, so the first client tries until it does
  const [name = "", ...args] = PROGRAM;
  const child = new Deno.Command(name, {
    args: [
      ...args,
      "-c",
      folder.file("router.ts"),
      "-h",
      "127.0.0.1",
      "-p",
      String(port),
      "--log-level",
      "error",
      "--access-log",
      "off",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    using client = await connectSoon(port);
    await send(client, "x");
    assertEquals(await receiveAll(client), "");
  } finally {
    child.kill("SIGTERM");
  }
  const { code, stdout, stderr } = await child.output();
  const [line = "", ...others] = new TextDecoder().decode(stderr).trimEnd()
    .split("\n");
  assertMatch(line, / error .*Error: mine/);
  assertEquals(others, []);
  assertEquals(stdout.length, 0);
  assertEquals(code, 0);
});

Deno.test("--log-level debug shows every decision", async () => {
  await using backend = new Backend((socket) => send(socket, "answer"));
  await using proxy = await Proxy.start(
    `export default {
      route(data) {
        if (data.length < 2) return { noop: true };
        return { remote: "${backend.remote}", data: "x" };
      },
    };`,
    { args: ["-w", "1", "--log-level", "debug"] },
  );
  assertEquals(await ask(proxy, "hello"), "answer");
  const line = await proxy.log.find(/ debug .*route\(\)/);
  assert(line.includes(backend.remote), line);
});

/** Connects to a port on which somebody will listen before long. */
async function connectSoon(port: number): Promise<Deno.TcpConn> {
  for (let tries = 0;; tries++) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (tries === 600) throw error;
      await delay(50);
    }
  }
}

Deno.test("--access-log appends to a file when it may write it", async () => {
  await using folder = await Folder.make({ "access.log": "before\n" });
  const log = folder.file("access.log");
  await using proxy = await Proxy.start(GOOD, {
    program: [
      ...DENO,
      "--allow-net",
      "--allow-read",
      `--allow-write=${log}`,
      MAIN,
    ],
    args: ["-w", "1", "--access-log", log],
  });
  assertEquals(await ask(proxy, "x"), "bye");
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  const [before, line, ...rest] = (await Deno.readTextFile(log)).split("\n");
  assertEquals(before, "before");
  assertMatch(line ?? "", /id=1 .*out=3 .*end=router-close$/);
  assertEquals(rest, [""]);
  assertEquals(proxy.access.all, []);
});

Deno.test("--access-log off writes no line", async () => {
  await using proxy = await Proxy.start(GOOD, {
    args: ["-w", "1", "--access-log", "off"],
  });
  assertEquals(await ask(proxy, "x"), "bye");
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  await proxy.access.ended;
  assertEquals(proxy.access.all, []);
});

Deno.test("--access-log names the file when it cannot be opened", async () => {
  await using folder = await Folder.make({ "router.ts": GOOD });
  const log = folder.file("none/access.log");
  const line = await fail([
    ...DENO,
    "--allow-net",
    "--allow-read",
    "--allow-write",
    MAIN,
    "-c",
    folder.file("router.ts"),
    "-h",
    "127.0.0.1",
    "-p",
    "0",
    "--access-log",
    log,
  ], 2);
  assert(line.includes(log), line);
});

/** Runs the command that the program tells to run, until it listens. */
async function followAdvice(
  folder: string,
  args: readonly string[],
): Promise<void> {
  const { code, stdout, stderr } = await runIn(folder, args);
  assertMatch(stderr, /^proxymachine: Cannot \P{Cc}+\n$/u);
  assertEquals(stdout, "");
  assertEquals(code, 2);
  const command = advice(stderr);
  assertMatch(command, / -p 0\b/, "with the arguments that were given");
  const shell = new Deno.Command("sh", {
    args: ["-c", `exec ${command}`],
    cwd: folder,
    env: { PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}` },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  try {
    const decoder = new TextDecoderStream() as ReadableWritablePair<
      string,
      Uint8Array
    >;
    for await (const text of shell.stderr.pipeThrough(decoder)) {
      said += text;
      if (said.includes("Listening on")) return;
    }
    throw new AssertionError(`${command} does not work:\n${said}`);
  } finally {
    try {
      shell.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await shell.status;
  }
}

Deno.test("the program prints the command that works when it lacks a permission", async (t) => {
  await using folder = await Folder.make({
    "router.ts": GOOD,
    "it's a router.ts": GOOD,
  });
  const address = ["-h", "127.0.0.1", "-p", "0"];
  const cases: [lacks: string, granted: string[], args: string[]][] = [
    ["reads", ["--allow-net"], ["-c", "router.ts"]],
    ["all", [], ["-c", "router.ts"]],
    ["net", ["--allow-read"], ["-c", "router.ts"]],
    ["the environment", ["--allow-net", "--allow-read"], [
      "-c",
      "router.ts",
      "--allow-env=HOME",
    ]],
    ["a write", ["--allow-net", "--allow-read"], [
      "-c",
      "router.ts",
      "--access-log",
      "access.log",
    ]],
    ["a socket file to listen on", ["--allow-net"], [
      "-c",
      "router.ts",
      "-h",
      `unix:${folder.file("listen.sock")}`,
    ]],
    ["a socket file", ["--allow-net", "--allow-read"], [
      "-c",
      "router.ts",
      `--allow-net=unix:${folder.file("app.sock")}`,
    ]],
    ["the read of a file with a strange name", ["--allow-net"], [
      "-c",
      "it's a router.ts",
    ]],
  ];
  for (const [lacks, granted, args] of cases) {
    await t.step(lacks, () =>
      followAdvice(
        folder.path,
        [...DENO, ...granted, MAIN, ...args, ...address],
      ));
  }
});

/** The program at a terminal, with the router of a folder, and no reads. */
function atTerminal(folder: Folder): Terminal {
  return new Terminal([
    ...[Deno.execPath(), "run", "--allow-net", MAIN],
    ...["-c", folder.file("router.ts"), "-h", "127.0.0.1", "-p", "0"],
  ]);
}

Deno.test("the program asks for the two reads when it is started at a terminal", async () => {
  await using folder = await Folder.make({ "router.ts": GOOD });
  await using terminal = atTerminal(folder);
  const { screen } = terminal;
  await screen.find("Deno requests");
  await terminal.answerUntil("y", "Listening on");
  await screen.find("Send TERM");
  assertEquals(screen.count("Deno requests"), 2);
  await screen.find(`read access to "${join(ROOT, "src")}"`);
  await screen.find(`read access to "${folder.path}"`);

  await terminal.type("\x03"); // Ctrl+C
  await screen.find("Received INT");
  assertEquals((await terminal.status).code, 0);
});

Deno.test("the program exits with 2 when it is refused a permission at a terminal", async () => {
  await using folder = await Folder.make({ "router.ts": GOOD });
  await using terminal = atTerminal(folder);
  await terminal.screen.find("Deno requests");
  const line = await terminal.answerUntil("n", "Cannot start");
  assertMatch(line, /--allow-read=/);
  assertEquals((await terminal.status).code, 2);
});
