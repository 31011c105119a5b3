/**
 * Listening on socket files.
 */
import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Folder } from "../support/folder.ts";
import { programWith, ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { need, type Result, run } from "../support/run.ts";
import { Backend, UnixBackend } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** Tells a client what is known of it. */
const TELL = `export default (data, client) => ({
  close: JSON.stringify([client.listener, client.remoteAddr, client.localAddr]),
});`;

/** The program such that it may make socket files in a folder. */
function programFor({ path }: Folder): readonly string[] {
  return programWith(`--allow-write=${path}`);
}

/** Starts the proxy on a socket file in a folder. */
function start(
  router: string,
  folder: Folder,
  options: ProxyOptions = {},
): Promise<Proxy> {
  return Proxy.start(router, {
    listen: ["-h", `unix:${folder.file("a.sock")}`],
    program: programFor(folder),
    ...options,
  });
}

function connect(path: string): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path });
}

/** What a client of a socket file gets that sends a text. */
async function ask(path: string, text = "a"): Promise<string> {
  using client = await connect(path);
  await send(client, text);
  return await receiveAll(client);
}

/** All names in a folder. */
async function names({ path }: Folder): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.map(({ name }) => name).sort();
}

/** Runs the program on a path that it must refuse. */
async function refuse(folder: Folder, path: string): Promise<Result> {
  await using other = await Folder.make({ [`r.${ROUTER_EXTENSION}`]: TELL });
  const result = await run([
    ...programFor(folder),
    "-c",
    other.file(`r.${ROUTER_EXTENSION}`),
    "-h",
    `unix:${path}`,
  ]);
  assertEquals(result.code, 1);
  assertMatch(
    result.stderr,
    /^proxymachine: Cannot listen on unix:\P{Cc}+\n$/u,
  );
  return result;
}

/** Makes a socket file on which nobody listens. */
async function makeDead(path: string): Promise<void> {
  const { code } = await run([
    need("python3", "python3"),
    "-c",
    "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
    path,
  ]);
  assertEquals(code, 0);
}

test("listeners of all kinds serve real clients at a time", async () => {
  await using folder = await Folder.make();
  const [one, two] = [folder.file("1.sock"), folder.file("2.sock")];
  await using web = new Backend(async (socket) => {
    for (let head = ""; !head.endsWith("\r\n\r\n");) {
      head += await receive(socket, 1);
    }
    await send(socket, "HTTP/1.0 200 OK\r\n\r\nfrom the web");
  });
  await using file = new UnixBackend(folder.file("b.sock"), async (socket) => {
    await send(socket, (await receiveAll(socket)).toUpperCase());
  });
  await using proxy = await Proxy.start(
    `export default {
      accept: ({ listener }) => ({
        remote: listener === "file" ? "unix:${file.path}" : "${web.remote}",
      }),
    };`,
    {
      program: programFor(folder),
      args: ["-w", "2", "--allow-net", `--allow-net=unix:${file.path}`],
      listen: [
        ...["-h", "127.0.0.1", "-p", "0", "--name", "tcp"],
        ...["-h", `unix:${one}`, "-h", `unix:${two}`, "--name", "file"],
      ],
    },
  );
  await proxy.log.find(`Listening on unix:${one} with 1 worker`);
  await proxy.log.find(`Listening on unix:${two} with 1 worker`);
  const curl = [need("curl", "curl"), "--silent", "--show-error"];
  const results = await Promise.all([
    run([...curl, "--unix-socket", one, "http://a.example/"]),
    run([...curl, `http://127.0.0.1:${proxy.port}/`]),
    run([need("socat", "socat"), "-t60", "-", `UNIX-CONNECT:${two}`], "hello"),
  ]);
  assertEquals(
    results.map(({ stdout, stderr }) => stdout + stderr),
    ["from the web", "from the web", "HELLO"],
  );
  await proxy.access.find(
    / client=unix: route=- remote=127\.0\.0\.1:\d+ .* end=done$/,
  );
  await proxy.access.find(
    ` client=unix: route=- remote=unix:${file.path} in=5 out=5 `,
  );
});

