import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { PACKAGES } from "../support/paths.ts";

const UNIT = join(PACKAGES, "systemd", "proxymachine.service");

/** Ten times the exposure, of at most ten, that systemd may find. */
const THRESHOLD = 15;

/**
 * The commands of a setting as systemd would run them: it puts in `${NAME}`
 * anywhere, but `$NAME` only where that is a word of its own, or several.
 */
async function commands(
  name: string,
  variables: Readonly<Record<string, string>>,
): Promise<string[][]> {
  return (await setting(name)).map((line) =>
    line.replace(/^-/, "").split(" ").flatMap((word) =>
      word.startsWith("$") && !word.startsWith("${")
        ? (variables[word.slice(1)] ?? "").split(" ").filter(Boolean)
        : [word.replace(/\$\{(\w+)\}/g, (_, name) => variables[name] ?? "")]
    )
  );
}

/** A router that joins a client to a remote once it has sent a line. */
const routeTo = (remote: string) =>
  `export default { route: (data) => data.text.endsWith("\\n")
     ? { remote: "${remote}" } : undefined };`;

/** The values of a setting of the unit, in order. */
async function setting(name: string): Promise<string[]> {
  const unit = await Deno.readTextFile(UNIT);
  return unit.split("\n").filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
}

/** The system calls of a filter; those of a group are asked of systemd. */
async function systemCalls(names: string): Promise<string[]> {
  const systemd = need("systemd-analyze", "systemd");
  const calls: string[] = [];
  for (const name of names.split(" ")) {
    if (!name.startsWith("@")) calls.push(name);
    else {
      const { stdout } = await run([systemd, "syscall-filter", name]);
      const members = stdout.split("\n").slice(1).map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"));
      calls.push(...await systemCalls(members.join(" ")));
    }
  }
  return calls;
}

test("systemd finds no fault with the unit", async () => {
  const script = "#!/bin/sh\n";
  await using root = await Folder.make({
    "etc/systemd/system/proxymachine.service": await Deno.readTextFile(UNIT),
    "usr/local/bin/proxymachine": script,
    "bin/kill": script,
    "usr/bin/timeout": script,
    "usr/bin/tail": script,
  });
  await run(["chmod", "-R", "+x", root.file("usr"), root.file("bin")]);
  // the targets that it is ordered by
  const system = "usr/lib/systemd/system";
  await run(["cp", "-r", "--parents", `/${system}`, root.path]);
  const verify = [
    need("systemd-analyze", "systemd"),
    "verify",
    "--man=no",
    `--root=${root.path}`,
    "proxymachine.service",
  ];
  assertEquals(await run(verify), { code: 0, stdout: "", stderr: "" });
});

test(`systemd finds an exposure of at most ${THRESHOLD / 10}`, async () => {
  const { code, stdout } = await run([
    need("systemd-analyze", "systemd"),
    "security",
    "--offline=true",
    "--no-pager",
    `--threshold=${THRESHOLD}`,
    UNIT,
  ]);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /exposure level for proxymachine\.service: /);
});

test("the unit allows what the program asks of the kernel", async () => {
  await using backend = new Backend((socket) => send(socket, "hello"));
  await using traces = await Folder.make();
  const trace = traces.file("trace");
  {
    await using proxy = await Proxy.start(
      routeTo(`localhost:${backend.port}`),
      {
        program: [
          need("strace", "strace"),
          "-Dfqq",
          "--seccomp-bpf",
          "-o",
          trace,
          ...PROGRAM,
        ],
      },
    );
    using client = await proxy.connect();
    await send(client, "hello\n");
    assertEquals(await receiveAll(client), "hello");
    client.close();
    proxy.kill("SIGTERM");
    await proxy.status;
  }
  const lines = (await Deno.readTextFile(trace)).split("\n");
  const called = new Set(
    lines.map((line) => /^\d+ +(\w+)\(/.exec(line)?.[1] ?? "").filter(Boolean),
  );
  // of root, SQLite gives the files of Deno's cache their owner
  called.delete("fchown");
  assert(called.has("accept4") && called.has("connect"), "it was traced");

  const filters = await setting("SystemCallFilter");
  const allowed = new Set<string>();
  for (const filter of filters) {
    const denies = filter.startsWith("~");
    for (const name of await systemCalls(filter.replace("~", ""))) {
      if (denies) allowed.delete(name);
      else allowed.add(name);
    }
  }
  assertEquals([...called.difference(allowed)], []);

  const families = new Set(
    lines.map((line) => /\bsocket\((AF_\w+)/.exec(line)?.[1] ?? "")
      .filter(Boolean),
  );
  const [known = ""] = await setting("RestrictAddressFamilies");
  assertEquals([...families.difference(new Set(known.split(" ")))], []);
});

test("the unit's way to stop waits for a connection", async () => {
  const joined = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  await using backend = new Backend(async (socket) => {
    joined.resolve();
    await finish.promise;
    await send(socket, "all of it");
  });
  await using proxy = await Proxy.start(routeTo(backend.remote));
  using client = await proxy.connect();
  await send(client, "hello\n");
  await joined.promise;
  const stop = await commands("ExecStop", { MAINPID: String(proxy.pid) });
  assertEquals(stop.length, 2);
  const [quit = [], wait = []] = stop;
  assertEquals((await run(quit)).code, 0);
  await proxy.log.find("Waiting for 1 connections");
  const waited = run(wait);
  finish.resolve();
  assertEquals(await receiveAll(client), "all of it");
  client.close();
  const { code } = await proxy.status;
  assertEquals(code, 0);
  assertEquals(await waited, { code: 0, stdout: "", stderr: "" });
});

test("a program that has ended as it should is not started again", async () => {
  // systemd stops it nevertheless, and takes a command that fails for a failure,
  // after which it would be started again
  for (const line of await setting("ExecStop")) assertMatch(line, /^-/);
  const [quit = []] = await commands("ExecStop", { MAINPID: "" });
  const { code, stdout, stderr } = await run(quit);
  assertNotEquals(code, 0);
  // one line, and not how to use it
  assertMatch(stdout + stderr, /^.*\n$/);
  assertEquals(await setting("Restart"), ["on-failure"]);
});

test("the unit's way to reload checks the router first", async () => {
  await using folder = await Folder.make({
    "router.js": `export default { route: () => ({ close: "old" }) };`,
  });
  await using proxy = await Proxy.start(folder.url("router.js"));
  const ask = async () => {
    using client = await proxy.connect();
    await send(client, "hello\n");
    return await receiveAll(client);
  };
  const reload = await commands("ExecReload", {
    MAINPID: String(proxy.pid),
    CONFIG: folder.file("router.js"),
    OPTIONS: "-p 0",
  });
  const [[, ...args] = [], hangUp = []] = reload;
  const [start = ""] = await setting("ExecStart");
  assertStrictEquals(reload[0]?.[0], start.split(" ")[0]);
  const check = [...PROGRAM, ...args];

  await Deno.writeTextFile(folder.file("router.js"), "export default 42;");
  assertEquals((await run(check)).code, 2);
  await Deno.writeTextFile(
    folder.file("router.js"),
    `export default { route: () => ({ close: "new" }) };`,
  );
  assertEquals((await run(check)).code, 0);
  assertEquals(await ask(), "old");
  assertEquals((await run(hangUp)).code, 0);
  await proxy.log.find("Reloaded");
  assertEquals(await ask(), "new");
});
