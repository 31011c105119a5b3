/**
 * The proxy does not connect to itself: not to its listeners, by whatever name,
 * and not by a socket that is both ends of its connection.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { adminOf } from "../support/admin.ts";
import { Folder } from "../support/folder.ts";
import { runInNamespace, whyNoNamespace } from "../support/namespace.ts";
import { programWith } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { NO_IPV6, test } from "../support/test.ts";

/** Connects to what the client sends, and tells it why that has failed. */
const ROUTER = `export default {
  route(data) {
    return data.text.endsWith("\\n") ? { remote: data.text.trim() } : undefined;
  },
  connectError: (remote, error) => ({ close: error.name + ": " + error.message }),
};`;

/** The error for a remote that is a listener of the proxy. */
const LOOP =
  /^RefusedRemote: a remote must not be a listener of the proxy itself/;

async function ask(proxy: Proxy, remote: string): Promise<string> {
  using client = await proxy.connect();
  await send(client, `${remote}\n`);
  return await receiveAll(client);
}

/** An address of this machine that is no loopback address. */
const OWN_ADDRESS = Deno.networkInterfaces().find(({ family, address }) =>
  family === "IPv4" && !address.startsWith("127.")
)?.address;

const NAMES = [
  ...["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1"],
  ...["017700000001", "0", "0.0.0.0", "127.0.0.2", "[::ffff:127.0.0.1]"],
];

for (const workers of ["1", "2"]) {
  test(`a listener at 0.0.0.0 is no remote, by all names, with ${workers} workers`, async () => {
    await using proxy = await Proxy.start(ROUTER, {
      listen: ["-h", "0.0.0.0", "-p", "0"],
      args: ["-w", workers],
    });
    const own = OWN_ADDRESS === undefined ? [] : [OWN_ADDRESS];
    for (const name of [...NAMES, ...own]) {
      assertMatch(await ask(proxy, `${name}:${proxy.port}`), LOOP, name);
    }
    // final: no try came after the first
    assertEquals(proxy.log.count("Retrying"), 0);
    await using backend = new Backend((socket) => send(socket, "good"));
    assertEquals(await ask(proxy, backend.remote), "good");
    proxy.kill("SIGUSR2");
    const line = await proxy.log.find("loops-refused");
    assertMatch(
      line,
      new RegExp(`loops-refused ${NAMES.length + own.length}\\b`),
    );
  });
}

test(
  "the addresses of this machine are known with --allow-sys: nothing is connected to",
  async () => {
    await using proxy = await Proxy.start(ROUTER, {
      listen: ["-h", "0.0.0.0", "-p", "0"],
      program: programWith("--allow-sys=networkInterfaces"),
    });
    assertMatch(await ask(proxy, `${OWN_ADDRESS}:${proxy.port}`), LOOP);
    proxy.kill("SIGTERM");
    await proxy.ended();
    // the one client; a connection to the listener would have a line of its own
    assertEquals(proxy.access.all.length, 1);
  },
  OWN_ADDRESS === undefined ? "no address but loopback" : undefined,
);

test(
  "a listener at :: is no remote, by addresses of both families",
  async () => {
    await using proxy = await Proxy.start(ROUTER, {
      listen: ["-h", "::", "-p", "0"],
    });
    for (const name of [...NAMES, "[::1]", "[::]", "[0:0::1]"]) {
      assertMatch(await ask(proxy, `${name}:${proxy.port}`), LOOP, name);
    }
  },
  NO_IPV6,
);

test("other listeners, those of a new generation, and the admin server are no remotes", async () => {
  await using proxy = await Proxy.start(ROUTER, {
    args: ["-w", "1", "-h", "127.0.0.3", "-p", "0", "--admin", "127.0.0.1:0"],
  });
  const admin = await adminOf(proxy);
  assertMatch(await ask(proxy, new URL(admin).host), LOOP);
  const line = await proxy.log.find("127.0.0.3:");
  const other = /127\.0\.0\.3:\d+/.exec(line)?.[0] as string;
  assertMatch(await ask(proxy, other), LOOP);
  // the same port, where nothing of this program listens
  await using backend = new Backend((socket) => send(socket, "good"), {
    hostname: "127.0.0.4",
    port: proxy.port,
  });
  assertEquals(await ask(proxy, backend.remote), "good");
  proxy.kill("SIGHUP");
  await proxy.log.find("Reloaded: generation 2");
  assertMatch(await ask(proxy, `127.0.0.1:${proxy.port}`), LOOP);
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  assertMatch(metrics, /^proxymachine_loops_refused_total 3$/m);
});

test("an own socket file is no remote, by whatever path", async () => {
  await using folder = await Folder.make({});
  await Deno.mkdir(folder.file("d"));
  const path = folder.file("a.sock");
  await Deno.symlink(path, folder.file("link"));
  const names = ["a.sock", "d/../a.sock", "./a.sock", "link"]
    .map((name) => `unix:${folder.path}/${name}`);
  await using proxy = await Proxy.start(ROUTER, {
    args: ["-w", "1", "-h", `unix:${path}`, `--allow-net=${names.join()}`],
    program: programWith(`--allow-write=${folder.path}`),
  });
  for (const name of [...names, ...names]) {
    assertMatch(await ask(proxy, name), LOOP, name);
  }
  proxy.kill("SIGTERM");
  await proxy.ended();
  // the path of the link was learned by the one connection that it got
  assertEquals(proxy.access.count("client=unix"), 1);
});

const why = whyNoNamespace();

test(
  "a connection to itself is one that was refused, for clients and checks",
  () =>
    runInNamespace(new URL("selves_world.ts", import.meta.url).href, [], {
      resolvConf: "",
      hosts: "127.0.0.1 localhost\n",
      // so few ports that one in ten tries gets that of the remote
      setup: "echo 40000 40019 > /proc/sys/net/ipv4/ip_local_port_range",
    }),
  why,
);
