/**
 * A client that ends its side before there is a decision: no more bytes can
 * come, but it may still read.
 */
import { assertEquals } from "@std/assert";
import { Proxy } from "../support/proxy.ts";
import { ROUTER_EXTENSION } from "../support/program.ts";
import { Upstream } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** Sends something, ends, and reads all that comes. */
async function half(proxy: Proxy, text: string): Promise<string> {
  using client = await proxy.connect();
  if (text !== "") await send(client, text);
  await client.closeWrite();
  return await receiveAll(client);
}

for (const kind of ["a value", "a promise"] as const) {
  const hook = kind === "a value" ? "timeout(data)" : "async timeout(data)";
  test(`timeout() is asked when the client has ended before a decision, and says ${kind}`, async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(`export default {
      route: (data) => data.match(/^HELO \\w+/) ? { close: "hello" } : undefined,
      ${hook} {
        if (data.text === "none") return;
        return data.text === "close"
          ? { close: "late " + data.length }
          : { remote: "${upstream.remote}", data: "[" + data.text + "]" };
      },
    };`);
    assertEquals(await half(proxy, "close"), "late 5");
    await proxy.access.find(/remote=- in=5 out=6 .*end=router-close/);

    using client = await proxy.connect();
    await send(client, "HE");
    await client.closeWrite();
    using server = await upstream.accept();
    assertEquals(await receiveAll(server), "[HE]");
    await send(server, "answer");
    await server.closeWrite();
    assertEquals(await receiveAll(client), "answer");
    await proxy.access.find(/ in=2 out=6 .*end=done/);

    assertEquals(await half(proxy, "none"), "");
    await proxy.access.find(/ in=4 out=0 .*end=client-left/);
    assertEquals(await half(proxy, "HELO a"), "hello");
  });
}

test("another remote gets the bytes, too, when the one of timeout() refuses a client that has ended", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(`export default {
    route() {},
    timeout: () => ({ remote: "127.0.0.1:1" }),
    connectError: () => ({ remote: "${upstream.remote}" }),
  };`);
  using client = await proxy.connect();
  await send(client, "HE");
  await client.closeWrite();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), "HE");
});

test("a client that has sent nothing, or whose router has no timeout(), has left", async () => {
  await using asking = await Proxy.start(`export default {
    route() {},
    timeout: () => ({ close: "asked" }),
  };`);
  assertEquals(await half(asking, ""), "");
  await asking.access.find(/ in=0 out=0 .*end=client-left/);
  await using other = await Proxy.start(`export default () => undefined;`);
  assertEquals(await half(other, "HE"), "");
  await other.access.find(/ in=2 out=0 .*end=client-left/);
});

test("a dialogue that the client ends is asked about what is left of it", async () => {
  await using proxy = await Proxy.start(`export default {
    route: (data) => data.text.includes("\\n")
      ? { reply: "ok\\n", consume: data.text.indexOf("\\n") + 1 }
      : undefined,
    timeout: (data) => ({ close: "left: " + data.text }),
  };`);
  assertEquals(await half(proxy, "one\nHE"), "ok\nleft: HE");
});

const REGEX = `{ bytes: { regex: '/^HELO \\w+/' } }`;

test("a route table does its default when the client has ended while a route waits for more", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(
    `
routes:
  - { match: ${REGEX}, close: "hello" }
default: { remote: "${upstream.remote}" }
`,
    { file: "routes.yaml" },
  );
  using client = await proxy.connect();
  await send(client, "HE");
  await client.closeWrite();
  using server = await upstream.accept();
  assertEquals(await receiveAll(server), "HE");
  await send(server, "answer");
  await server.closeWrite();
  assertEquals(await receiveAll(client), "answer");
  await proxy.access.find(/ route=default .*in=2 out=6 .*end=done/);
  assertEquals(await half(proxy, "HELO a"), "hello");
});

test("the routes of a table that have all they need match when the client has ended", async () => {
  await using proxy = await Proxy.start(
    `
routes:
  - { match: { tls: true }, close: "tls" }
  - { match: ${REGEX}, close: "hello" }
  - { name: he, match: { bytes: { prefix: "HE" } }, close: "he" }
  - { match: { bytes: { prefix: "ask" } }, reply: "last", consume: 3 }
default: { close: "default" }
`,
    { file: "routes.yaml" },
  );
  assertEquals(await half(proxy, "HE"), "he");
  await proxy.access.find(/ route=he .*end=router-close/);
  assertEquals(await half(proxy, "H"), "default");
  assertEquals(await half(proxy, "\x16"), "default");
  await proxy.access.findAll(/ route=default .*end=router-close/, 2);
});

test("a client that ends while a route waits has left when the table has no default", async () => {
  await using proxy = await Proxy.start(
    `routes: [{ match: ${REGEX}, close: "hello" }]`,
    { file: "routes.yaml" },
  );
  assertEquals(await half(proxy, "HE"), "");
  await proxy.access.find(/ in=2 out=0 .*end=client-left/);
});

test("the module of a table is asked when the client has ended and no route matches", async () => {
  await using proxy = await Proxy.start(
    `
router: ./rest.${ROUTER_EXTENSION}
routes:
  - { match: ${REGEX}, close: "hello" }
`,
    {
      file: "routes.yaml",
      files: {
        [`rest.${ROUTER_EXTENSION}`]:
          `export default { route() {}, timeout: (data) => ({ close: "rest " + data.length }) };`,
      },
    },
  );
  assertEquals(await half(proxy, "HE"), "rest 2");
});
