/**
 * Connecting: tries, timeouts, addresses and socket options.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy, type ProxyOptions } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { routerTo } from "../support/routers.ts";
import { run } from "../support/run.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";
import { NO_IPV6, test } from "../support/test.ts";
import { FullListener } from "../support/faulty_remotes.ts";

test("the proxy connects when the remote begins to listen between two tries", async () => {
  // an address of its own, so that nobody else is given the port meanwhile
  const hostname = "127.0.0.2";
  const unused = Deno.listen({ hostname, port: 0 });
  const { port } = unused.addr as Deno.NetAddr;
  unused.close();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${hostname}:${port}" }),
    connectError: () => ({ close: "failed" }),
  };`);
  // once more if the test was so slow that the ten tries were over
  let answer = "failed";
  for (let times = 1; answer === "failed"; times++) {
    using client = await proxy.connect();
    await send(client, "a");
    const retry = `Retrying connection with ${hostname}:${port} (#2)`;
    await proxy.log.findAll(retry, times);
    await using _remote = new Backend(
      async (socket) => await send(socket, await receive(socket, 1)),
      { hostname, port },
    );
    answer = await receiveAll(client);
    if (answer !== "failed") assertEquals(answer, "a");
  }
});

test("the proxy gives a try up after connectTimeout", async () => {
  using full = await FullListener.listen();
  await using proxy = await Proxy.start(`export default {
    route: () => ({ remote: "${full.remote}", connectTimeout: 0.05 }),
    connectError: (remote, error) =>
      ({ close: [remote, error.name, error.message].join("|") }),
  };`);
  using client = await proxy.connect();
  const started = performance.now();
  await send(client, "a");
  assertEquals(
    await receiveAll(client),
    `${full.remote}|TimedOut|${full.remote} did not answer within 0.05 seconds`,
  );
  assert(performance.now() - started >= 10 * 100 + 11 * 50);
  await proxy.log.find("Retrying");
});

test("--connect-timeout is for decisions that have none, also in a route table", async () => {
  using full = await FullListener.listen();
  const hook = `connectError: (_, error) => ({ close: error.message })`;
  const module = `export default {
    route: (data) => ({
      remote: "${full.remote}",
      ...data.startsWith("own") ? { connectTimeout: 0.04 } : {},
    }),
    ${hook},
  };`;
  const table = `
connectTimeout: 0.03
router: ./rest.${ROUTER_EXTENSION}
routes:
  - match: { bytes: { prefix: "own" } }
    remote: "${full.remote}"
    connectTimeout: 0.04
  - match: true
    remote: "${full.remote}"
`;
  const cases: [router: string, options: ProxyOptions][] = [
    [module, { args: ["-w", "1", "--connect-timeout", "0.03"] }],
    [table, {
      file: "routes.yaml",
      files: {
        [`rest.${ROUTER_EXTENSION}`]: `export default { route() {}, ${hook} };`,
      },
    }],
  ];
  for (const [router, options] of cases) {
    await using proxy = await Proxy.start(router, options);
    for (const [sent, seconds] of [["own", 0.04], ["any", 0.03]] as const) {
      using client = await proxy.connect();
      await send(client, sent);
      assertEquals(
        await receiveAll(client),
        `${full.remote} did not answer within ${seconds} seconds`,
      );
    }
  }
});

test("the proxy stops connecting when the client resets the connection", async () => {
  using full = await FullListener.listen();
  await using proxy = await Proxy.start(`export default () =>
    ({ remote: "${full.remote}", reply: "connecting" });`);
  const client = await Resettable.connect(proxy.port);
  client.send("a");
  assertEquals(await client.receive(), "connecting");
  await client.reset();
  await proxy.access.find(/ in=1 out=10 .*end=client-reset/);
});

test("a client that resets while the proxy connects keeps neither a place nor a descriptor", async () => {
  using full = await FullListener.listen();
  await using proxy = await Proxy.start(
    `export default (data) => data.startsWith("?")
      ? { close: "here" }
      : { remote: "${full.remote}", reply: "connecting" };`,
    { args: ["-w", "1", "--max-connections", "1"] },
  );
  for (let count = 1; count <= 20; count++) {
    const client = await Resettable.connect(proxy.port);
    client.send("a");
    assertEquals(await client.receive(), "connecting");
    await client.reset();
    await proxy.access.findAll("end=client-reset", count);
  }
  {
    using client = await proxy.connect();
    await send(client, "?");
    assertEquals(await receiveAll(client), "here");
  }
  // the first connect goes on, as nothing can end it
  const [, port] = full.remote.split(":");
  for (let connects = Infinity; connects > 1;) {
    const filter = `dport = ${port}`;
    const { stdout } = await run(["ss", "-Htn", "state", "syn-sent", filter]);
    connects = stdout.split("\n").length - 1;
  }
  proxy.kill("SIGQUIT");
  assertEquals((await proxy.status).code, 0);
  await proxy.log.find("Waiting for 0 connections");
});

test("the proxy waits for a remote for a client that has ended its side", async () => {
  using full = await FullListener.listen();
  await using proxy = await Proxy.start(
    `export default () =>
      ({ remote: "${full.remote}", reply: "connecting", connectTimeout: 0.2 });`,
  );
  using client = await proxy.connect();
  await send(client, "a");
  await client.closeWrite();
  assertEquals(await receiveAll(client), "connecting");
  await proxy.log.findAll("Retrying connection with", 10);
  await proxy.access.find(/ in=1 out=10 .*end=connect-failed/);
});

test("the proxy connects by name and by IPv6 address", async () => {
  using four = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using six = Deno.listen({ hostname: "::1", port: 0 });
  for (
    const [listener, host] of [[four, "localhost"], [six, "[::1]"]] as const
  ) {
    const { port } = listener.addr as Deno.NetAddr;
    await using proxy = await Proxy.start(routerTo(`${host}:${port}`));
    using client = await proxy.connect();
    await send(client, "a");
    using server = await listener.accept();
    assertEquals(await receive(server, 1), "a");
    client.close();
    server.close();
    await proxy.access.find(`remote=${host}:${port} in=1`);
  }
}, NO_IPV6);

test("the proxy keeps both connections alive with probes", async () => {
  using upstream = new Upstream();
  await using proxy = await Proxy.start(routerTo(upstream.remote));
  using client = await proxy.connect();
  await send(client, "a");
  using server = await upstream.accept();
  await send(server, "b");
  await receive(client, 1);
  for (const end of [client, server]) {
    // as the proxy sees it: its own end of each connection
    const { port } = end.remoteAddr as Deno.NetAddr;
    const peer = (end.localAddr as Deno.NetAddr).port;
    const filter = `sport = ${port} and dport = ${peer}`;
    // once the connection has lasted a while
    for (let stdout = ""; !/timer:\(keepalive,/.test(stdout);) {
      ({ stdout } = await run(["ss", "-Htno", filter]));
      assertMatch(stdout, /ESTAB/);
    }
  }
});

Deno.test({
  name: "the proxy sends small segments at once on both connections",
  ignore: !await canTrace(),
  async fn() {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(routerTo(upstream.remote));
    await using trace = await Trace.start(proxy.pid);
    using client = await proxy.connect();
    await send(client, "a");
    using server = await upstream.accept();
    await receive(server, 1);
    for (let round = 0; round < 2; round++) {
      await send(server, "b");
      await receive(client, 1);
      await send(client, "c");
      await receive(server, 1);
    }
    const calls = await trace.end();
    const fds = new Set(
      [...calls.matchAll(/setsockopt\((\d+), SOL_TCP, TCP_NODELAY, \[1\]/g)]
        .map(([, fd]) => fd),
    );
    assertEquals(fds.size, 2, calls);
  },
});

/** The calls of setsockopt() that a running process makes. */
class Trace implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<string>;

  private constructor(child: Deno.ChildProcess, output: Promise<string>) {
    this.#child = child;
    this.#output = output;
  }

  static async start(pid: number): Promise<Trace> {
    const child = new Deno.Command("strace", {
      args: ["-f", "-e", "trace=setsockopt", "-p", String(pid)],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { promise, resolve } = Promise.withResolvers<void>();
    const output = (async () => {
      let text = "";
      for await (
        const part of child.stderr.pipeThrough(
          new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
        )
      ) {
        text += part;
        if (text.includes("attached")) resolve();
      }
      resolve();
      return text;
    })();
    await promise;
    return new Trace(child, output);
  }

  /** Detaches, and returns the calls. */
  async end(): Promise<string> {
    try {
      this.#child.kill("SIGINT");
    } catch {
      // it has ended
    }
    await this.#child.status;
    return await this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Tells whether strace is there and may trace. */
async function canTrace(): Promise<boolean> {
  try {
    return (await run(["strace", "-e", "trace=none", "true"])).code === 0;
  } catch {
    return false;
  }
}

test("a try that connects when its time is just over leaves no descriptor", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, await receiveAll(socket));
  });
  // busy while the kernel connects, and until the time is over
  await using proxy = await Proxy.start(`export default {
    route() {
      queueMicrotask(() => {
        for (const since = performance.now(); performance.now() - since < 60;);
      });
      return { remote: "${backend.remote}", connectTimeout: 0.02 };
    },
  };`);
  const before = proxy.descriptors;
  for (let turn = 0; turn < 10; turn++) {
    using client = await proxy.connect();
    await send(client, "a");
    await client.closeWrite();
    assertEquals(await receiveAll(client), "a");
  }
  await proxy.hasDescriptors(before);
});
