/**
 * TLS from the command line and route tables, with real clients and servers.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { Folder } from "../support/folder.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { run } from "../support/run.ts";
import { receive, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Authority, OpensslServer } from "../support/tls.ts";

test("a route table connects with TLS, and trusts a file of authorities", async () => {
  await using authority = await Authority.make();
  const issued = await authority.issue({ names: "DNS:a.example" });
  await using server = await OpensslServer.start(issued);
  const table = `
routes:
  - match: { bytes: { prefix: "good" } }
    remote: ${server.remote}
    tls: { serverName: a.example, ca: [ca.pem] }
  - match: { bytes: { prefix: "wrong" } }
    remote: ${server.remote}
    tls: true
`;
  const options = { file: "routes.yaml", files: { "ca.pem": authority.pem } };
  await using proxy = await Proxy.start(table, options);
  {
    using good = await proxy.connect();
    await send(good, "good\n");
    assertEquals(await receive(good, 5), "doog\n");
  }
  // the server serves one after the other
  await proxy.access.find("end=done");
  using wrong = await proxy.connect();
  await send(wrong, "wrong\n");
  await proxy.log.find(/failed: .* invalid peer certificate: UnknownIssuer/);
  await proxy.access.find("end=connect-failed");
});

test("a file of authorities that is none is refused before anything starts", async () => {
  await using authority = await Authority.make();
  const { key } = await authority.issue({ names: "DNS:a.example" });
  const folder = authority.file.replace("ca.pem", "");
  const cases = [
    [
      "missing.pem",
      `Cannot read the certificate ${folder}missing.pem: there is no such file`,
    ],
    [
      key,
      `Cannot use the certificate ${key} as it must be in PEM: it has no "-----BEGIN CERTIFICATE-----"`,
    ],
  ];
  for (const [ca = "", message] of cases) {
    const file = `${folder}routes.yaml`;
    await Deno.writeTextFile(
      file,
      `default: { remote: "a:1", tls: { ca: ${ca} } }`,
    );
    const { code, stderr } = await run([...PROGRAM, "-c", file, "--check"]);
    assertEquals([code, stderr], [2, `proxymachine: ${message}\n`]);
  }
});

test("a route table has listeners with TLS, and routes by what TLS tells", async () => {
  await using authority = await Authority.make();
  const { cert, key } = await authority.issue({ names: "DNS:a.example" });
  const table = `
listen:
  - { host: 127.0.0.1, port: 0, name: secure, tls: { cert: own.pem, key: own.key }, alpn: [h2, http/1.1] }
routes:
  - match: { all: [{ serverName: "*.example", alpn: h2 }, { bytes: { prefix: "a" } }] }
    close: "\${client.serverName} by \${client.alpn}"
  - match: { not: { serverName: "*" } }
    close: "no name"
default: { close: "other" }
`;
  await using proxy = await Proxy.start(table, {
    file: "routes.yaml",
    listen: [],
    files: {
      "own.pem": await Deno.readTextFile(cert),
      "own.key": await Deno.readTextFile(key),
    },
  });
  const ask = async (...args: readonly string[]): Promise<string> => {
    const command = ["openssl", "s_client", "-quiet", ...args];
    const place = ["-connect", `127.0.0.1:${proxy.port}`];
    return (await run([...command, ...place], "a\n")).stdout;
  };
  assertEquals(
    await ask("-servername", "a.example", "-alpn", "h2"),
    "a.example by h2",
  );
  assertEquals(await ask("-servername", "a.example"), "other");
  assertEquals(await ask("-noservername", "-alpn", "h2"), "no name");
});

test("certificates and keys that cannot be used are refused before anything starts", async () => {
  await using authority = await Authority.make();
  const names = "DNS:a.example";
  const { cert, key } = await authority.issue({ names });
  const other = await authority.issue({ names, key: "rsa" });
  const encrypted = `${key}.encrypted`;
  const made = await run([
    ...["openssl", "pkcs8", "-topk8", "-in", key, "-out", encrypted],
    ...["-passout", "pass:secret"],
  ]);
  assertEquals(made.code, 0, made.stderr);
  await using folder = await Folder.make({
    "router.ts": "export default () => ({ close: true });",
    "broken.pem":
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "broken.key":
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
  });
  const missing = folder.file("missing.pem");
  const broken = folder.file("broken.key");
  const pair = (
    cert: string,
    key: string,
  ) => ["--tls-cert", cert, "--tls-key", key];
  const cases: [args: string[], message: string | RegExp][] = [
    [
      pair(missing, key),
      `Cannot read the certificate ${missing}: there is no such file`,
    ],
    [
      pair(cert, missing),
      `Cannot read the private key ${missing}: there is no such file`,
    ],
    [
      pair(key, key),
      `Cannot use the certificate ${key} as it must be in PEM: it has no "-----BEGIN CERTIFICATE-----"`,
    ],
    [
      pair(folder.file("broken.pem"), key),
      /^Cannot use the certificate \S+broken\.pem: ./,
    ],
    [pair(cert, broken), /^Cannot use the private key \S+broken\.key: ./],
    [
      pair(cert, cert),
      `Cannot use the private key ${cert} as it must be in PEM: it has no "-----BEGIN PRIVATE KEY-----"`,
    ],
    [
      pair(cert, encrypted),
      `Cannot use the private key ${encrypted} as it must not be encrypted: write it in plain with openssl pkey -in ${encrypted}`,
    ],
    [
      pair(cert, other.key),
      `Cannot use the private key ${other.key} as it must be that of the certificate ${cert}`,
    ],
    [
      ["--tls-cert", cert],
      `Cannot use --tls-cert as it must have a --tls-key for each, in the same order: current value is "1 and 0 keys"`,
    ],
    [
      ["--alpn", "h2"],
      `Cannot use --alpn as it must stand beside --tls-cert: current value is "h2"`,
    ],
    [
      [...pair(cert, key), "--alpn", "h2,"],
      `Cannot use --alpn as it must be protocols with commas between: current value is "h2,"`,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run([
      ...[...PROGRAM, "-c", folder.file("router.ts"), "--check", ...args],
    ]);
    const [line = "", rest] = stderr.split("\n");
    assertEquals([code, rest], [2, ""], stderr);
    const text = line.replace("proxymachine: ", "");
    if (typeof message === "string") assertStrictEquals(text, message);
    else assertMatch(text, message);
  }
  const good = [...pair(cert, key), ...pair(other.cert, other.key)];
  const { stdout } = await run([
    ...[...PROGRAM, "-c", folder.file("router.ts"), "--check"],
    ...["-p", "443", ...good, "--alpn", "h2,http/1.1"],
  ]);
  assertMatch(
    stdout,
    /0\.0\.0\.0:443 with TLS \(h2 \| http\/1\.1\) for a\.example \| a\.example$/m,
  );
});

test("without the permission to read a key, the command that works is printed", async () => {
  await using authority = await Authority.make();
  const { cert, key } = await authority.issue({ names: "DNS:a.example" });
  await using folder = await Folder.make({
    "router.ts": "export default () => ({ close: true });",
  });
  if (PROGRAM.length === 1) return; // the executable has it
  const [deno = "", ...rest] = PROGRAM;
  const main = rest.at(-1) ?? "";
  const src = main.replace(/main\.ts$/, "src");
  const { code, stderr } = await run([
    ...[deno, "run", "--no-prompt", "--allow-net"],
    ...[`--allow-read=${src},${folder.path}`, main],
    ...["-c", folder.file("router.ts"), "--tls-cert", cert, "--tls-key", key],
  ]);
  assertEquals(code, 2, stderr);
  assertMatch(stderr, /Cannot start without --allow-read=/);
  assert(stderr.includes(`,${cert},${key} `), stderr);
});

test("HUP takes a renewed certificate, and no broken one", async () => {
  await using authority = await Authority.make();
  const { cert, key } = await authority.issue({ names: "DNS:old.example" });
  const renewed = await authority.issue({ names: "DNS:new.example" });
  await using proxy = await Proxy.start(
    `export default () => ({ close: "closed" });`,
    { args: ["-w", "1", "--tls-cert", cert, "--tls-key", key] },
  );
  const names = async (): Promise<string> => {
    const shown = await run([
      ...["openssl", "s_client", "-connect", `127.0.0.1:${proxy.port}`],
    ]);
    const { stdout } = await run(
      ["openssl", "x509", "-noout", "-ext", "subjectAltName"],
      shown.stdout,
    );
    return stdout;
  };
  assertMatch(await names(), /DNS:old\.example/);
  // the certificate alone: its key is another
  await Deno.copyFile(renewed.cert, cert);
  proxy.kill("SIGHUP");
  await proxy.log.find(
    `Cannot use the private key ${key} as it must be that of the certificate ${cert}`,
  );
  assertMatch(await names(), /DNS:old\.example/);
  await Deno.copyFile(renewed.key, key);
  proxy.kill("SIGHUP");
  await proxy.log.find("Reloaded: generation 2 ");
  while (!/DNS:new\.example/.test(await names()));
});
