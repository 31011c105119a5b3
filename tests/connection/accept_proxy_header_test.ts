/**
 * Headers of the PROXY protocol in front of what clients send.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { latin1 } from "../../src/mod.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { dialogue } from "../support/routers.ts";
import { Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** Says who the client is, and what it has sent, once it has sent a line. */
const WHO = `const text = ({ hostname, port }) => hostname + " " + port;
  export default ({ text: line }, { remoteAddr, localAddr }) =>
    line.endsWith("\\n")
      ? { close: [text(remoteAddr), text(localAddr), line].join("|") }
      : undefined;`;

const V1 = "PROXY TCP4 192.0.2.1 198.51.100.9 50000 443\r\n";
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const V2 =
  `${SIGNATURE}\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x09\xc3\x50\x01\xbb`;
const PORTS = "\xc3\x50\x01\xbb";
const V2_IPV6 =
  `${SIGNATURE}\x21\x21\0\x24\x20\x01\x0d\xb8${"\0".repeat(11)}\x01` +
  `\x20\x01\x0d\xb8${"\0".repeat(11)}\x02${PORTS}`;
const CLIENT = "192.0.2.1 50000|198.51.100.9 443|";

function start(router: string, args: readonly string[] = []): Promise<Proxy> {
  return Proxy.start(router, { args: ["-w", "1", "--accept-proxy", ...args] });
}

/** Sends a text of one character per byte, and waits for the answer. */
async function ask(proxy: Proxy, text: string): Promise<string> {
  using client = await proxy.connect();
  await send(client, latin1(text));
  return await receiveAll(client);
}

test("the router is told the addresses in the header, and only the bytes behind it", async () => {
  await using proxy = await start(WHO);
  const tlv = "\x04\0\x03abc";
  const cases: [header: string, expected: string][] = [
    [V1, CLIENT],
    [
      "PROXY TCP6 2001:DB8::1 2001:db8:0:0::2 50000 443\r\n",
      "2001:db8::1 50000|2001:db8::2 443|",
    ],
    [V2, CLIENT],
    [V2_IPV6, "2001:db8::1 50000|2001:db8::2 443|"],
    [V2.replace("\0\x0c", "\0\x12") + tlv, CLIENT],
  ];
  for (const [header, expected] of cases) {
    assertEquals(await ask(proxy, `${header}hi\n`), `${expected}hi\n`);
  }
  await proxy.access.findAll(
    / client=192\.0\.2\.1:50000 route=- remote=- in=3 out=\d+ .* end=router-close/,
    3,
  );
  await proxy.access.findAll(/ client=\[2001:db8::1\]:50000 /, 2);
});

test("the proxy reads header and bytes that come one by one", async () => {
  await using proxy = await start(WHO);
  for (const header of [V1, V2, V2_IPV6]) {
    using client = await proxy.connect();
    client.setNoDelay(true);
    for (const byte of latin1(`${header}hi\n`)) {
      await send(client, Uint8Array.of(byte));
    }
    assertMatch(await receiveAll(client), / 50000\|.* 443\|hi\n$/);
  }
});

test("the proxy asks the router at once about bytes that came with the header, also when accept() is there", async () => {
  await using proxy = await start(
    `${WHO.replace("export default", "const route =")}
    let accepted = "";
    export default {
      accept: ({ remoteAddr }) => void (accepted = remoteAddr.hostname),
      route: (data, client) => accepted === client.remoteAddr.hostname
        ? route(data, client) : { close: "accept() was not told" },
    };`,
  );
  assertEquals(await ask(proxy, `${V1}hi\n`), `${CLIENT}hi\n`);
});

test("the remote of accept() gets the bytes that came with the header", async () => {
  using upstream = new Upstream();
  await using proxy = await start(
    `export default { accept: () => ({ remote: "${upstream.remote}" }) };`,
  );
  using client = await proxy.connect();
  await send(client, `${V1}hello`);
  using server = await upstream.accept();
  assertEquals(await receive(server, 5), "hello");
  await send(client, " again");
  assertEquals(await receive(server, 6), " again");
});

test("accept() is asked when the header has come, without any byte behind it", async () => {
  await using proxy = await start(
    `export default { accept: ({ remoteAddr }) => ({ close: remoteAddr.hostname }) };`,
  );
  for (const header of [V1, V2]) {
    assertEquals(await ask(proxy, header), "192.0.2.1");
  }
});

