/**
 * The PROXY protocol with HAProxy on both sides.
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Proxy } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { NO_IPV6, test } from "../support/test.ts";
import { Haproxy } from "../support/haproxy.ts";
import { Authority } from "../support/tls.ts";

/** Says who the client is, once it has sent a line. */
const WHO = `const text = ({ hostname, port }) => hostname + " " + port;
  export default (data, { remoteAddr, localAddr }) => data.text.endsWith("\\n")
    ? { close: [text(remoteAddr), text(localAddr), data.text].join("|") }
    : undefined;`;

/** Where HAProxy says who the client is. */
const ANSWER =
  `http-request return status 200 content-type text/plain lf-string "%[src] %[src_port]|%[dst] %[dst_port]"`;

const REQUEST = "GET / HTTP/1.0\r\n\r\n";

const HOSTS = ["127.0.0.1", "::1"] as const;

function listenOn(hostname: string): string[] {
  return ["-h", hostname, "-p", "0"];
}

function at({ hostname, port }: Deno.NetAddr): string {
  return `${hostname} ${port}`;
}

/** Sends a text, waits for the answer, and gives its last line. */
async function ask(
  hostname: string,
  port: number | undefined,
  text: string,
): Promise<{ readonly ends: string; readonly answer: string }> {
  using client = await Deno.connect({ hostname, port: port ?? 0 });
  await send(client, text);
  const answer = await receiveAll(client);
  return {
    ends: `${at(client.localAddr)}|${at(client.remoteAddr)}`,
    answer: answer.slice(answer.lastIndexOf("\r\n\r\n") + 1).trim(),
  };
}

for (
  const [name, options] of [
    ["send-proxy", "send-proxy"],
    ["send-proxy-v2", "send-proxy-v2"],
    [
      "send-proxy-v2 with a checksum",
      "send-proxy-v2 proxy-v2-options crc32c,unique-id",
    ],
  ] as const
) {
  test(
    `the router is told the client of an HAProxy in front that does ${name}`,
    async () => {
      await using proxy = await Proxy.start(WHO, {
        args: ["-w", "1", "--accept-proxy=127.0.0.0/8"],
      });
      await using haproxy = await Haproxy.start(
        HOSTS,
        HOSTS.map((_, index) => `
frontend front${index}
  bind "\${LISTENER_${index}}"
  unique-id-format %rt
  default_backend back
`).join("") + `
backend back
  server proxymachine 127.0.0.1:${proxy.port} ${options}
`,
      );
      for (const [index, host] of HOSTS.entries()) {
        const { answer, ends } = await ask(host, haproxy.ports[index], "hi\n");
        assertEquals(answer, `${ends}|hi`, haproxy.errors.join("\n"));
        const client = ends.split("|", 1)[0]?.split(" ").at(-1);
        await proxy.access.find(new RegExp(` client=\\S+:${client} .* in=3 `));
      }
      assertEquals(proxy.log.count("Cannot"), 0);
    },
    NO_IPV6,
  );
}

test("health checks of an HAProxy in front are served like a client", async () => {
  await using proxy = await Proxy.start(
    `export default { accept: ({ remoteAddr }) => ({ close: remoteAddr.hostname }) };`,
    { args: ["-w", "1", "--accept-proxy"] },
  );
  const to = `127.0.0.1:${proxy.port}`;
  await using haproxy = await Haproxy.start(
    ["127.0.0.1"],
    `
listen back
  bind "\${LISTENER_0}"
  server v1 ${to} check inter 500 send-proxy
  server v2 ${to} check inter 500 send-proxy-v2
`,
  );
  // v1 sends its own addresses, v2 LOCAL
  await proxy.access.findAll(
    / client=127\.0\.0\.1:\d+ .* end=(router-close|client-reset)/,
    6,
  );
  assertEquals(proxy.log.count("Cannot"), 0, haproxy.errors.join("\n"));
});

