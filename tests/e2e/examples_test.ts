import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { hashedKeys } from "../support/hashed_keys.ts";
import { Lines } from "../support/lines.ts";
import { EXAMPLES, ROOT } from "../support/paths.ts";
import { REFUSING, unusedPort } from "../support/ports.ts";
import type { Proxy } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { Redis } from "../support/redis.ts";
import { NO_IPV6, test } from "../support/test.ts";
import { Authority } from "../support/tls.ts";
import { startExample, succeed } from "../support/examples.ts";

/** A server program, which is ended with the test. */
class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #log: Lines;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#log = new Lines(child.stderr);
  }

  /** Starts it, and waits for the line that says that it listens. */
  static async start(
    command: readonly string[],
    listens: string,
  ): Promise<Server> {
    const [name = "", ...args] = command;
    const server = new Server(
      new Deno.Command(name, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn(),
    );
    try {
      await server.#log.find(listens);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await this.#log.ended;
  }
}

/** An HTTP server that echoes what is posted, and otherwise says its name. */
class WebServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(name: string, hostname = "127.0.0.1") {
    this.#server = Deno.serve(
      { hostname, port: 0, onListen() {} },
      (request) => new Response(request.body ?? `${name}\n`),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Runs curl without the settings of whoever runs the test. */
function curl(...args: readonly string[]): Promise<string> {
  need("curl", "curl");
  return succeed("env", "-i", "curl", "-sS", "--max-time", "60", ...args);
}

Deno.test("each example is a router of at most 25 lines, says how to run it, and has a test", async () => {
  const tests: string[] = [];
  for await (const { name } of Deno.readDir(join(ROOT, "tests/e2e"))) {
    tests.push(await Deno.readTextFile(join(ROOT, "tests/e2e", name)));
  }
  for await (const { name, isFile } of Deno.readDir(EXAMPLES)) {
    if (!isFile || !name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(join(EXAMPLES, name));
    assert(text.trimEnd().split("\n").length <= 25, `${name} is too long`);
    assertMatch(text, /^\/\/ [A-Z]/, `${name} says what it does`);
    assert(
      text.includes(`\n//   deno task start -c examples/${name} `),
      `${name} says how to run it`,
    );
    assertMatch(text, /\nexport default \{[^]*\n\} satisfies Router;\n$/);
    assert(
      tests.some((test) => test.includes(`startExample("${name}"`)),
      `${name} has a test`,
    );
  }
});

// git.ts

/** Runs git without the settings of whoever runs the test. */
function git(...args: readonly string[]): Promise<string> {
  return succeed(
    "env",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_CONFIG_SYSTEM=/dev/null",
    "GIT_TERMINAL_PROMPT=0",
    need("git", "git"),
    ...args,
  );
}

/** Makes a repository with one commit; returns its name. */
async function makeRepository(path: string, content: string): Promise<string> {
  await git("init", "-q", path);
  await Deno.writeTextFile(join(path, "file"), content);
  await git("-C", path, "add", "file");
  const me = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  await git("-C", path, ...me, "commit", "-q", "-m", "one");
  return (await git("-C", path, "rev-parse", "HEAD")).trim();
}

/** Serves the repositories of a folder with a real git daemon. */
function serveGit(folder: string, port: number): Promise<Server> {
  const execPath = new Deno.Command(need("git", "git"), {
    args: ["--exec-path"],
  }).outputSync().stdout;
  const daemon = join(
    new TextDecoder().decode(execPath).trim(),
    "git-daemon",
  );
  return Server.start([
    need(daemon, "git"),
    "--verbose",
    "--log-destination=stderr",
    "--export-all",
    "--reuseaddr",
    "--listen=127.0.0.1",
    `--port=${port}`,
    `--base-path=${folder}`,
    folder,
  ], "Ready to rumble");
}

Deno.test("git.ts lets git clone from the server of each account", async () => {
  await using folder = await Folder.make({ "a/-": "", "b/-": "" });
  const content = "0123456789abcdef\n".repeat(20_000);
  const commits = [
    await makeRepository(folder.file("a/alice/project"), `alice\n${content}`),
    await makeRepository(folder.file("b/bob/project"), `bob\n${content}`),
  ];
  const [portA, portB] = [unusedPort(), unusedPort()];
  await using _a = await serveGit(folder.file("a"), portA);
  await using _b = await serveGit(folder.file("b"), portB);
  await using proxy = await startExample("git.ts", {
    "127.0.0.1:9001": `127.0.0.1:${portA}`,
    "127.0.0.1:9002": `127.0.0.1:${portB}`,
  });

  for (const [i, account] of ["alice", "bob"].entries()) {
    const clone = folder.file(`clone-${account}`);
    const url = `git://127.0.0.1:${proxy.port}/${account}/project`;
    await git("clone", "-q", url, clone);
    const head = await git("-C", clone, "rev-parse", "HEAD");
    assertEquals(head.trim(), commits[i]);
    assertEquals(
      await Deno.readTextFile(join(clone, "file")),
      `${account}\n${content}`,
    );
    await git("-C", clone, "fetch", "-q");
  }
});

Deno.test("git.ts makes git show an error when there is no such account", async () => {
  await using proxy = await startExample("git.ts");
  const { code, stderr } = await run([
    need("git", "git"),
    "ls-remote",
    `git://127.0.0.1:${proxy.port}/carol/project`,
  ]);
  assertNotEquals(code, 0);
  assertMatch(stderr, /remote error: no such account/);
});

// socks4.ts

/** Lets curl get a page, and post and get back a megabyte, through a proxy. */
async function browse(
  web: WebServer,
  host: string,
  ...args: readonly string[]
): Promise<void> {
  const url = `http://${host}:${web.port}/`;
  assertEquals(await curl(...args, url), "the web\n");

  await using folder = await Folder.make({
    "big.txt": "proxymachine ".repeat(100_000),
  });
  const file = folder.file("big.txt");
  await curl(...args, "--data-binary", `@${file}`, "-o", `${file}.back`, url);
  assertStrictEquals(
    await Deno.readTextFile(`${file}.back`),
    await Deno.readTextFile(file),
  );
}

Deno.test("socks4.ts serves curl --socks4, with and without a user id", async () => {
  await using web = new WebServer("the web");
  await using proxy = await startExample("socks4.ts");
  await browse(web, "127.0.0.1", "--socks4", `127.0.0.1:${proxy.port}`);
  const withUser = `socks4://alice@127.0.0.1:${proxy.port}`;
  await browse(web, "127.0.0.1", "--proxy", withUser);
});

Deno.test("socks4.ts resolves the host names of curl --socks4a", async () => {
  await using web = new WebServer("the web");
  await using proxy = await startExample("socks4.ts");
  await browse(web, "localhost", "--socks4a", `127.0.0.1:${proxy.port}`);
  const withUser = `socks4a://alice@127.0.0.1:${proxy.port}`;
  await browse(web, "localhost", "--proxy", withUser);
  await proxy.access.find(`remote=localhost:${web.port}`);
});

Deno.test("socks4.ts passes on what comes in one piece with the request, or byte by byte", async () => {
  await using echo = new Backend(async (socket) => {
    await send(socket, await receive(socket, 5));
  });
  await using proxy = await startExample("socks4.ts");
  const { port } = echo;
  const request = [4, 1, port >> 8, port & 255, 127, 0, 0, 1, 0x6d, 0x65, 0];
  const bytes = new Uint8Array([...request, ...encode("hello")]);
  for (const pieces of [[bytes], [...bytes].map((b) => new Uint8Array([b]))]) {
    using client = await proxy.connect();
    client.setNoDelay(true);
    for (const piece of pieces) await send(client, piece);
    assertEquals(await receiveAll(client), "\0\x5a\0\0\0\0\0\0hello");
  }
});

Deno.test("socks4.ts rejects a client that wants something else", async () => {
  await using proxy = await startExample("socks4.ts");
  const bind = new Uint8Array([4, 2, 0, 80, 127, 0, 0, 1, 0]);
  for (const request of [bind, "GET / HTTP/1.1\r\n\r\n"]) {
    using client = await proxy.connect();
    await send(client, request);
    assertEquals(await receiveAll(client), "\0\x5b\0\0\0\0\0\0");
  }
});

// socks5.ts

test(
  "socks5.ts serves curl --socks5 with IPv4 and IPv6 addresses",
  async () => {
    await using web = new WebServer("the web");
    await using web6 = new WebServer("the web", "::1");
    await using proxy = await startExample("socks5.ts");
    const options = ["--socks5", `127.0.0.1:${proxy.port}`];
    await browse(web, "127.0.0.1", ...options);
    await browse(web6, "[::1]", ...options);
    await proxy.access.find(`remote=127.0.0.1:${web.port}`);
    await proxy.access.find(`remote=[::1]:${web6.port}`);
  },
  NO_IPV6,
);

Deno.test("socks5.ts resolves the host names of curl --socks5-hostname", async () => {
  await using web = new WebServer("the web");
  await using proxy = await startExample("socks5.ts");
  const options = ["--socks5-hostname", `127.0.0.1:${proxy.port}`];
  await browse(web, "localhost", ...options);
  await proxy.access.find(`remote=localhost:${web.port}`);
});

Deno.test("socks5.ts has the same dialogue with a client that sends all at once, or byte by byte", async () => {
  await using echo = new Backend(async (socket) => {
    await send(socket, await receive(socket, 5));
  });
  await using proxy = await startExample("socks5.ts");
  const { port } = echo;
  const greeting = [5, 2, 0, 2];
  const request = [5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255];
  const bytes = new Uint8Array([...greeting, ...request, ...encode("hello")]);
  for (const pieces of [[bytes], [...bytes].map((b) => new Uint8Array([b]))]) {
    using client = await proxy.connect();
    client.setNoDelay(true);
    for (const piece of pieces) await send(client, piece);
    assertEquals(
      await receiveAll(client),
      "\x05\0" + "\x05\0\0\x01\0\0\0\0\0\0" + "hello",
    );
  }
});

Deno.test("socks5.ts refuses a client that it cannot serve", async () => {
  await using proxy = await startExample("socks5.ts");
  const greeting = [5, 1, 0];
  const refused: [request: number[], answer: string][] = [
    [[5, 1, 2], "\x05\xff"], // only with a password
    [[...encode("GET / HTTP/1.1\r\n\r\n")], "\x05\xff"],
    [ // bind
      [...greeting, 5, 2, 0, 1, 127, 0, 0, 1, 0, 80],
      "\x05\0" + "\x05\x07\0\x01\0\0\0\0\0\0",
    ],
  ];
  for (const [request, answer] of refused) {
    using client = await proxy.connect();
    await send(client, new Uint8Array(request));
    assertEquals(await receiveAll(client), answer);
  }
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

// http_host.ts

Deno.test("http_host.ts routes curl by the host name of the URL", async () => {
  await using a = new WebServer("site a");
  await using b = new WebServer("site b");
  await using proxy = await startExample("http_host.ts", {
    "127.0.0.1:9001": a.remote,
    "127.0.0.1:9002": b.remote,
  });
  const connectTo = ["--connect-to", `::127.0.0.1:${proxy.port}`];
  assertEquals(await curl(...connectTo, "http://a.example/"), "site a\n");
  assertEquals(await curl(...connectTo, "http://b.example:81/"), "site b\n");
  assertEquals(await curl(...connectTo, "http://B.EXAMPLE/"), "site b\n");
});

Deno.test("http_host.ts answers with an error when the host is unknown, or it is not HTTP", async () => {
  await using proxy = await startExample("http_host.ts");
  const status = await curl(
    "-w",
    "%{http_code}",
    "--connect-to",
    `::127.0.0.1:${proxy.port}`,
    "http://c.example/",
  );
  assertEquals(status, "404");

  using client = await proxy.connect();
  await send(client, "\x16\x03\x01\x02\0");
  assertMatch(await receiveAll(client), /^HTTP\/1\.1 400 Bad Request\r\n/);
});

// transparent.ts

Deno.test("transparent.ts passes on HTTP, whoever speaks first, and a client that only ends", async () => {
  await using web = new WebServer("the web");
  await using proxy = await startExample("transparent.ts", {
    "127.0.0.1:9001": web.remote,
  });
  assertEquals(
    await curl(`http://127.0.0.1:${proxy.port}/`),
    "the web\n",
  );

  await using backend = new Backend(async (socket) => {
    await send(socket, "220 hello\r\n");
    assertEquals(await receiveAll(socket), "");
    await send(socket, "221 bye\r\n");
  });
  await using other = await startExample("transparent.ts", {
    "127.0.0.1:9001": backend.remote,
  });
  using client = await other.connect();
  assertEquals(await receive(client, 11), "220 hello\r\n");
  await client.closeWrite();
  assertEquals(await receiveAll(client), "221 bye\r\n");
});

// server_first.ts

/** Starts a real sshd with its own host key; returns that key, too. */
async function serveSsh(
  folder: string,
  name: string,
  port: number,
): Promise<[server: Server, key: string]> {
  const keyFile = join(folder, name);
  await succeed(
    need("ssh-keygen", "openssh-client"),
    ...["-q", "-t", "ed25519", "-N", "", "-f", keyFile],
  );
  // as root, sshd wants a folder that only the system's own service makes
  let drop: string[] = [];
  if (Deno.uid() === 0) {
    await Deno.chown(keyFile, 65534, 65534);
    await Deno.chmod(folder, 0o755);
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    drop = [need("setpriv", "util-linux"), ...nobody];
  }
  const server = await Server.start([
    ...drop,
    need("/usr/sbin/sshd", "openssh-server"),
    ...["-D", "-e", "-f", "/dev/null", "-h", keyFile, "-p", String(port)],
    ...["-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none"],
  ], `listening on 127.0.0.1 port ${port}`);
  const [, key = ""] = (await Deno.readTextFile(`${keyFile}.pub`)).split(" ");
  return [server, key];
}

/** Lets ssh connect from an address; returns the key that the server showed. */
async function hostKey(
  folder: string,
  from: string,
  port: number,
): Promise<string> {
  const knownHosts = join(folder, `known_hosts-${from}`);
  const { stderr } = await run([
    need("ssh", "openssh-client"),
    ...["-F", "none", "-b", from, "-p", String(port)],
    ...["-o", "BatchMode=yes", "-o", "IdentityFile=none"],
    ...["-o", "StrictHostKeyChecking=accept-new"],
    ...["-o", `UserKnownHostsFile=${knownHosts}`],
    "nobody@127.0.0.1",
  ]);
  // the keys are exchanged; nobody may log in
  assertMatch(stderr, /Permission denied/);
  const [, , key = ""] = (await Deno.readTextFile(knownHosts)).split(/\s+/);
  return key;
}

Deno.test("server_first.ts routes ssh by the client's address", async () => {
  await using folder = await Folder.make();
  const [portA, portB] = [unusedPort(), unusedPort()];
  const [a, keyA] = await serveSsh(folder.path, "a", portA);
  await using _a = a;
  const [b, keyB] = await serveSsh(folder.path, "b", portB);
  await using _b = b;
  await using proxy = await startExample("server_first.ts", {
    "10.0.0.7": "127.0.0.2",
    "127.0.0.1:9001": `127.0.0.1:${portA}`,
    "127.0.0.1:9002": `127.0.0.1:${portB}`,
  });
  assertStrictEquals(await hostKey(folder.path, "127.0.0.2", proxy.port), keyA);
  assertStrictEquals(await hostKey(folder.path, "127.0.0.3", proxy.port), keyB);
});

Deno.test("server_first.ts serves a client that sends nothing before the server has spoken", async () => {
  await using mail = new Backend((socket) => send(socket, "220 ready\r\n"));
  await using proxy = await startExample("server_first.ts", {
    "127.0.0.1:9002": mail.remote,
  });
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "220 ready\r\n");
});

// error_page.ts

/** Gets a page as curl sees it: its status, and what it says. */
function getPage(proxy: Proxy): Promise<string> {
  return curl("-w", "%{http_code}", `http://127.0.0.1:${proxy.port}/`);
}

Deno.test("error_page.ts asks the first server as long as it is up", async () => {
  await using first = new WebServer("first");
  await using second = new WebServer("second");
  await using proxy = await startExample("error_page.ts", {
    "127.0.0.1:9001": first.remote,
    "127.0.0.1:9002": second.remote,
  });
  assertEquals(await getPage(proxy), "first\n200");
});

Deno.test("error_page.ts asks the second server when the first is down", async () => {
  await using second = new WebServer("second");
  await using proxy = await startExample("error_page.ts", {
    "127.0.0.1:9001": REFUSING,
    "127.0.0.1:9002": second.remote,
  });
  assertEquals(await getPage(proxy), "second\n200");
});

Deno.test("error_page.ts asks the second server when the first closes without an answer", async () => {
  await using first = new Backend(async (socket) => {
    await receive(socket, 1);
  });
  await using second = new WebServer("second");
  await using proxy = await startExample("error_page.ts", {
    "127.0.0.1:9001": first.remote,
    "127.0.0.1:9002": second.remote,
  });
  assertEquals(await getPage(proxy), "second\n200");
});

Deno.test("error_page.ts answers with 502 when both servers are down", async () => {
  await using proxy = await startExample("error_page.ts", {
    "127.0.0.1:9001": REFUSING,
    "127.0.0.1:9002": "127.0.0.2:1",
  });
  assertMatch(await getPage(proxy), /^The server is down\..*\n502$/);
});

Deno.test("the pool example sends a path to one server, and to the other when that is ill", async () => {
  let status = 200;
  const serve = (name: string, ill: () => number) =>
    Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ method }) =>
        new Response(method === "HEAD" ? null : name, {
          status: method === "HEAD" ? ill() : 200,
        }),
    );
  const one = serve("one", () => status);
  const two = serve("two", () => 200);
  try {
    const remoteOf = ({ addr }: Deno.HttpServer<Deno.NetAddr>) =>
      `127.0.0.1:${addr.port}`;
    await using proxy = await startExample("pool.ts", {
      "127.0.0.1:9001": remoteOf(one),
      "127.0.0.1:9002": remoteOf(two),
    });
    const paths = hashedKeys(
      [[remoteOf(one), 1], [remoteOf(two), 2]],
      6,
      (index) => `/${index}`,
    );
    const ask = () =>
      Promise.all(
        paths.map(({ key }) => curl(`http://127.0.0.1:${proxy.port}${key}`)),
      );
    const expected = paths.map(({ remote }) =>
      remote === remoteOf(one) ? "one" : "two"
    );
    assertEquals(await ask(), expected);
    assertEquals(await ask(), expected);
    status = 500;
    await proxy.log.find(`Member ${remoteOf(one)} of pool web is down`);
    assertEquals(new Set(await ask()), new Set(["two"]));
  } finally {
    await Promise.all([one.shutdown(), two.shutdown()]);
  }
});

// tls_sni.ts

Deno.test("tls_sni.ts ends TLS with the certificate of the name, and routes by protocol", async () => {
  await using authority = await Authority.make();
  await using two = new WebServer("HTTP/2 of a");
  await using one = new WebServer("HTTP/1 of b");
  const pairs: string[] = [];
  for (const name of ["a.example", "b.example"]) {
    const { cert, key } = await authority.issue({ names: `DNS:${name}` });
    pairs.push("--tls-cert", cert, "--tls-key", key);
  }
  await using proxy = await startExample("tls_sni.ts", {
    "127.0.0.1:9001": two.remote,
    "127.0.0.1:9004": one.remote,
  }, ["--alpn", "h2,http/1.1", ...pairs]);
  const get = (host: string, version: string) =>
    curl(
      ...["--cacert", authority.file, version],
      ...["--resolve", `${host}:${proxy.port}:127.0.0.1`],
      `https://${host}:${proxy.port}/`,
    );
  assertEquals(await get("a.example", "--http2"), "HTTP/2 of a\n");
  assertEquals(await get("b.example", "--http1.1"), "HTTP/1 of b\n");
});

Deno.test("redis_table.ts routes curl by what Redis has for the host", async () => {
  await using one = new WebServer("one");
  await using two = new WebServer("two");
  await using redis = await Redis.start();
  await redis.command("SET", "site:a.example", one.remote);
  await using proxy = await startExample("redis_table.ts", {
    "redis://127.0.0.1:6379/0": redis.url,
  });
  const get = (host: string) =>
    curl(
      "-w",
      "%{http_code}",
      "-H",
      `Host: ${host}`,
      `127.0.0.1:${proxy.port}`,
    );
  assertEquals(await get("a.example"), "one\n200");
  assertEquals(await get("b.example"), "404");
  await redis.command("SET", "site:b.example", two.remote);
  for (;;) {
    const page = await get("B.example:80");
    if (page === "two\n200") break;
    assertEquals(page, "404"); // the message of Redis is under way
  }
});
