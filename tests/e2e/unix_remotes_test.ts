/**
 * Remotes that are socket files.
 */
import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { programWith, ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { UnixBackend } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** A module that connects everybody to a socket file. */
function moduleFor(path: string): string {
  return `export default () => ({ remote: "unix:${path}" });`;
}

/** Starts the proxy such that it may use the socket file itself. */
function start(
  router: string,
  path: string,
  options: ProxyOptions = {},
): Promise<Proxy> {
  return Proxy.start(router, {
    ...options,
    program: programWith(`--allow-write=${path}`),
  });
}

test("a real client talks to a real server through a socket file", async () => {
  await using folder = await Folder.make();
  const path = folder.file("redis.sock");
  const server = new Deno.Command(need("redis-server", "redis-server"), {
    args: ["--port", "0", "--unixsocket", path, "--save", "", "--dir", "/"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = new Lines(server.stdout);
  try {
    await output.find("ready to accept connections");
    await using proxy = await start(moduleFor(path), path, {
      args: ["-w", "2", `--allow-net=unix:${path}`],
    });
    const big = "x".repeat(1_000_000);
    const { code, stdout } = await run(
      [
        need("redis-cli", "redis-tools"),
        "-p",
        String(proxy.port),
        "-x",
        "echo",
      ],
      big,
    );
    assertEquals(code, 0);
    assertEquals(stdout, `${big}\n`);
    const line = await proxy.access.find(`remote=unix:${path}`);
    assertMatch(line, / client=127\.0\.0\.1:\d+ .* end=done$/);
  } finally {
    server.kill("SIGTERM");
    await server.status;
    await output.ended;
  }
});

test("a half-close goes through a socket file in both directions", async () => {
  await using folder = await Folder.make();
  await using backend = new UnixBackend(
    folder.file("a.sock"),
    async (socket) => {
      const text = await receiveAll(socket);
      await send(socket, text.toUpperCase());
      await socket.closeWrite();
    },
  );
  const { path } = backend;
  await using proxy = await start(moduleFor(path), path, {
    args: ["-w", "1", `--allow-net=unix:${path}`],
  });
  using client = await proxy.connect();
  await send(client, "hello");
  await client.closeWrite();
  assertEquals(await receiveAll(client), "HELLO");
  await proxy.access.find(/ in=5 out=5 .* end=done$/);
});

test("a table may connect to the socket files that it names, and to no others", async () => {
  await using folder = await Folder.make({ "secret.txt": "secret" });
  const greet = (text: string) => (socket: Deno.Conn) => send(socket, text);
  await using one = new UnixBackend(folder.file("1.sock"), greet("one"));
  await using two = new UnixBackend(folder.file("2.sock"), greet("two"));
  const secret = folder.file("secret.txt");
  const table = `
routes:
  - match: { bytes: { prefix: "1" } }
    remote: "unix:${one.path}"
  - match: { bytes: { regex: "/^2(.*)!/" } }
    remote: "unix:${folder.path}/\${bytes.1}"
router: ./rest.${ROUTER_EXTENSION}
`;
  const rest = `export default {
    async route() {
      const refusals = await Promise.all([
        Deno.connect({ transport: "unix", path: "${two.path}" }),
        Deno.readTextFile("${secret}"),
        Deno.writeTextFile("${secret}", ""),
        Deno.remove("${two.path}"),
      ].map((promise) => promise.then(() => "done", ({ name }) => name)));
      return { close: refusals.join() };
    },
  };`;
  await using proxy = await start(table, one.path, {
    file: "routes.yaml",
    files: { [`rest.${ROUTER_EXTENSION}`]: rest },
  });
  const ask = async (text: string) => {
    using client = await proxy.connect();
    await send(client, text);
    return await receiveAll(client);
  };
  assertEquals(await ask("1"), "one");
  assertEquals(await ask("21.sock!"), "one");
  assertEquals(await ask("22.sock!"), "");
  assertEquals(await ask("2../x!"), "");
  const refused =
    /Cannot connect to unix:\S+ as the router's --allow-net does not include it \(client /;
  await proxy.log.findAll(refused, 2);
  assertEquals(two.accepted, 0);
  assertEquals(await ask("3"), Array(4).fill("NotCapable").join());
});

test("a router may connect to no socket file unless that is granted", async () => {
  await using folder = await Folder.make();
  await using backend = new UnixBackend(folder.file("a.sock"), () => {});
  const { path } = backend;
  await using proxy = await start(
    `export default {
      route: () => ({ remote: "unix:${path}", connectTimeout: 1 }),
      connectError: (remote, error) => ({ close: remote + " " + error.name }),
    };`,
    path,
  );
  using client = await proxy.connect();
  await send(client, "a");
  assertEquals(await receiveAll(client), `unix:${path} NotCapable`);
  await proxy.log.find(
    `Cannot connect to unix:${path} as the router's --allow-net does not include it`,
  );
  assertEquals(backend.accepted, 0);
});

test("a router may connect to a socket file beside all hosts, or to nothing else", async () => {
  await using folder = await Folder.make();
  await using backend = new UnixBackend(
    folder.file("a.sock"),
    (socket) => send(socket, "unix"),
  );
  const { path } = backend;
  await using other = new UnixBackend(folder.file("b.sock"), () => {});
  const router = `export default {
    route: (data) => ({ remote: data.text }),
    connectError: (remote, error) => ({ close: error.name }),
  };`;
  for (const all of [true, false]) {
    await using proxy = await start(router, path, {
      args: [
        "-w",
        "1",
        `--allow-net=unix:${path}`,
        ...all ? ["--allow-net"] : [],
      ],
    });
    const ask = async (remote: string) => {
      using client = await proxy.connect();
      await send(client, remote);
      return await receiveAll(client);
    };
    assertEquals(await ask(`unix:${path}`), "unix");
    assertEquals(await ask(`unix:${other.path}`), "NotCapable");
    const name = all ? "ConnectionRefused" : "NotCapable";
    assertStrictEquals(await ask("127.0.0.1:1"), name);
  }
});

test("a socket file that is not there, or dead, is tried again and then an error", async () => {
  await using folder = await Folder.make();
  const dead = folder.file("dead.sock");
  const { code } = await run([need("python3", "python3"), "-c", BIND, dead]);
  assertEquals(code, 0);
  const missing = folder.file("missing.sock");
  await using proxy = await Proxy.start(
    `export default {
      route: (data) => ({ remote: "unix:" + data.text }),
      connectError: (remote, error) => ({ close: error.name }),
    };`,
    {
      program: programWith(`--allow-write=${folder.path}`),
      args: ["-w", "1", `--allow-net=unix:${dead},unix:${missing}`],
    },
  );
  for (
    const [path, name] of [[missing, "NotFound"], [dead, "ConnectionRefused"]]
  ) {
    using client = await proxy.connect();
    await send(client, String(path));
    assertEquals(await receiveAll(client), name);
    await proxy.log.find(`Connect unix:${path} failed after 10 retries`);
  }
});

test("a remote that resets through a socket file ends the connection", async () => {
  await using folder = await Folder.make();
  await using backend = new UnixBackend(
    folder.file("a.sock"),
    async (socket) => {
      // closing with unread bytes resets the connection
      assertEquals(await receive(socket, 1), "a");
    },
  );
  const { path } = backend;
  await using proxy = await start(moduleFor(path), path, {
    args: ["-w", "1", `--allow-net=unix:${path}`],
  });
  using client = await proxy.connect();
  await send(client, "abc");
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(/ end=remote-(reset|left)$/);
});

/** Makes a socket file on which nobody listens. */
const BIND = `import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])`;