test("a dialogue begins with the bytes that came with the header", async () => {
  using upstream = new Upstream();
  await using proxy = await start(dialogue(upstream.remote));
  using client = await proxy.connect();
  await send(client, `${V1}one\ntwo\n`);
  assertEquals(await receive(client, 8), "one\ntwo\n");
  await send(client, "go\n");
  assertEquals(await receive(client, 6), "going\n");
  using server = await upstream.accept();
  assertEquals(await receive(server, 3), "go\n");
});

test("the router is told the connection's own addresses when the header names none, or others than a stream's", async () => {
  await using proxy = await start(WHO);
  const headers = [
    "PROXY UNKNOWN\r\n",
    "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
    `${SIGNATURE}\x20\0\0\0`, // LOCAL
    `${SIGNATURE}\x20\x11\0\x0c${"\x01".repeat(12)}`, // LOCAL with addresses
    `${SIGNATURE}\x21\0\0\x05hello`, // UNSPEC
    `${SIGNATURE}\x21\x12\0\x0c${"\x01".repeat(12)}`, // UDP
  ];
  for (const header of headers) {
    using client = await proxy.connect();
    await send(client, latin1(`${header}hi\n`));
    assertEquals(
      await receiveAll(client),
      `127.0.0.1 ${client.localAddr.port}|127.0.0.1 ${proxy.port}|hi\n`,
      header,
    );
  }
});

test("the router is told the socket files in the header, if they can be written", async () => {
  await using proxy = await start(
    `export default (data, client) => ({
      close: client.remoteAddr.transport + client.remoteAddr.path + "|" +
        client.localAddr.transport + client.localAddr.path,
    });`,
  );
  const header = (from: string, to: string) =>
    `${SIGNATURE}\x21\x31\0\xd8${from.padEnd(108, "\0")}${
      to.padEnd(108, "\0")
    }hi`;
  const cases: [from: string, to: string, expected: string][] = [
    ["/run/a", "/run/b", "unix/run/a|unix/run/b"],
    ["", "/run/b", "unix|unix/run/b"],
    ["\0abstract", "/run/a b\n", "unix|unix"],
  ];
  for (const [from, to, expected] of cases) {
    assertStrictEquals(await ask(proxy, header(from, to)), expected);
  }
  await proxy.access.find(" client=unix:/run/a ");
});

test("a connection without a valid header is closed, and logged with its peer", async () => {
  await using proxy = await start(WHO, ["--preread-timeout", "1000"]);
  const tooLong = `${SIGNATURE}\x21\x11\x40\0`; // 16 + 16384
  const cases: [text: string, rule: string, value: string][] = [
    ["GET / HTTP/1.1\r\n\r\n", "of version 1 or 2", '"GET / HTTP/1.1'],
    ["hi\n", "of version 1 or 2", '"hi'],
    ["PROXY TCP4 192.0.2.300 ", "of version 1 or 2", '"PROXY TCP4'],
    [`PROXY UNKNOWN ${"x".repeat(93)}\r\n`, "of version 1 or 2", '"PROXY'],
    [`${SIGNATURE}\x11`, "of version 1 or 2", String.raw`"\r\n\r\n\u0000`],
    [tooLong, "at most 16384 bytes", String.raw`"\r\n\r\n\u0000`],
    // a checksum that is wrong
    [
      V2.replace("\0\x0c", "\0\x13") + "\x03\0\x04abcd",
      "of version 1 or 2",
      String.raw`"\r\n\r\n\u0000`,
    ],
  ];
  for (const [text, rule, value] of cases) {
    using client = await proxy.connect();
    await send(client, latin1(text));
    assertEquals(await receiveAll(client).catch(() => ""), "", text);
    const { port } = client.localAddr;
    await proxy.access.find(
      new RegExp(
        ` client=127\\.0\\.0\\.1:${port} .* in=0 out=0 .* end=proxy-invalid`,
      ),
    );
    const line = await proxy.log.find(`127.0.0.1:${port} `);
    assert(line.includes(rule), line);
    assert(line.includes(`current value is ${value}`), line);
    assertEquals(proxy.log.count(`127.0.0.1:${port} `), 1);
  }
  assertEquals(await ask(proxy, `${V1}hi\n`), `${CLIENT}hi\n`);
});

