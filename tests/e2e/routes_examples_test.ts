/**
 * The examples that route by what parsers say, and the route table, with the
 * real clients and, where Debian has one, the real servers.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
} from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { EXAMPLES } from "../support/paths.ts";
import { unusedPort } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { readExample, startExample, succeed } from "../support/examples.ts";

/** Debian does not put the servers on the path. */
const POSTGRES = "/usr/lib/postgresql/15/bin";

/** A program that runs as long as the test. */
class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** What it says on standard output and error. */
  readonly #logs: readonly Lines[];

  /** Starts it. */
  constructor(command: readonly string[]) {
    const [name = "", ...args] = command;
    this.#child = new Deno.Command(name, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stdout, stderr } = this.#child;
    this.#logs = [new Lines(stdout), new Lines(stderr)];
  }

  /** Waits until it says that it is ready. */
  async ready(text: string): Promise<void> {
    await Promise.any(this.#logs.map((log) => log.find(text)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGINT");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await Promise.all(this.#logs.map((log) => log.ended));
  }
}

/** A TLS server that answers requests of HTTP with its certificate's name. */
async function tlsServer(folder: Folder, name: string): Promise<{
  server: Server;
  remote: string;
}> {
  need("openssl", "openssl");
  const [key, cert] = [folder.file(`${name}.key`), folder.file(`${name}.pem`)];
  await succeed(
    ...["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "1"],
    ...["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", `/CN=${name}`],
    ...["-addext", `subjectAltName=DNS:${name}`, "-keyout", key, "-out", cert],
  );
  const port = unusedPort();
  const server = new Server([
    ...["openssl", "s_server", "-accept", `127.0.0.1:${port}`, "-www"],
    ...["-key", key, "-cert", cert],
  ]);
  try {
    await server.ready("ACCEPT");
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return { server, remote: `127.0.0.1:${port}` };
}

/** Gets a page over TLS through the proxy, and checks the certificate. */
function getPage(
  folder: Folder,
  name: string,
  port: number,
  cert = name,
): Promise<string> {
  need("curl", "curl");
  return succeed(
    ...["env", "-i", "curl", "-sS", "--max-time", "60"],
    ...["--cacert", folder.file(`${cert}.pem`), "--noproxy", "*"],
    ...["--connect-to", `::127.0.0.1:${port}`, `https://${name}/`],
  );
}

/** An OpenSSH server with a key of its own. */
async function sshServer(folder: Folder): Promise<{
  server: Server;
  remote: string;
  key: string;
}> {
  need("/usr/sbin/sshd", "openssh-server");
  const key = folder.file("host_key");
  await succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
  await Deno.mkdir("/run/sshd", { recursive: true });
  const port = unusedPort();
  const server = new Server([
    ...["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", key],
    ...["-p", String(port), "-o", "ListenAddress=127.0.0.1"],
    ...["-o", "PidFile=none"],
  ]);
  try {
    await server.ready("Server listening");
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  const [, text = ""] = (await Deno.readTextFile(`${key}.pub`)).split(" ");
  return { server, remote: `127.0.0.1:${port}`, key: text };
}

/** Connects with ssh, which keeps the key of the server behind a port. */
async function sshKey(folder: Folder, port: number): Promise<string> {
  need("ssh", "openssh-client");
  const file = folder.file("known_hosts");
  // the server knows no user: what is asked for is its key
  await run([
    ...["ssh", "-F", "/dev/null", "-p", String(port), "-o", "BatchMode=yes"],
    ...["-o", `UserKnownHostsFile=${file}`],
    ...["-o", "StrictHostKeyChecking=accept-new", "nobody@127.0.0.1", "true"],
  ]);
  return await Deno.readTextFile(file);
}

/** Asks for the key with a client that waits for the server to speak first. */
function scanKey(port: number): Promise<string> {
  need("ssh-keyscan", "openssh-client");
  return succeed(
    ...["ssh-keyscan", "-T", "30", "-t", "ed25519", "-p", String(port)],
    "127.0.0.1",
  );
}

/** A PostgreSQL server with one database. */
class Postgres implements AsyncDisposable {
  readonly #server: Server;
  readonly #folder: string;
  /** `127.0.0.1:port`. */
  readonly remote: string;

  private constructor(server: Server, folder: string, remote: string) {
    this.#server = server;
    this.#folder = folder;
    this.remote = remote;
  }

  /** Makes its files in a new folder, and starts it. */
  static async start(database: string): Promise<Postgres> {
    need(`${POSTGRES}/initdb`, "postgresql");
    // it does not run as root; a program in between would not pass signals on
    const user = Deno.uid() === 0
      ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
      : [];
    // where that user may enter, too: TMPDIR may be of this one alone
    const folder = (await succeed(
      ...user,
      ...["mktemp", "-d", "/tmp/proxymachine-test-XXXXXX"],
    )).trim();
    const [program, port] = [`${POSTGRES}/postgres`, unusedPort()];
    const data = `${folder}/data`;
    const server = () =>
      new Server([
        ...[
          ...user,
          program,
          "-D",
          data,
          "-p",
          String(port),
          "-h",
          "127.0.0.1",
        ],
        ...["-k", folder, "-c", "fsync=off"],
      ]);
    await succeed(
      ...[...user, `${POSTGRES}/initdb`, "-D", data, "-U", "joe"],
      ...["-A", "trust", "-N", "--no-locale", "-E", "UTF8"],
    );
    const remote = `127.0.0.1:${port}`;
    const postgres = new Postgres(server(), folder, remote);
    try {
      await postgres.#server.ready("ready to accept connections");
      await succeed(...psql(port, "postgres", `CREATE DATABASE ${database}`));
    } catch (error) {
      await postgres[Symbol.asyncDispose]();
      throw error;
    }
    return postgres;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function psql(port: number, database: string, query: string): string[] {
  need("psql", "postgresql-client");
  const to = `host=127.0.0.1 port=${port} user=joe dbname=${database}`;
  // with the usual sslmode: it asks for TLS, and goes on without
  return ["psql", "-X", "-A", "-t", "-c", query, `${to} connect_timeout=60`];
}

const WHERE = "SELECT current_database() || ' on ' || inet_server_port()";

test("examples/sni.ts routes curl and openssl by server name", async () => {
  await using folder = await Folder.make();
  const one = await tlsServer(folder, "a.example");
  await using _one = one.server;
  const two = await tlsServer(folder, "b.example");
  await using _two = two.server;
  await using proxy = await startExample("sni.ts", {
    "127.0.0.1:9001": one.remote,
    "127.0.0.1:9002": two.remote,
  });
  for (const name of ["a.example", "b.example"]) {
    assertMatch(await getPage(folder, name, proxy.port), /s_server/);
  }
  const { code, stdout, stderr } = await run([
    ...["openssl", "s_client", "-connect", `127.0.0.1:${proxy.port}`],
    ...["-servername", "c.example"],
  ]);
  assertNotEquals(code, 0);
  assertMatch(stdout + stderr, /unrecognized name/);
});

test("examples/https_and_ssh.ts routes curl and ssh on one port", async () => {
  await using folder = await Folder.make();
  const https = await tlsServer(folder, "a.example");
  await using _https = https.server;
  const ssh = await sshServer(folder);
  await using _ssh = ssh.server;
  await using proxy = await startExample("https_and_ssh.ts", {
    "127.0.0.1:9001": https.remote,
    "127.0.0.1:9002": ssh.remote,
  }, ["--preread-timeout", "4"]);
  assertMatch(await getPage(folder, "a.example", proxy.port), /s_server/);
  for (
    const key of [await sshKey(folder, proxy.port), await scanKey(proxy.port)]
  ) assert(key.includes(ssh.key), key);
  using neither = await proxy.connect();
  await send(neither, "HELO\r\n");
  assertEquals(await receiveAll(neither), "");
});

test("examples/postgres.ts routes psql by database", async () => {
  await using sales = await Postgres.start("sales");
  await using stock = await Postgres.start("stock");
  await using proxy = await startExample("postgres.ts", {
    "127.0.0.1:9001": sales.remote,
    "127.0.0.1:9002": stock.remote,
  });
  const ask = (name: string) => succeed(...psql(proxy.port, name, WHERE));
  const port = ({ remote }: Postgres) => remote.split(":")[1];
  assertEquals(await ask("sales"), `sales on ${port(sales)}\n`);
  assertEquals(await ask("stock"), `stock on ${port(stock)}\n`);
  const { code } = await run(psql(proxy.port, "other", WHERE));
  assertNotEquals(code, 0);
});

test("examples/routes.yaml routes curl, ssh, git and psql on one port", async () => {
  await using folder = await Folder.make();
  const https = await tlsServer(folder, "a.example");
  await using _https = https.server;
  const ssh = await sshServer(folder);
  await using _ssh = ssh.server;
  await using sales = await Postgres.start("sales");
  await using greeter = new Backend((socket) => send(socket, "to you, too"));
  const text = await readExample("routes.yaml", {
    "127.0.0.1:9002": https.remote,
    "127.0.0.1:9003": ssh.remote,
    "127.0.0.1:9004": sales.remote,
    "127.0.0.1:9005": greeter.remote,
  });
  await using proxy = await Proxy.start(text, { file: "routes.yaml" });

  assertMatch(await getPage(folder, "a.example", proxy.port), /s_server/);
  const key = await sshKey(folder, proxy.port);
  assert(key.includes(ssh.key), key);

  const where = await succeed(...psql(proxy.port, "sales", WHERE));
  assertEquals(where, `sales on ${sales.remote.split(":")[1]}\n`);

  need("git", "git");
  // nobody serves there: where the proxy went is what counts
  await run([
    ...["git", "clone", `git://127.0.0.1:${proxy.port}/alice/project`],
    folder.file("clone"),
  ]);
  await proxy.access.find("remote=alice.localhost:9418");

  const moved = await succeed(
    ...["env", "-i", "curl", "-sS", "-o", "/dev/null", "--max-time", "60"],
    ...["-w", "%{http_code} %{redirect_url}", "--noproxy", "*"],
    ...["--connect-to", `::127.0.0.1:${proxy.port}`, "http://c.example/x?y"],
  );
  assertEquals(moved, "308 https://c.example/x?y");

  using client = await proxy.connect();
  await send(client, "HELLO joe\n");
  assertEquals(await receiveAll(client), "welcome, joe\nto you, too");
});

test("examples/routes.yaml is understood, and each of its lines is explained", async () => {
  const file = join(EXAMPLES, "routes.yaml");
  const { code, stdout } = await run([...PROGRAM, "-c", file, "--check"]);
  assertEquals(code, 0);
  assertMatch(stdout, /: 9 routes$/m);
  assertNotMatch(stdout, /unreachable/);
  const text = await Deno.readTextFile(file);
  assertMatch(
    text,
    /^# yaml-language-server: \$schema=routes\.schema\.json\n/,
  );
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || /^ *match:$/.test(line)) {
      continue;
    }
    assertMatch(line, /# \S/, line);
  }
});
