/**
 * What happens with names, in a network of its own: `names_test.ts` runs each
 * scenario by its name.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { ROOT } from "../support/paths.ts";
import { programWith } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { delay } from "../support/delay.ts";
import { type Answering, DnsServer } from "../support/dns_server.ts";
import { join } from "node:path";

/** A port for the backends of all addresses. */
const PORT = 8080;

/** Never answers: it is behind an interface that drops all packets. */
const DROPS = "192.0.2.1";

/** Nobody listens there. */
const REFUSES = "127.0.0.99";

const found = (...records: string[]) => ({ records });

/** All that can be run. */
export const SCENARIOS = {
  async "60 unanswered names hold up no good one, with 1 worker"() {
    await sixtyDeadNames(1);
  },
  async "60 unanswered names hold up no good one, with 2 workers"() {
    await sixtyDeadNames(2);
  },

  async "a pool of 40 dead names with checks takes down no healthy pool"() {
    const dns = await DnsServer.start(
      (name, type) => {
        if (name.startsWith("dead")) return "silence";
        return type === "A" ? found("127.0.0.2") : "none";
      },
      53,
    );
    await using _ = dns;
    await using backend = new Backend((socket) => send(socket, "good"), {
      hostname: "127.0.0.2",
      port: PORT,
    });
    const members = Array.from(
      { length: 40 },
      (_, i) => `dead${i}.test:${PORT}`,
    );
    await using proxy = await Proxy.start(
      `import { pool } from "proxymachine/pool";
      const check = { interval: 0.5, timeout: 0.4 };
      pool("dead", { members: ${JSON.stringify(members)}, check });
      pool("good", { members: ["good.test:${PORT}"], check });
      export default { accept: () => ({ pool: "good" }) };`,
    );
    await delay(2000);
    for (let i = 0; i < 20; i++) {
      await within(500, async () => {
        using client = await proxy.connect();
        assertStrictEquals(await receiveAll(client), "good");
      });
    }
    assert(backend.accepted >= 20);
    assertStrictEquals(
      proxy.log.count("good.test:8080 of pool good is down"),
      0,
    );
  },

  async "100 connections within the time to live cost one look-up per family and worker"() {
    await using world = await World.start(
      (_, type) => type === "A" ? { records: ["127.0.0.2"], ttl: 60 } : "none",
      { workers: 2 },
    );
    await using _ = world.backend("127.0.0.2");
    for (let i = 0; i < 100; i++) await world.fetch("web.test");
    for (const type of ["A", "AAAA"]) {
      const count = world.dns.count("web.test", type);
      assert(count >= 1 && count <= 2, `${count} questions for ${type}`);
    }
  },

  async "a new address is used when the time to live of 1 s is over"() {
    let address = "127.0.0.2";
    await using world = await World.start(
      (_, type) => type === "A" ? { records: [address], ttl: 1 } : "none",
    );
    await using _ = world.backend("127.0.0.2");
    await using __ = world.backend("127.0.0.3");
    assertStrictEquals(await world.fetch("web.test"), "127.0.0.2");
    address = "127.0.0.3";
    const changed = performance.now();
    while (await world.fetch("web.test") !== address) {
      assert(performance.now() - changed < 3000);
    }
  },

  async "the last known address holds while the name server is silent, through a reload"() {
    let isSilent = false;
    await using world = await World.start((_, type) => {
      if (isSilent) return "silence";
      return type === "A" ? { records: ["127.0.0.2"], ttl: 1 } : "none";
    }, { workers: 2 });
    await using _ = world.backend("127.0.0.2");
    for (let i = 0; i < 20; i++) await world.fetch("web.test");
    isSilent = true;
    const began = performance.now();
    for (let round = 0; performance.now() - began < 8000; round++) {
      if (round === 40) {
        world.proxy.kill("SIGHUP");
        await world.proxy.log.find("Reloaded");
      }
      const started = performance.now();
      assertStrictEquals(await world.fetch("web.test"), "127.0.0.2");
      const took = performance.now() - started;
      assert(took < 100 + LOAD, `${took} ms`);
      await delay(50);
    }
    await world.proxy.log.find(/last known addresses of web\.test/);
    isSilent = false;
    await world.fetchUntil(
      "web.test",
      () => world.proxy.log.count(/web\.test .*again/) > 0,
    );
    assertStrictEquals(
      world.proxy.log.count(/last known addresses of web\.test/),
      1,
    );
    assertStrictEquals(world.proxy.log.count(/web\.test .*again/), 1);
  },

  async "one family is enough when the other is not answered"() {
    await using world = await World.start((name, type) => {
      if (name === "four.test") {
        return type === "A" ? found("127.0.0.2") : "silence";
      }
      return type === "AAAA" ? found("::1") : "silence";
    });
    await using _ = world.backend("127.0.0.2");
    await using __ = world.backend("::1");
    for (
      const [name, who] of [["four.test", "127.0.0.2"], ["six.test", "::1"]]
    ) {
      await within(500, async () => {
        assertStrictEquals(await world.fetch(name!), who);
      });
    }
  },

  async "an address that refuses and one that drops cost the first connection 0.6 s, and the next ones nothing"() {
    await using world = await World.start((_, type) =>
      type === "A" ? found(REFUSES, DROPS, "127.0.0.2") : "none"
    );
    await using _ = world.backend("127.0.0.2");
    await within(600, () => world.fetch("web.test"));
    for (let i = 0; i < 9; i++) {
      await within(100, () => world.fetch("web.test"));
    }
  },

  async "good addresses get the same share of connections"() {
    const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    await using world = await World.start((_, type) =>
      type === "A" ? found(...addresses) : "none"
    );
    await using _ = world.backend("127.0.0.2");
    await using __ = world.backend("127.0.0.3");
    await using ___ = world.backend("127.0.0.4");
    const counts = new Map<string, number>();
    for (let i = 0; i < 60; i++) {
      const who = await world.fetch("web.test");
      counts.set(who, (counts.get(who) ?? 0) + 1);
    }
    assertEquals([...counts.values()], [20, 20, 20]);
  },

  async "60 addresses come over TCP"() {
    const addresses = Array.from({ length: 60 }, (_, i) => `127.0.1.${i + 1}`);
    await using world = await World.start((_, type) =>
      type === "A" ? { records: addresses, truncated: true } : "none"
    );
    const backends = addresses.map((address) => world.backend(address));
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) seen.add(await world.fetch("many.test"));
    assertStrictEquals(seen.size, 60);
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  },

  async "a name that does not exist is an error at once, after two questions per search step"() {
    await using world = await World.start(() => "NXDOMAIN");
    await within(500, async () => {
      assertMatch(await world.fetch("no.test"), /error: .*no\.test/);
    });
    for (const name of ["no.test", "no.test.a.search", "no.test.b.search"]) {
      assertStrictEquals(world.dns.count(name), 2, name);
    }
    const questions = world.dns.asked.filter(({ name }) =>
      name.startsWith("no.")
    );
    assertStrictEquals(questions.length, 6);
  },

  async "/etc/hosts, localhost, search domains, ndots, dots at the end, capitals, and IPv6 alone hold"() {
    await using world = await World.start((name, type) => {
      if (name === "db.b.search" && type === "A") return found("127.0.0.3");
      if (name === "six.test") return type === "AAAA" ? found("::1") : "none";
      if (name === "absolute.test" && type === "A") return found("127.0.0.2");
      return "NXDOMAIN";
    });
    const backends = ["127.0.0.2", "127.0.0.3", "127.0.0.7", "127.0.0.1", "::1"]
      .map((address) => world.backend(address));
    assertStrictEquals(await world.fetch("inhosts"), "127.0.0.7");
    assertStrictEquals(await world.fetch("InHosts"), "127.0.0.7");
    assertMatch(await world.fetch("localhost"), /^(127\.0\.0\.1|::1)$/);
    assertStrictEquals(await world.fetch("db"), "127.0.0.3");
    assertStrictEquals(await world.fetch("absolute.test."), "127.0.0.2");
    assertStrictEquals(await world.fetch("six.test"), "::1");
    assertStrictEquals(world.dns.count("absolute.test.a.search"), 0);
    assertStrictEquals(world.dns.count("inhosts"), 0);
    for (const backend of backends) await backend[Symbol.asyncDispose]();
  },

  async "names work with the permission net alone, and /etc/hosts by one look-up of the system"() {
    await using world = await World.start(
      (name, type) =>
        name === "web.test" && type === "A" ? found("127.0.0.2") : "NXDOMAIN",
      {
        program: [
          Deno.execPath(),
          "run",
          "--no-prompt",
          "--allow-net",
          `--allow-read=${join(ROOT, "src")},/tmp`,
          join(ROOT, "main.ts"),
        ],
      },
    );
    await using _ = world.backend("127.0.0.2");
    await using __ = world.backend("127.0.0.7");
    assertStrictEquals(await world.fetch("web.test"), "127.0.0.2");
    assertStrictEquals(await world.fetch("inhosts"), "127.0.0.7");
    await within(600, async () => {
      assertMatch(await world.fetch("no.test"), /error: /);
    });
  },
} as const;

