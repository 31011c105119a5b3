/**
 * Remotes that fail and clients that reset, 500 at once, beside transfers that
 * must not notice.
 */
import { assert, assertEquals } from "@std/assert";
import { REFUSING } from "../support/ports.ts";
import { Proxy } from "../support/proxy.ts";
import { Resettable } from "../support/resettable.ts";
import { Backend, Upstream } from "../support/servers.ts";
import { receive, receiveAll, receiveBulk, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import {
  CLIENTS,
  Count,
  expectHarmless,
  SMALL_HEAPS,
  TRANSFERS,
} from "../support/faults.ts";
import {
  BlackHole,
  FullListener,
  ResettingBackend,
} from "../support/faulty_remotes.ts";
import { delay } from "../support/delay.ts";

const MB = 1_000_000;

const connect = (proxy: Proxy) => proxy.connect();

/** A client that asks, reads all there is, and leaves. */
function asks(answer: string): (client: Deno.TcpConn) => Promise<void> {
  return async (client) => {
    await send(client, "a");
    assertEquals(await receiveAll(client), answer);
    client.close();
  };
}

function to(remote: string, more = ""): string {
  return `route: () => ({ remote: "${remote}"${more} })`;
}

// ------------------------------------------------------------------- remotes

test("the proxy takes no harm from 500 remotes that refuse", () =>
  expectHarmless({
    hooks: to(REFUSING),
    arrive: connect,
    strike: asks(""),
    line: / in=1 out=0 .*end=connect-failed$/,
  }));

const hindrance = BlackHole.hindrance();
Deno.test({
  name: `the proxy takes no harm from 500 remotes that leave SYN unanswered${
    hindrance === undefined ? "" : ` (not here: ${hindrance})`
  }`,
  ignore: hindrance !== undefined,
  timeout: 300_000,
  async fn() {
    using hole = BlackHole.make();
    await expectHarmless({
      hooks: to(hole.remote, ", connectTimeout: 0.05"),
      arrive: connect,
      strike: asks(""),
      line: / in=1 out=0 seconds=[1-9].* end=connect-failed$/,
    });
  },
});

test("the proxy takes no harm from 500 remotes that close after connect", async () => {
  await using backend = new Backend(() => {});
  await expectHarmless({
    hooks: to(backend.remote),
    arrive: connect,
    strike: asks(""),
    line: / in=1 out=0 .*end=remote-left$/,
  });
});

test("the proxy takes no harm from 500 remotes that accept and say nothing", async () => {
  await using backend = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  await expectHarmless({
    hooks: to(backend.remote, ", inactivityTimeout: 0.5"),
    arrive: connect,
    strike: asks(""),
    line: / in=1 out=0 .*end=inactivity-timeout$/,
  });
});

test("the proxy takes no harm from 500 remotes that answer one byte a second", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, "a");
    await delay(1000);
    await send(socket, "b");
  });
  await expectHarmless({
    hooks: to(backend.remote),
    arrive: connect,
    strike: asks("ab"),
    line: / in=1 out=2 .*end=done$/,
  });
});

test("the proxy takes no harm from 500 remotes that reset in the middle", async () => {
  await using backend = await ResettingBackend.listen();
  await expectHarmless({
    hooks: to(backend.remote),
    arrive: connect,
    async strike(client) {
      await send(client, "a");
      await receive(client, 1);
      await send(client, "b");
      // what is on its way when the reset comes may be lost, and the rest is
      await receiveBulk(client).catch(() => {});
      client.close();
    },
    line: / in=2 out=[1-9]\d* .*end=remote-reset$/,
  });
});