for (const version of [1, 2] as const) {
  for (const host of HOSTS) {
    test(
      `an HAProxy behind is told the client at ${host} by { proxyProtocol: ${version} }`,
      async () => {
        await using haproxy = await Haproxy.start(
          ["127.0.0.1"],
          `
frontend behind
  bind "\${LISTENER_0}" accept-proxy
  mode http
  ${ANSWER}
`,
        );
        await using proxy = await Proxy.start(
          `export default (data) => data.text.endsWith("\\r\\n\\r\\n")
          ? { remote: "127.0.0.1:${
            haproxy.ports[0]
          }", proxyProtocol: ${version} }
          : undefined;`,
          { listen: listenOn(host) },
        );
        const { answer, ends } = await ask(host, proxy.port, REQUEST);
        assertStrictEquals(answer, ends, haproxy.errors.join("\n"));
      },
      host === "::1" ? NO_IPV6 : undefined,
    );
  }

  test(
    `a client's address goes through HAProxy, the proxy and HAProxy again by version ${version}`,
    async () => {
      await using proxy = await chain(version);
      await using front = await Haproxy.start(
        HOSTS,
        HOSTS.map((_, index) => `
frontend front${index}
  bind "\${LISTENER_${index}}"
  default_backend back
`).join("") + `
backend back
  server proxymachine 127.0.0.1:${proxy.port} send-proxy${
          version === 1 ? "-v2" : ""
        }
`,
      );
      for (const [index, host] of HOSTS.entries()) {
        const { answer, ends } = await ask(host, front.ports[index], REQUEST);
        assertStrictEquals(answer, ends, front.errors.join("\n"));
      }
    },
    NO_IPV6,
  );
}

/** The proxy by a route table, with an HAProxy behind it. */
async function chain(
  version: 1 | 2,
): Promise<AsyncDisposable & { port: number }> {
  await using started = new AsyncDisposableStack();
  const behind = started.use(
    await Haproxy.start(
      ["127.0.0.1"],
      `
frontend behind
  bind "\${LISTENER_0}" accept-proxy
  mode http
  ${ANSWER}
`,
    ),
  );
  const proxy = started.use(
    await Proxy.start(
      `listen: { host: 127.0.0.1, port: 0, acceptProxy: [10.0.0.0/8, 127.0.0.1] }
routes:
  - match: { http: { path: / }, client: [127.0.0.1, "::1"] }
    remote: "127.0.0.1:${behind.ports[0]}"
    proxyProtocol: ${version}
`,
      { file: "routes.yaml", listen: [] },
    ),
  );
  const { port } = proxy;
  const all = started.move();
  return { port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("an HAProxy behind that speaks TLS gets the header before the handshake", async () => {
  await using authority = await Authority.make();
  const { cert, key } = await authority.issue({ names: "IP:127.0.0.1" });
  await using folder = await Folder.make({
    "both.pem": await Deno.readTextFile(cert) + await Deno.readTextFile(key),
  });
  await using haproxy = await Haproxy.start(
    ["127.0.0.1"],
    `
frontend behind
  bind "\${LISTENER_0}" accept-proxy ssl crt ${folder.file("both.pem")}
  mode http
  ${ANSWER}
`,
  );
  for (const version of [1, 2]) {
    await using proxy = await Proxy.start(
      `export default (data) => data.text.endsWith("\\r\\n\\r\\n")
        ? {
          remote: "127.0.0.1:${haproxy.ports[0]}",
          proxyProtocol: ${version},
          tls: { ca: ${JSON.stringify(authority.pem)} },
        }
        : undefined;`,
    );
    const { answer, ends } = await ask("127.0.0.1", proxy.port, REQUEST);
    assertStrictEquals(answer, ends, haproxy.errors.join("\n"));
  }
});

test("curl --haproxy-protocol is told apart from its request", async () => {
  await using proxy = await Proxy.start(
    `export default ({ text }, { remoteAddr, localAddr }) =>
      text.endsWith("\\r\\n\\r\\n") ? {
        close: "HTTP/1.0 200 OK\\r\\n\\r\\n" +
          [text.split("\\r\\n", 1), remoteAddr.hostname, localAddr.port].join("|"),
      } : undefined;`,
    { args: ["-w", "1", "--accept-proxy"] },
  );
  const { stdout } = await run([
    need("curl", "curl"),
    "-sS",
    "--noproxy",
    "*",
    "--haproxy-protocol",
    `http://127.0.0.1:${proxy.port}/path`,
  ]);
  assertEquals(stdout, `GET /path HTTP/1.1|127.0.0.1|${proxy.port}`);
});