test("a router is told the socket file, and the path of a client that has one", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  await using proxy = await start(TELL, folder, {
    listen: ["-h", `unix:${path}`, "--name", "file"],
    args: ["-w", "2", "--log-format", "json"],
  });
  const local = { transport: "unix", path };
  assertEquals(JSON.parse(await ask(path)), [
    "file",
    { transport: "unix", path: "" },
    local,
  ]);
  const bound = async (name: string) => {
    const { stdout } = await run([
      need("socat", "socat"),
      "-t60",
      "-",
      `UNIX-CONNECT:${path},bind="${folder.file(name)}"`,
    ], "a");
    return JSON.parse(stdout)[1].path;
  };
  assertStrictEquals(await bound("client.sock"), folder.file("client.sock"));
  // it would look like another field, or another line, of a log
  assertEquals(await bound("c remote=x"), "");
  await proxy.access.find(`"client":"unix:${folder.file("client.sock")}"`);
});

test("a socket file gets its permissions before anyone can connect", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  for (const mode of ["600", "0666", "222"]) {
    await using proxy = await start(TELL, folder, {
      args: ["-w", "1", "--socket-mode", mode],
      setup: "umask 077",
    });
    const info = await Deno.stat(path);
    assertStrictEquals((info.mode ?? 0) & 0o777, parseInt(mode, 8));
    assertEquals(await names(folder), ["a.sock"]);
    proxy.kill("SIGTERM");
    await proxy.status;
  }
  await using _ = await start(TELL, folder, { setup: "umask 027" });
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o750);
});

test("the socket file is removed when the program stops", async () => {
  await using folder = await Folder.make();
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    await using proxy = await start(TELL, folder);
    assertEquals(await names(folder), ["a.sock"]);
    assertMatch(await ask(folder.file("a.sock")), /a\.sock/);
    proxy.kill(signal);
    assertEquals((await proxy.status).code, 0);
    assertEquals(await names(folder), []);
  }
});

test("a dead socket is replaced, of this program or of another", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  await makeDead(path);
  {
    await using proxy = await start(TELL, folder);
    assertMatch(await ask(path), /a\.sock/);
    proxy.kill("SIGKILL");
    await proxy.status;
  }
  assertEquals(await names(folder), ["a.sock"]);
  await using _ = await start(TELL, folder);
  assertMatch(await ask(path), /a\.sock/);
  assertEquals(await names(folder), ["a.sock"]);
});

test("a file that is not a dead socket is refused, and left alone", async () => {
  await using folder = await Folder.make({ "file": "text", "folder/x": "" });
  await using live = new UnixBackend(
    folder.file("live.sock"),
    async (socket) => {
      await receive(socket, 1);
      await send(socket, "alive");
    },
  );
  await makeDead(folder.file("dead.sock"));
  await Deno.symlink("dead.sock", folder.file("link"));
  const before = await names(folder);
  const cases: [name: string, reason: RegExp][] = [
    ["file", /: there is a file that is no socket at that path/],
    ["folder", /: there is a folder at that path/],
    ["link", /: there is a symbolic link at that path/],
    ["live.sock", /: another program listens there/],
    ["missing/a.sock", /: its folder must exist and be writable/],
  ];
  for (const [name, reason] of cases) {
    assertMatch((await refuse(folder, folder.file(name))).stderr, reason);
  }
  assertEquals(await names(folder), before);
  assertEquals(await Deno.readTextFile(folder.file("file")), "text");
  assertEquals(await ask(live.path), "alive");
});

test("a second program cannot take the socket file of a first", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  await using _ = await start(TELL, folder);
  assertMatch((await refuse(folder, path)).stderr, /another program listens/);
  assertMatch(await ask(path), /a\.sock/);
  assertEquals(await names(folder), ["a.sock"]);
});