test("the proxy takes no harm from 500 remotes that answer TLS with garbage", async () => {
  await using backend = new Backend(async (socket) => {
    await receive(socket, 1);
    await send(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    await receiveAll(socket);
  });
  await expectHarmless({
    hooks: to(backend.remote, ", tls: true"),
    arrive: connect,
    strike: asks(""),
    line: / in=1 out=0 .*end=connect-failed$/,
  });
});

// ------------------------------------------------------------------- clients

/** A client that has sent something, or nothing. */
function sends(text: string): (proxy: Proxy) => Promise<Resettable> {
  return async (proxy) => {
    const client = await Resettable.connect(proxy.port);
    if (text !== "") client.send(text);
    return client;
  };
}

/** Waits until the router has written something for each client. */
function told(what: string): (proxy: Proxy, count: number) => Promise<unknown> {
  return (proxy, count) => proxy.log.findAll(what, count);
}

/** A remote that says nothing, and counts those of whom it has so many bytes. */
function swallowing(length: number, joined: Count): Backend {
  return new Backend(async (socket) => {
    await receive(socket, length);
    joined.add();
    await receiveBulk(socket);
  });
}

const reset = (client: Resettable) => client.reset();

test("the proxy takes no harm from 500 clients that reset before it accepts them", () =>
  expectHarmless({
    hooks: "",
    async arrive(proxy) {
      await proxy.suspend();
      await reset(await sends("")(proxy));
    },
    // as many as the queue of the listener holds
    arrived: (proxy) => Promise.resolve(proxy.kill("SIGCONT")),
    strike: () => Promise.resolve(),
    line: / client=- route=- remote=- in=0 out=0 .*end=client-reset$/,
  }));

test("the proxy takes no harm from 500 clients that reset before they send a byte", () =>
  expectHarmless({
    hooks: `accept(client) { console.error("accepted"); }`,
    arrive: sends(""),
    arrived: (proxy, count) =>
      told("accepted")(proxy, count + (count / CLIENTS - 1) * TRANSFERS),
    strike: reset,
    line: / in=0 out=0 .*end=client-reset$/,
  }));

test("the proxy takes no harm from 500 clients that reset while the router wants more bytes", () =>
  expectHarmless({
    hooks: `route() { console.error("asked"); }`,
    arrive: sends("a"),
    arrived: told("asked"),
    strike: reset,
    line: / in=1 out=0 .*end=client-reset$/,
  }));

test("the proxy takes no harm from 500 clients that reset while the router's promise is pending", async () => {
  using upstream = new Upstream();
  const port = upstream.remote.split(":")[1];
  // each promise resolves when its question is answered
  const questions: Deno.TcpConn[] = [];
  let resets = 0;
  await using backend = new Backend(async (socket) => {
    await receiveAll(socket);
  });
  await expectHarmless({
    hooks: `async route() {
      const question = await Deno.connect({ port: ${port} });
      await question.read(new Uint8Array(1));
      question.close();
      return { remote: "${backend.remote}" };
    }`,
    arrive: sends("a"),
    async arrived() {
      while (questions.length < CLIENTS) {
        questions.push(await upstream.accept());
      }
    },
    async strike(client) {
      await client.reset();
      if (++resets % CLIENTS > 0) return;
      for (const question of questions.splice(0)) question.close();
    },
    line: / in=1 out=0 .*end=client-reset$/,
  });
});

test("the proxy takes no harm from 500 clients that reset while it connects", async () => {
  using remote = await FullListener.listen();
  await expectHarmless({
    hooks: `route() {
      console.error("decided");
      return { remote: "${remote.remote}", connectTimeout: 100 };
    }`,
    arrive: sends("a"),
    arrived: told("decided"),
    strike: reset,
    line: / in=1 out=0 .*end=client-reset$/,
  });
});

test("the proxy takes no harm from 500 clients that reset before the remote has answered", async () => {
  const joined = new Count();
  await using backend = swallowing(1, joined);
  await expectHarmless({
    hooks: to(backend.remote),
    arrive: sends("a"),
    arrived: (_, count) => joined.reached(count),
    strike: reset,
    line: / in=1 out=0 .*end=client-reset$/,
  });
});

test("the proxy takes no harm from 500 clients that reset while they send", async () => {
  const joined = new Count();
  await using backend = swallowing(5000, joined);
  await expectHarmless({
    hooks: to(backend.remote),
    arrive: sends("a".repeat(5000)),
    arrived: (_, count) => joined.reached(count),
    async strike(client) {
      client.send("b".repeat(5000));
      await client.reset();
    },
    line: / in=(\d{4}|10000) out=0 .*end=client-reset$/,
  });
});

test("the proxy takes no harm from 500 clients that reset while they receive", async () => {
  await using backend = new Backend(async (socket) => {
    await send(socket, new Uint8Array(200_000));
    await receiveAll(socket);
  });
  await expectHarmless({
    hooks: to(backend.remote),
    async arrive(proxy) {
      const client = await sends("a")(proxy);
      await client.receive();
      client.pause();
      return client;
    },
    strike: reset,
    line: / in=1 out=[1-9]\d* .*end=client-reset$/,
  });
});

test("the proxy takes no harm from 500 clients that reset while it sends their last bytes", () =>
  expectHarmless({
    hooks:
      `route() { return { close: this.page ??= new Uint8Array(500_000) }; }`,
    async arrive(proxy) {
      const client = await sends("a")(proxy);
      await client.receive();
      client.pause();
      return client;
    },
    strike: reset,
    line: / in=1 out=\d+ .*end=router-close$/,
  }));

test("the proxy takes no harm from 500 clients that reset after their last bytes", () =>
  expectHarmless({
    hooks: `route: () => ({ close: "bye" })`,
    async arrive(proxy) {
      const client = await sends("a")(proxy);
      assertEquals(await client.receive(), "bye");
      return client;
    },
    strike: reset,
    line: / in=1 out=3 .*end=router-close$/,
  }));

test("the proxy takes no harm from 500 clients that reset when they have half-closed", async () => {
  const ended = new Count();
  const resets = new Count();
  await using backend = new Backend(async (socket) => {
    await receiveAll(socket);
    const round = Math.ceil(ended.add() / CLIENTS);
    await resets.reached(round * CLIENTS);
    await send(socket, "answer");
  });
  await expectHarmless({
    hooks: to(backend.remote),
    async arrive(proxy) {
      const client = await sends("a")(proxy);
      client.end();
      return client;
    },
    arrived: (_, count) => ended.reached(count),
    async strike(client) {
      await client.reset();
      resets.add();
    },
    line: / in=1 out=0 .*end=client-reset$/,
  });
});

// -------------------------------------------------------------------- memory

test("memory does not grow with 40,000 clients and remotes that fail", async () => {
  await using backend = new Backend(() => {});
  await using proxy = await Proxy.start(
    `export default (data) => data.text === "remote"
      ? { remote: "${backend.remote}" }
      : data.text === "close"
      ? { close: "bye" }
      : undefined;`,
    { args: ["-w", "2"], setup: SMALL_HEAPS },
  );
  const faults = [
    (client: Resettable) => client.reset(),
    async (client: Resettable) => {
      client.send("wait");
      await client.reset();
    },
    async (client: Resettable) => {
      client.send("close");
      await client.receive();
      await client.reset();
    },
    async (client: Resettable) => {
      client.send("remote");
      await client.ended();
      await client.reset();
    },
  ];
  const serve = async (clients: number) => {
    // so few at a time that there is always a place in the queue of the listener
    const group = 250;
    for (let served = 0; served < clients; served += group) {
      await Promise.all(Array.from({ length: group }, async (_, index) => {
        const client = await Resettable.connect(proxy.port);
        await faults[index % faults.length]?.(client);
      }));
    }
  };
  await serve(15_000);
  const before = await proxy.memory();
  await serve(25_000);
  const growth = await proxy.memory() - before;
  // some MB are normal; this finds 600 bytes for each connection
  assert(growth < 15 * MB, `memory grew by ${growth} bytes`);
  await proxy.access.findAll(" end=", 40_000);
});