/** Milliseconds by which other work on the machine may delay a connection. */
const LOAD = 150;

async function within(
  milliseconds: number,
  action: () => Promise<unknown>,
): Promise<void> {
  const started = performance.now();
  await action();
  const took = performance.now() - started;
  assert(took < milliseconds + LOAD, `${Math.round(took)} ms`);
}

async function sixtyDeadNames(workers: number): Promise<void> {
  await using world = await World.start((name, type) => {
    if (name.startsWith("dead")) return "silence";
    return type === "A" ? found("127.0.0.2") : "none";
  }, { workers });
  await using _ = world.backend("127.0.0.2");
  const dead: Deno.TcpConn[] = [];
  for (let i = 0; i < 60; i++) {
    const client = await world.proxy.connect();
    await send(client, `dead${i}.test\n`);
    dead.push(client);
  }
  // the questions for all of them are under way
  await world.until(() =>
    new Set(world.dns.asked.map(({ name }) => name)).size >= 60
  );
  for (let i = 0; i < 4; i++) {
    await within(500, () => world.fetch("good.test"));
  }
  for (const client of dead) client.close();
}

/** A proxy that connects to the name which a client sends, and a name server. */
class World implements AsyncDisposable {
  readonly dns: DnsServer;
  readonly proxy: Proxy;