test("what has taken the place of the socket file is not removed", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  for (const foreign of ["file", "socket"]) {
    await using proxy = await start(TELL, folder);
    await Deno.remove(path);
    if (foreign === "file") await Deno.writeTextFile(path, "text");
    else await makeDead(path);
    proxy.kill("SIGTERM");
    assertEquals((await proxy.status).code, 0);
    assertEquals(await names(folder), ["a.sock"]);
    assertEquals((await Deno.lstat(path)).isFile, foreign === "file");
    await Deno.remove(path);
  }
});

test("a program that cannot start leaves no socket file", async () => {
  await using folder = await Folder.make({
    [`throws.${ROUTER_EXTENSION}`]: `throw new Error("no");`,
    [`good.${ROUTER_EXTENSION}`]: TELL,
  });
  await using taken = new Backend(() => {});
  const before = await names(folder);
  const listen = ["-h", `unix:${folder.file("a.sock")}`];
  for (
    const [name, more, code] of [
      ["throws", [], 2],
      ["good", ["-h", "127.0.0.1", "-p", String(taken.port)], 1],
    ] as const
  ) {
    const result = await run([
      ...programFor(folder),
      "-c",
      folder.file(`${name}.${ROUTER_EXTENSION}`),
      ...listen,
      ...more,
    ]);
    assertEquals(result.code, code, result.stderr);
    assertEquals(await names(folder), before);
  }
});

test("clients that wait at a socket file are served when the program stops", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  await using proxy = await start(
    `export default {
      accept: () => ({ reply: "hello" }),
      route: (data) => ({ close: data.text }),
    };`,
    folder,
    { args: ["-w", "1", "--max-connections", "1"] },
  );
  using first = await connect(path);
  assertEquals(await receive(first, 5), "hello");
  using second = await connect(path);
  using third = await connect(path);
  proxy.kill("SIGQUIT");
  await proxy.log.find("Waiting for 1 connections");
  await assertRejects(() => connect(path), Deno.errors.NotFound);
  for (const [client, text] of [[first, "1"], [second, "2"], [third, "3"]]) {
    await send(client as Deno.Conn, String(text));
    const answer = await receiveAll(client as Deno.Conn);
    assertEquals(answer.replace("hello", ""), text);
    (client as Deno.Conn).close();
  }
  assertEquals((await proxy.status).code, 0);
  await proxy.access.ended;
  assertEquals(proxy.access.count(" end=router-close"), 3);
});

test("a PROXY header comes through a socket file from anyone, or from nobody", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  const header = "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n";
  for (const option of ["--accept-proxy", "--accept-proxy=127.0.0.0/8"]) {
    await using proxy = await start(TELL, folder, {
      args: ["-w", "1", option],
    });
    using client = await connect(path);
    if (option.includes("=")) {
      // closed whatever it sends, so it sends nothing: that could fail
      await proxy.access.find(/ client=unix: .* end=proxy-untrusted$/);
    } else {
      await send(client, `${header}a`);
      const [, remote] = JSON.parse(await receiveAll(client));
      assertEquals(remote.hostname, "192.0.2.1");
    }
    proxy.kill("SIGTERM");
    await proxy.status;
  }
});

