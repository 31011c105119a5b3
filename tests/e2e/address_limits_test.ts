/**
 * Limits per client address, in one count for all workers. Loopback has many
 * addresses.
 */
import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { Proxy } from "../support/proxy.ts";
import { test } from "../support/test.ts";
import { delay } from "../support/delay.ts";

/** Answers at once, and then keeps the connection. */
const GREETER =
  `export default { accept: () => ({ reply: "hi" }), route() {} };`;

/** A connection from an address of one's choice. */
class Client {
  readonly #socket: net.Socket;
  /** Whether the proxy has served it: otherwise it has closed it. */
  readonly served: Promise<boolean>;
  /** Resolves when it is closed. */
  readonly end: Promise<void>;

  constructor(port: number, localAddress: string, host = "127.0.0.1") {
    this.#socket = net.connect({ port, host, localAddress });
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.served = promise;
    this.#socket.on("data", () => resolve(true));
    this.#socket.on("error", () => {}); // "close" follows
    this.end = new Promise((resolve) => this.#socket.on("close", resolve));
    void this.end.then(() => resolve(false));
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#socket.closed;
  }

  /** Sends bytes, of which the proxy may need some to say who it is. */
  send(text: string): this {
    this.#socket.write(text);
    return this;
  }

  /** Closes the connection, and waits until it is closed. */
  async close(): Promise<void> {
    this.#socket.destroy();
    await this.end;
  }
}

/** Opens connections of one address at a time, and counts those served. */
async function open(
  proxy: Proxy,
  address: string,
  count: number,
): Promise<{ clients: Client[]; served: number }> {
  const clients = Array.from(
    { length: count },
    () => new Client(proxy.port, address),
  );
  const answers = await Promise.all(clients.map(({ served }) => served));
  return { clients, served: answers.filter(Boolean).length };
}

test("an address has at most --max-connections-per-ip connections, whatever the worker", async () => {
  await using proxy = await Proxy.start(GREETER, {
    args: ["-w", "4", "--max-connections-per-ip", "10"],
  });
  const first = await open(proxy, "127.0.0.2", 30);
  assertEquals(first.served, 10);
  await proxy.access.findAll(
    / client=127\.0\.0\.2:\d+ route=- remote=- in=0 out=0 .*end=too-many-from-address/,
    20,
  );
  // other addresses do not notice
  const second = await open(proxy, "127.0.0.3", 10);
  assertEquals(second.served, 10);
  // places are given back, each once
  for (let round = 0; round < 3; round++) {
    for (const client of first.clients) await client.close();
    await proxy.access.findAll(
      / client=127\.0\.0\.2:.*end=client-left/,
      10 * (round + 1),
    );
    const again = await open(proxy, "127.0.0.2", 20);
    assertEquals(again.served, 10);
    first.clients.push(...again.clients);
  }
  proxy.kill("SIGUSR1");
  await proxy.log.find(/Counters: .*too-many-from-address 50/);
  for (const client of [...first.clients, ...second.clients]) {
    await client.close();
  }
  await proxy.access.findAll("end=client-left", 50);
  // one line for the address in a minute
  const lines = proxy.log.count(
    "Refusing connections of 127.0.0.2 as it may have at most --max-connections-per-ip: current value is 10",
  );
  assert(lines >= 1 && lines <= 3, `${lines} lines`);
});

test("an address opens at most --rate-limit connections, and a burst at a time", async () => {
  await using proxy = await Proxy.start(GREETER, {
    args: ["-w", "2", "--rate-limit", "0.2:5"],
  });
  const started = performance.now();
  const { served, clients } = await open(proxy, "127.0.0.2", 30);
  const earned = Math.ceil((performance.now() - started) / 5000);
  assert(served >= 5 && served <= 5 + earned, `${served}`);
  await proxy.access.findAll("end=rate-limited", 30 - served);
  const other = await open(proxy, "127.0.0.3", 5);
  assertEquals(other.served, 5);
  for (const client of [...clients, ...other.clients]) await client.close();
  // the next in five seconds
  for (;;) {
    const next = await open(proxy, "127.0.0.2", 1);
    for (const client of next.clients) await client.close();
    if (next.served === 1) break;
    await delay(200);
  }
  await proxy.log.find(
    "Refusing connections of 127.0.0.2 as they come faster than --rate-limit: current value is 0.2:5",
  );
  proxy.kill("SIGUSR2");
  await proxy.log.find(/Counters: .*rate-limited \d+/);
});

test("a route table has both limits", async () => {
  await using proxy = await Proxy.start(
    `
maxConnectionsPerIp: 3
rateLimit: { perSecond: 0.001, burst: 7 }
routes:
  - { match: { client: 127.0.0.0/8 }, close: hi }
`,
    { file: "routes.yaml" },
  );
  const { served, clients } = await open(proxy, "127.0.0.2", 20);
  // those that end make room for others
  assert(served >= 3 && served <= 7, `${served}`);
  for (const client of clients) await client.close();
  let more = served;
  for (let i = 0; i < 20; i++) {
    const next = await open(proxy, "127.0.0.2", 1);
    more += next.served;
    for (const client of next.clients) await client.close();
  }
  assertEquals(more, 7);
  await proxy.access.find("end=rate-limited");
});

test("the limits hold for the address of a PROXY header, not for the load balancer", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ reply: "hi", consume: 1 });`,
    {
      args: ["-w", "2", "--max-connections-per-ip", "2", "--accept-proxy"],
    },
  );
  const from = (address: string) =>
    new Client(proxy.port, "127.0.0.1")
      .send(`PROXY TCP4 ${address} 192.0.2.1 1000 80\r\na`);
  const served = async (clients: Client[]) =>
    (await Promise.all(clients.map(({ served }) => served)))
      .filter(Boolean).length;
  const one = Array.from({ length: 5 }, () => from("198.51.100.1"));
  const two = Array.from({ length: 2 }, () => from("198.51.100.2"));
  assertEquals(await served(one), 2);
  assertEquals(await served(two), 2);
  await proxy.access.findAll(
    / client=198\.51\.100\.1:1000 .*end=too-many-from-address/,
    3,
  );
  for (const client of [...one, ...two]) await client.close();
  await proxy.access.findAll("end=client-left", 4);
  const again = from("198.51.100.1");
  assertEquals(await again.served, true);
  await again.close();
});

test("IPv6 clients of one /64 are counted together", async () => {
  await using proxy = await Proxy.start(
    `export default () => ({ reply: "hi", consume: 1 });`,
    { args: ["-w", "1", "--max-connections-per-ip", "1", "--accept-proxy"] },
  );
  const from = async (address: string) => {
    const client = new Client(proxy.port, "127.0.0.1")
      .send(`PROXY TCP6 ${address} 2001:db8::1 1000 80\r\na`);
    return { client, served: await client.served };
  };
  const one = await from("2001:db8:1:2::1");
  const same = await from("2001:db8:1:2:ffff::2");
  const other = await from("2001:db8:1:3::1");
  assertEquals([one, same, other].map(({ served }) => served), [
    true,
    false,
    true,
  ]);
  await proxy.log.find("Refusing connections of 2001:db8:1:2::/64 as");
  for (const { client } of [one, same, other]) await client.close();
});

test("a worker that dies gives its connections back", async () => {
  await using proxy = await Proxy.start(
    `export default (data) => {
      if (data.text === "die") {
        Event.prototype.preventDefault = () => {};
        setTimeout(() => { throw new Error("broken"); });
      }
      return { reply: "hi", consume: data.length };
    };`,
    { args: ["-w", "2", "--max-connections-per-ip", "4"] },
  );
  const attempt = async (count: number) => {
    const clients = Array.from(
      { length: count },
      () => new Client(proxy.port, "127.0.0.2").send("a"),
    );
    const answers = await Promise.all(clients.map(({ served }) => served));
    return clients.filter((_, index) => answers[index]);
  };
  const before = await attempt(8);
  assertEquals(before.length, 4);
  before[0]?.send("die");
  await proxy.log.find(/ has died, .*broken/);
  const after = await attempt(8);
  // as many as the worker had
  while (before.filter(({ closed }) => closed).length < after.length) {
    await Promise.race(
      before.filter(({ closed }) => !closed).map(({ end }) => end),
    );
  }
  assert(after.length >= 1);
  assertEquals(
    before.filter(({ closed }) => closed).length,
    after.length,
  );
  for (const client of [...before, ...after]) await client.close();
});
