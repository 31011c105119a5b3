/**
 * The real program with route tables.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../support/paths.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { type Result, run } from "../support/run.ts";
import { named } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

const YAML: ProxyOptions = { file: "routes.yaml" };

/** What a client gets that sends a text. */
async function answerTo(
  port: number,
  request: string,
  hostname = "127.0.0.1",
): Promise<string> {
  using client = await Deno.connect({ hostname, port });
  await send(client, request);
  return await receiveAll(client);
}

/** Runs the program with a table, and perhaps other files beside it. */
async function runWith(
  table: string,
  args: readonly string[],
  stdin = "",
): Promise<Result> {
  const folder = await Deno.makeTempDir({ prefix: "proxymachine-test-" });
  try {
    await Deno.writeTextFile(join(folder, "routes.yaml"), table);
    const result = await run(
      [...PROGRAM, "-c", join(folder, "routes.yaml"), ...args],
      stdin,
    );
    const strip = (text: string) => text.replaceAll(`${folder}/`, "");
    return {
      code: result.code,
      stdout: strip(result.stdout),
      stderr: strip(result.stderr),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

test("the proxy routes by a table", async () => {
  await using one = named("one");
  await using two = named("two");
  await using proxy = await Proxy.start(
    `
workers: 2
routes:
  - match: { http: { host: one.example } }
    remote: "${one.remote}"
  - match: { http: { headers: { x-backend: "/^[0-9.]+:\\\\d+$/" } } }
    remote: "\${http.headers.x-backend}"
  - match: { bytes: { prefix: "\\0BYE" } }
    close: "bye, \${client.address}"
`,
    { ...YAML, args: [] },
  );
  const get = (fields: string) => `GET / HTTP/1.1\r\n${fields}\r\n\r\n`;
  assertMatch(await proxy.log.find("Listening on"), /with 2 workers$/);
  assertEquals(await answerTo(proxy.port, get("Host: ONE.example:80")), "one");
  assertEquals(
    await answerTo(proxy.port, get(`Host: a\r\nX-Backend: ${two.remote}`)),
    "two",
  );
  assertEquals(await answerTo(proxy.port, "\0BYE"), "bye, 127.0.0.1");
  assertEquals(await answerTo(proxy.port, get("Host: a")), "");
  await proxy.access.find("end=router-close");
});

test("a remote that a client makes invalid closes that client, and is logged", async () => {
  await using proxy = await Proxy.start(
    `
routes:
  - { name: by header, match: { http: true }, remote: "\${http.headers.x-to}" }
`,
    YAML,
  );
  assertEquals(
    await answerTo(proxy.port, "GET / HTTP/1.1\r\nX-To: no where\r\n\r\n"),
    "",
  );
  await proxy.log.find(
    'Cannot connect to ${http.headers.x-to} of route 1 (by header) as it must be "host:port": current value is "no where" (client 127.0.0.1:',
  );
  assertEquals(await answerTo(proxy.port, "GET / HTTP/1.1\r\n\r\n"), "");
  await proxy.log.find("Cannot fill in ${http.headers.x-to} of route 1");
  await proxy.access.findAll("end=router-error", 2);
});

test("each listener of a table accepts, and routes can tell them apart", async () => {
  await using proxy = await Proxy.start(
    `
listen:
  - { host: 127.0.0.1, port: 0, name: front }
  - { host: 127.0.0.2, port: 0, name: back }
routes:
  - { match: { listener: front }, close: "front" }
  - { match: { listener: back }, close: "\${local.listener} on \${local.address}" }
`,
    { ...YAML, listen: [], args: ["-w", "2"] },
  );
  const lines = await proxy.log.findAll("Listening on", 2);
  assertMatch(lines[0] ?? "", /Listening on 127\.0\.0\.1:\d+ with 2 workers$/);
  const back = /Listening on 127\.0\.0\.2:(\d+) with 2 workers$/
    .exec(lines[1] ?? "")?.[1];
  for (let i = 0; i < 4; i++) {
    assertEquals(await answerTo(proxy.port, "x"), "front");
    assertEquals(
      await answerTo(Number(back), "x", "127.0.0.2"),
      "back on 127.0.0.2",
    );
  }
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
});

test("options on the command line win over those of the table", async () => {
  const table = `
listen: 127.0.0.7:7777
workers: 3
maxPreread: 1000
prereadTimeout: 2.5
maxConnections: 50
accessLog: off
allow: { read: [data], env: true }
default: { close: true }
`;
  const { stdout } = await runWith(table, ["--check"]);
  assertMatch(stdout, /^listen +127\.0\.0\.7:7777$/m);
  assertMatch(stdout, /^workers +3$/m);
  assertMatch(stdout, /^preread +at most 1000 bytes and 2\.5 seconds$/m);
  assertMatch(stdout, /^connections +at most 50$/m);
  assertMatch(
    stdout,
    /^permissions +net: all; read: data; env: all; import: none$/m,
  );
  assertMatch(stdout, /^access log +off$/m);
  const flags = ["-p", "81", "-w", "1", "--max-preread", "2000"];
  const other = await runWith(table, [
    "--check",
    ...flags,
    "--allow-read=/x",
    "--access-log=-",
  ]);
  assertMatch(other.stdout, /^listen +0\.0\.0\.0:81$/m);
  assertMatch(other.stdout, /^workers +1$/m);
  assertMatch(other.stdout, /^preread +at most 2000 bytes and 2\.5 seconds$/m);
  assertMatch(other.stdout, /read: \/x; env: all/);
  assertMatch(other.stdout, /^access log +standard output$/m);
});

test("a table's router serves the rest, in the sandbox of routers", async () => {
  await using proxy = await Proxy.start(
    `
router: ./rest.ts
routes:
  - { match: { ssh: true }, close: "ssh" }
`,
    {
      ...YAML,
      files: {
        "rest.ts": `import { word } from "./word.ts";
export default {
  async route(data) {
    if (data.length < 5) return;
    let read;
    try { read = Deno.readTextFileSync(import.meta.dirname + "/routes.yaml"); }
    catch (error) { read = error.name; }
    return { close: word + " " + data.text + " " + read };
  },
};`,
        "word.ts": `export const word = "rest";`,
      },
    },
  );
  assertEquals(await answerTo(proxy.port, "SSH-2.0-x\n"), "ssh");
  assertEquals(await answerTo(proxy.port, "other"), "rest other NotCapable");
});

test("a broken table is told with all its mistakes, and exit status 2", async () => {
  const table = `
workers: many
routes:
  - match: { tls: { sni: a } }
    remote: "a:1"
  - { match: { client: 1.2.3 }, remote: "\${ssh.version}:22" }
`;
  for (const args of [[], ["--check"], ["--dry-run", "-"]]) {
    const { code, stdout, stderr } = await runWith(table, args);
    assertEquals(code, 2);
    assertEquals(stdout, "");
    assertEquals(stderr.split("\n"), [
      "proxymachine: Cannot use the route table routes.yaml as it has 3 mistakes:",
      'routes.yaml:2: workers: must be a whole number from 1 to 1024: current value is "many"',
      'routes.yaml:4: route 1: match.tls.sni: is not one of serverName, rawServerName, alpn, versions: current value is "a"',
      'routes.yaml:6: route 2: match.client: must be an IP address or a network such as 10.0.0.0/8: current value is "1.2.3"',
      "",
    ]);
  }
});

test("a table that cannot be read, or whose router cannot, is told in one line", async () => {
  const missing = await run([...PROGRAM, "-c", "/nowhere/routes.yaml"]);
  assertEquals(missing.code, 2);
  assertEquals(
    missing.stderr,
    "proxymachine: Cannot read the route table /nowhere/routes.yaml: there is no such file\n",
  );
  const { code, stderr } = await runWith("router: ./rest.ts", []);
  assertEquals(code, 2);
  assertMatch(
    stderr,
    /^proxymachine: Cannot read the router .*rest\.ts: there is no such file\n$/,
  );
  const few = await runWith(
    "listen: [1, 2]\nmaxConnections: 3\ndefault: { close: true }",
    ["-w", "2"],
  );
  assertEquals(few.code, 2);
  assertMatch(
    few.stderr,
    /Cannot use --max-connections as .* 4: current value is 3\n$/,
  );
});

test("--check prints the table as it was understood", async () => {
  const { code, stdout } = await runWith(
    `
routes:
  - { name: web, match: { tls: { serverName: "*.example.com" } }, remote: "\${tls.serverName}:443" }
  - { match: { tls: { serverName: a.example.com } }, close: true }
`,
    ["--check"],
  );
  assertEquals(code, 0);
  assertEquals(stdout.split("\n").slice(0, 6), [
    "table        routes.yaml: 2 routes",
    "             route 1, line 3 (web): tls.serverName *.example.com -> remote ${tls.serverName}:443",
    "             route 2, line 4: tls.serverName a.example.com -> close",
    "             default: close",
    "             unreachable: route 2, line 4: its clients are all for route 1",
    "listen       0.0.0.0:5432",
  ]);
});

test("--dry-run tells which bytes decided, what they are, the route and the decision", async () => {
  const table = `
routes:
  - { name: web, match: { http: { host: a.example } }, remote: "a:80" }
  - { match: { ssh: true }, remote: "\${client.address}:22" }
`;
  const request = "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\nmore";
  const { code, stdout } = await runWith(table, ["--dry-run", "-"], request);
  assertEquals(code, 0);
  assertEquals(stdout.split("\n"), [
    "bytes 1-35: wait",
    'http: { method: "GET", target: "/x", path: "/x", normalizedPath: "/x", version: "1.1", host: "a.example", headers: { host: "a.example" } }',
    "route 1 (web), line 3",
    "byte 36: remote a:80",
    "",
  ]);
  const ssh = await runWith(table, ["--dry-run", "-"], "SSH-2.0-x\n");
  assertEquals(ssh.stdout.split("\n").slice(1), [
    'ssh: { version: "SSH-2.0-x", protocol: "2.0", software: "x" }',
    "route 2, line 4",
    "byte 10: remote 127.0.0.1:22",
    "",
  ]);
  const neither = await runWith(table, ["--dry-run", "-"], "\0");
  assertEquals(neither.stdout, "default\nbyte 1: close\n");
  const early = await runWith(table, ["--dry-run", "-"], "SS");
  assertEquals(
    early.stdout,
    "bytes 1-2: wait\nroutes: more bytes are needed\nno decision after 2 bytes\n",
  );
});

test("a table needs no more permissions than a module", async () => {
  const folder = await Deno.makeTempDir({ prefix: "proxymachine-test-" });
  try {
    const file = join(folder, "routes.yaml");
    await Deno.writeTextFile(file, "default: { close: true }\n");
    const { code, stderr } = await run([
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-net",
      `--allow-read=${join(ROOT, "src")},${folder}`,
      join(ROOT, "main.ts"),
      "-c",
      file,
      "--check",
    ]);
    assertEquals(stderr, "");
    assertEquals(code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