test("a dry run is that of a client of the first listener", async () => {
  const router = `r.${ROUTER_EXTENSION}`;
  await using folder = await Folder.make({ [router]: TELL, bytes: "a" });
  const { stdout } = await run([
    ...programFor(folder),
    ...["-c", folder.file(router), "--dry-run", folder.file("bytes")],
    ...["-h", `unix:${folder.file("a.sock")}`, "--name", "file", "-p", "80"],
  ]);
  assertMatch(stdout, /"file\\",\{\\"transport\\":\\"unix\\",/);
});

test("a table listens on socket files, and routes by their names", async () => {
  await using folder = await Folder.make();
  const [one, two] = [folder.file("1.sock"), folder.file("2.sock")];
  await using _ = await Proxy.start(
    `
listen: ["unix:${one}", { path: "${two}", mode: "0600", name: two }]
workers: 2
routes:
  - { match: { client: [0.0.0.0/0, "::/0"] }, close: address }
  - { match: { localPort: 80 }, close: port }
  - { match: { listener: two }, close: "\${local.listener}" }
default: { close: other }
`,
    {
      program: programFor(folder),
      file: "routes.yaml",
      listen: [],
      args: [],
    },
  );
  assertEquals(await ask(one), "other");
  assertEquals(await ask(two), "two");
  assertEquals(((await Deno.stat(two)).mode ?? 0) & 0o777, 0o600);
});

test("no client of a socket file is lost while generations change", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  await using proxy = await start(
    `export default (data) => ({ close: data.text });`,
    folder,
    { args: ["-w", "2"] },
  );
  const reloads = 5;
  let over = false;
  const client = async (name: string): Promise<number> => {
    let count = 0;
    for (; !over; count++) assertStrictEquals(await ask(path, name), name);
    return count;
  };
  const clients = Promise.all(["a", "b", "c", "d"].map(client));
  for (let times = 1; times <= reloads; times++) {
    proxy.kill("SIGHUP");
    await proxy.log.findAll("Reloaded: ", times);
    assertEquals(await names(folder), ["a.sock"]);
  }
  over = true;
  const total = (await clients).reduce((sum, count) => sum + count, 0);
  await proxy.access.findAll(" end=router-close", total);
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  assertEquals(await names(folder), []);
});

test("a reload opens, keeps and removes socket files as the table says", async () => {
  await using folder = await Folder.make();
  const [one, two] = [folder.file("1.sock"), folder.file("2.sock")];
  const table = (...files: readonly string[]) =>
    `listen: ${JSON.stringify(files.map((path) => ({ path, name: path })))}
default: { close: "\${local.listener}" }
workers: 2
`;
  await using config = await Folder.make({ "routes.yaml": table(one) });
  await using proxy = await Proxy.start(config.url("routes.yaml"), {
    program: programFor(folder),
    listen: [],
    args: [],
  });
  assertStrictEquals(await ask(one), one);
  const reload = async (line: string | RegExp, ...files: readonly string[]) => {
    await Deno.writeTextFile(config.file("routes.yaml"), table(...files));
    proxy.kill("SIGHUP");
    await proxy.log.find(line);
  };
  await reload("Reloaded: generation 2", one, two);
  assertEquals([await ask(one), await ask(two)], [one, two]);

  // what cannot be listened on does not end what is
  await Deno.writeTextFile(folder.file("file"), "text");
  await reload(/Cannot reload, .* no socket/, one, folder.file("file"));
  assertEquals([await ask(one), await ask(two)], [one, two]);

  await reload("Reloaded: generation 4", two);
  assertStrictEquals(await ask(two), two);
  assertEquals(await names(folder), ["2.sock", "file"]);
});

test("a worker that dies is replaced at its socket file, too", async () => {
  await using folder = await Folder.make();
  const path = folder.file("a.sock");
  await using proxy = await start(
    `export default (data) => {
      if (data.text === "die") {
        Event.prototype.preventDefault = () => {};
        setTimeout(() => { throw new Error("broken"); });
        return { noop: true };
      }
      return { close: "alive" };
    };`,
    folder,
    { args: ["-w", "2"] },
  );
  for (let times = 1; times <= 2; times++) {
    assertEquals(await ask(path), "alive");
    using killer = await connect(path);
    await send(killer, "die");
    await proxy.log.findAll("serves in place of one that does not", times);
  }
  assertEquals(await ask(path), "alive");
  assertEquals(await names(folder), ["a.sock"]);
});
