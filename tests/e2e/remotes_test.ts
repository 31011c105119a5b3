/**
 * Several remotes for one connection: lists, and names with several addresses.
 */
import { assertEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { REFUSING } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { until } from "../support/until.ts";

/** Sends a byte, and returns all that comes back. */
async function ask(proxy: Proxy): Promise<string> {
  using client = await proxy.connect();
  await send(client, "a");
  return await receiveAll(client);
}

/** Runs a program with a file of its own in place of `/etc/hosts`. */
const PRIVATE_HOSTS = [
  ...["unshare", "--mount", "sh", "-c"],
  'mount --bind "$0" /etc/hosts && exec "$@"',
];

/** A remote that refuses connections, other than {@linkcode REFUSING}. */
const REFUSING_TOO = "127.0.0.2:1";

test("a list of remotes is tried in order, and the first that connects serves", async () => {
  await using one = new Backend((socket) => send(socket, "one"));
  await using two = new Backend((socket) => send(socket, "two"));
  const list = [REFUSING, REFUSING_TOO, one.remote, two.remote];
  await using proxy = await Proxy.start(
    `export default () => ({ remote: ${JSON.stringify(list)} });`,
  );
  assertEquals(await ask(proxy), "one");
  await proxy.log.find(
    `Connect ${REFUSING} failed, trying ${REFUSING_TOO}: Connection refused`,
  );
  await proxy.log.find(
    `Connect ${REFUSING_TOO} failed, trying ${one.remote}: Connection refused`,
  );
  await proxy.access.find(`remote=${one.remote} in=1 out=3`);
  assertEquals(proxy.log.count("Retrying"), 0);
  assertEquals(two.accepted, 0);
});

test("connectError gets the last remote of a list after ten more tries round it", async () => {
  const list = [REFUSING, REFUSING_TOO, "127.0.0.3:1"];
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: ${JSON.stringify(list)} }),
    connectError: (remote, error) => ({ close: remote + "|" + error.name }),
  };`);
  // 3 tries and 10 retries: the last one is the 13th
  assertEquals(await ask(proxy), `${REFUSING}|ConnectionRefused`);
  await proxy.log.find(`Connect ${REFUSING} failed after 10 retries`);
  const retries = proxy.log.all
    .map((line) => /Retrying connection with (\S+) \(#\d+\)/.exec(line)?.[1])
    .filter((remote) => remote !== undefined);
  assertEquals(
    retries,
    Array.from({ length: 10 }, (_, index) => list[index % 3]),
  );
  await proxy.access.find(`remote=${REFUSING} in=1`);
});

test("a remote of a list that the router may not connect to is left out", async () => {
  await using backend = new Backend((socket) => send(socket, "here"));
  const list = [REFUSING, backend.remote];
  await using proxy = await Proxy.start(
    `export default () => ({ remote: ${JSON.stringify(list)} });`,
    { args: ["-w", "1", `--allow-net=${backend.remote}`] },
  );
  assertEquals(await ask(proxy), "here");
  await proxy.log.find(
    `Cannot connect to ${REFUSING} as the router's --allow-net does not include it`,
  );
});

test("a hook may name a list of remotes", async () => {
  await using backend = new Backend((socket) => send(socket, "spare"));
  await using proxy = await Proxy.start(`export default {
    accept: () => ({ remote: "127.0.0.3:1" }),
    connectError: () => ({ remote: ["${REFUSING}", "${backend.remote}"] }),
  };`);
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "spare");
});

test("a route of a table may have a list of remotes with variables", async () => {
  await using backend = new Backend((socket) => send(socket, "table"));
  const table = `routes:
  - match: { bytes: { regex: "/^(.)/" } }
    remote: ["127.0.0.\${bytes.1}:1", "${backend.remote}"]
`;
  await using proxy = await Proxy.start(table, { file: "routes.yaml" });
  using client = await proxy.connect();
  await send(client, "3");
  assertEquals(await receiveAll(client), "table");
  await proxy.log.find(`Connect 127.0.0.3:1 failed, trying ${backend.remote}`);
});

Deno.test({
  name: "all addresses of a name are tried, and a change of /etc/hosts is seen",
  timeout: 300_000,
  ignore: !mayMount(),
  async fn() {
    await using folder = await Folder.make({
      hosts: "127.0.0.2 several.test\n127.0.0.1 several.test\n",
    });
    await using one = new Backend((socket) => send(socket, "one"));
    const { port } = one;
    const hosts = folder.file("hosts");
    await using proxy = await Proxy.start(
      `export default () => ({ remote: "several.test:${port}" });`,
      { program: [...PRIVATE_HOSTS, hosts, ...PROGRAM] },
    );
    assertEquals(await ask(proxy), "one");
    // the addresses of the name are tried within one try
    await proxy.access.find(`remote=several.test:${port} in=1 out=3`);
    assertEquals(proxy.log.count("Retrying"), 0);

    await using _ = new Backend((socket) => send(socket, "two"), {
      hostname: "127.0.0.3",
      port,
    });
    // written in place, as the file itself is mounted; it is looked at each 2 s
    await Deno.writeTextFile(hosts, "127.0.0.3 several.test\n");
    await until(() => ask(proxy), (answer) => answer === "two");
  },
});

/** Tells whether a file can be mounted: as root, outside most containers. */
function mayMount(): boolean {
  try {
    const [command = "", ...args] = PRIVATE_HOSTS;
    return new Deno.Command(command, { args: [...args, "/etc/hosts", "true"] })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