  private constructor(dns: DnsServer, proxy: Proxy) {
    this.dns = dns;
    this.proxy = proxy;
  }

  static async start(
    answering: Answering,
    { workers = 1, program }: { workers?: number; program?: string[] } = {},
  ): Promise<World> {
    const dns = await DnsServer.start(answering, 53);
    const router = `export default {
      route: (data) => {
        const name = data.text.split("\\n")[0];
        return data.text.includes("\\n")
          ? { remote: name + ":${PORT}" } : undefined;
      },
      connectError: (remote, error) => ({ close: "error: " + error.message }),
    };`;
    const proxy = await Proxy.start(router, {
      args: ["-w", String(workers)],
      program: program ?? programWith(),
    });
    return new World(dns, proxy);
  }

  /** A server that says its address. */
  backend(address: string): AsyncDisposable {
    return new Backend((socket) => send(socket, address), {
      hostname: address,
      port: PORT,
    });
  }

  /** Connects to a name through the proxy; returns what was answered. */
  async fetch(name: string): Promise<string> {
    using client = await this.proxy.connect();
    await send(client, `${name}\n`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.readable) chunks.push(chunk);
    return new TextDecoder().decode(
      await new Blob(chunks as BlobPart[]).bytes(),
    );
  }

  async fetchUntil(name: string, isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      await this.fetch(name);
      await delay(50);
    }
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await delay(10);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.dns[Symbol.asyncDispose]();
  }
}

if (import.meta.main) {
  const scenario = SCENARIOS[Deno.args[0] as keyof typeof SCENARIOS];
  await scenario();
}