test("a client that ends within the header is closed; one that sends nothing at all is not worth a line", async () => {
  await using proxy = await start(WHO, ["--log-level", "debug"]);
  {
    using client = await proxy.connect();
    await send(client, "PROXY ");
    await client.closeWrite();
    assertEquals(await receiveAll(client), "");
  }
  await proxy.access.find(/ in=0 .* end=proxy-invalid/);
  await proxy.log.find(
    /must be complete: current value is "PROXY " \(6 bytes\)/,
  );
  const warnings = proxy.log.count("Cannot");
  {
    using client = await proxy.connect();
    await client.closeWrite();
    assertEquals(await receiveAll(client), "");
  }
  await proxy.access.find("end=client-left");
  const resettable = await Resettable.connect(proxy.port);
  resettable.send("PROXY TCP4 ");
  await proxy.log.findAll("is accepted", 3);
  await resettable.reset();
  await proxy.access.find("end=client-reset");
  assertEquals(proxy.log.count("Cannot"), warnings);
});

test("a client is closed when its header does not come in time; the time for routing begins behind it", async () => {
  await using proxy = await start(
    `export default { route() {}, timeout: ({ length }) => ({ close: "late " + length }) };`,
    ["--preread-timeout", "1.5"],
  );
  for (const text of ["", "PROXY TCP4 192.", SIGNATURE]) {
    using client = await proxy.connect();
    if (text !== "") await send(client, text);
    assertEquals(await receiveAll(client).catch(() => ""), "");
  }
  await proxy.access.findAll("end=proxy-timeout", 3);
  const lines = await proxy.log.findAll(
    /^.*Cannot read the PROXY header of 127\.0\.0\.1:\d+ as it must come within 1\.5 seconds: current value is/,
    3,
  );
  assertMatch(lines[0] ?? "", /is nothing$/);
  assertMatch(lines[1] ?? "", /is "PROXY TCP4 192\." \(15 bytes\)$/);
  assertEquals(await ask(proxy, `${V1}hi\n`), "late 3");
});

test("a peer outside the list is closed before anything is read", async () => {
  await using proxy = await Proxy.start(WHO, {
    args: ["-w", "1", "--accept-proxy=10.0.0.0/8,2001:db8::/32"],
  });
  using client = await proxy.connect();
  assertEquals(await receiveAll(client), "");
  await proxy.access.find(
    new RegExp(
      ` client=127\\.0\\.0\\.1:${client.localAddr.port} .* end=proxy-untrusted`,
    ),
  );
  await proxy.log.find(
    `Cannot read the PROXY header of 127.0.0.1:${client.localAddr.port} as --accept-proxy does not include that address`,
  );
});

test("a peer within the list is served", async () => {
  await using proxy = await Proxy.start(WHO, {
    args: ["-w", "1", "--accept-proxy=10.0.0.0/8,127.0.0.0/8"],
  });
  assertEquals(await ask(proxy, `${V2}hi\n`), `${CLIENT}hi\n`);
});

test("at most --max-preread bytes are given to the router, whatever came with the header", async () => {
  await using proxy = await start(
    `export default ({ text }) => { console.error("given " + text); };`,
    ["--max-preread", "3"],
  );
  using client = await proxy.connect();
  await send(client, `${V1}abcdef`);
  assertEquals(await receiveAll(client).catch(() => ""), "");
  await proxy.access.find(
    / client=192\.0\.2\.1:50000 .* in=3 .* end=preread-limit/,
  );
  assertEquals(proxy.log.count("given abcd"), 0);
});

test("a listener of a route table has a PROXY header of its own", async () => {
  await using proxy = await Proxy.start(
    `listen:
  - { host: 127.0.0.1, port: 0, name: behind, acceptProxy: 127.0.0.0/8 }
  - { host: 127.0.0.2, port: 0, name: beside }
routes:
  - match: { listener: behind, client: 192.0.2.0/24 }
    close: "\${client.address} \${client.port} \${local.address} \${local.port}"
  - match: { listener: beside }
    close: "plain"
`,
    { file: "routes.yaml", listen: [] },
  );
  const lines = await proxy.log.findAll("Listening on", 2);
  const [behind, beside] = lines.map((line) =>
    /on ([\d.]+):(\d+) with/.exec(line)
  );
  const askAt = async (
    at: RegExpExecArray | null | undefined,
    text: string,
  ) => {
    using client = await Deno.connect({
      hostname: at?.[1] ?? "",
      port: Number(at?.[2]),
    });
    await send(client, text);
    return await receiveAll(client);
  };
  assertEquals(await askAt(behind, V1), "192.0.2.1 50000 198.51.100.9 443");
  assertEquals(await askAt(beside, ""), "plain");
});
