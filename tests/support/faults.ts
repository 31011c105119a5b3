/**
 * What the fault tests share: many clients that meet a fault at once, beside
 * transfers that must not notice, and what the proxy must be like afterwards.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Proxy } from "./proxy.ts";
import { Backend } from "./servers.ts";
import {
  type Digest,
  receive,
  receiveBulk,
  send,
  sendBulk,
} from "./sockets.ts";

/** Clients that meet the fault at once. */
export const CLIENTS = 500;

/** Healthy transfers beside them. */
export const TRANSFERS = 100;

/** Bytes of a healthy transfer, each way. */
const LENGTH = 262_144;

/** The first line of a healthy transfer: the number says which it is. */
const LINE = "healthy 00000\n".length;

/** The first rounds warm up: heaps, buffers and tables reach their size. */
const WARM_UP = 2;

/**
 * Rounds of each fault, at most. What is kept makes memory grow in each round; a
 * round in which more connections than before were open at once, as on a busy
 * machine, makes it grow once. So the first round after the warm-up in which it
 * does not grow is the last one.
 */
const MOST_ROUNDS = 6;

/**
 * Bytes that memory may grow by in a round and still count as not grown. Up to
 * 12 MB are normal, as garbage is collected when the heaps want it, which
 * cannot be forced from outside. So this finds what is big, such as buffers that
 * are kept; the test with many more clients finds 600 bytes for each.
 */
const GROWTH = 20_000_000;

/**
 * Heaps are kept small, so that garbage is collected after some rounds: by
 * default it would be allowed to grow until about 60,000 connections were served.
 */
export const SMALL_HEAPS =
  "export DENO_V8_FLAGS=--max-semi-space-size=1,--optimize-for-size";

/** Milliseconds for the last descriptors and counters to follow the last line. */
const PATIENCE = 60_000;

/** A fault, and the clients that meet it. */
export interface Fault<Client> {
  /** The hooks of the router: the text of the properties of an object. */
  readonly hooks: string;
  /** More arguments of the proxy. */
  readonly args?: readonly string[];
  /** Brings a client to the point at which the fault comes. */
  arrive(proxy: Proxy): Promise<Client>;
  /**
   * Waits until the proxy has brought all clients to that point.
   *
   * @param count Those of the rounds before included.
   */
  arrived?(proxy: Proxy, count: number): Promise<unknown>;
  /** Lets the fault happen; resolves when all is over for this client. */
  strike(client: Client, proxy: Proxy): Promise<unknown>;
  /** What the access log must say of each of these clients. */
  readonly line: RegExp;
}

/**
 * Lets 500 clients at once meet a fault, again and again, beside 100 transfers each
 * time. The transfers must be complete and unchanged; afterwards no descriptor
 * is left open, memory has not grown, and each connection was counted, and has
 * its line in the access log.
 *
 * @param fault What happens.
 */
export async function expectHarmless<Client>(
  fault: Fault<Client>,
): Promise<void> {
  await using healthy = new Healthy();
  await using proxy = await Proxy.start(
    `const hooks = { ${fault.hooks} };
    export default {
      ...hooks,
      route(data, client) {
        if (!data.startsWith("healthy")) return hooks.route?.(data, client);
        return data.length < ${LINE} ? undefined : { remote: "${healthy.remote}" };
      },
    };`,
    { args: ["-w", "2", ...fault.args ?? []], setup: SMALL_HEAPS },
  );
  const witness = new Witness(proxy);
  const memory: number[] = [];
  const hasGrown = () =>
    memory.length <= WARM_UP ||
    Number(memory.at(-1)) - Number(memory.at(-2)) >= GROWTH;
  while (hasGrown()) {
    const round = memory.length + 1;
    assert(round <= MOST_ROUNDS, `memory after each round: ${memory}`);
    const clients = await Promise.all(
      times(CLIENTS, () => fault.arrive(proxy)),
    );
    await fault.arrived?.(proxy, round * CLIENTS);
    await Promise.all([
      ...clients.map((client) => fault.strike(client, proxy)),
      ...times(TRANSFERS, () => healthy.transfer(proxy)),
    ]);
    await witness.expectAllOver(round * (CLIENTS + TRANSFERS));
    memory.push(await proxy.memory());
  }
  const rounds = memory.length;
  await witness.expectLines(
    new RegExp(
      ` remote=${healthy.remote} in=${LENGTH + LINE} out=${LENGTH} .*end=done$`,
    ),
    rounds * TRANSFERS,
    fault.line,
    rounds * CLIENTS,
  );
}

/** A number that only grows. */
export class Count {
  #value = 0;
  #grown = Promise.withResolvers<void>();

  /**
   * Adds one.
   *
   * @returns The number.
   */
  add(): number {
    this.#grown.resolve();
    this.#grown = Promise.withResolvers<void>();
    return ++this.#value;
  }

  /** Waits until the number is at least so big. */
  async reached(value: number): Promise<void> {
    while (this.#value < value) await this.#grown.promise;
  }
}

function times<Result>(
  count: number,
  action: () => Promise<Result>,
): Promise<Result>[] {
  return Array.from({ length: count }, action);
}

/** Sees from outside what a proxy has left of its connections. */
class Witness {
  readonly #proxy: Proxy;
  /** Those without connections: what starting has opened may still be closed. */
  #descriptors: number;
  #asked = 0;

  constructor(proxy: Proxy) {
    this.#proxy = proxy;
    this.#descriptors = this.#proxy.descriptors;
  }

  /** Waits until the counters and the descriptors say that no connection is left. */
  async expectAllOver(total: number): Promise<void> {
    await this.#proxy.access.findAll(" end=", total);
    const until = performance.now() + PATIENCE;
    for (;;) {
      const counters = await this.#counters();
      const descriptors = this.#proxy.descriptors;
      const over = new RegExp(
        `: 0/\\d+/${total} \\(current/maximum/total\\), 0 with a remote$`,
      );
      if (over.test(counters) && descriptors <= this.#descriptors) {
        this.#descriptors = descriptors;
        return;
      }
      assert(
        performance.now() < until,
        `${descriptors} descriptors, ${this.#descriptors} before; ${counters}`,
      );
    }
  }

  /** Stops the proxy, and sees that its access log has each connection once. */
  async expectLines(
    healthy: RegExp,
    transfers: number,
    faulty: RegExp,
    clients: number,
  ): Promise<void> {
    const { access, status } = this.#proxy;
    this.#proxy.kill("SIGQUIT");
    assertEquals((await status).code, 0);
    await access.ended;
    const ids = access.all.map((line) => Number(/ id=(\d+) /.exec(line)?.[1]));
    assertEquals(
      ids.sort((a, b) => a - b),
      Array.from({ length: transfers + clients }, (_, index) => index + 1),
    );
    const others = access.all.filter((line) => !healthy.test(line));
    assertEquals(access.all.length - others.length, transfers, others[0]);
    assertEquals(others.filter((line) => !faulty.test(line)), []);
  }

  async #counters(): Promise<string> {
    this.#proxy.kill("SIGUSR2");
    const lines = await this.#proxy.log.findAll("Connections: ", ++this.#asked);
    return lines.at(-1) ?? "";
  }
}

/** What one side of a transfer has sent and received. */
interface Exchanged {
  readonly sent: Digest;
  readonly received: Digest;
}

/** A remote that works, and clients of it. */
class Healthy implements AsyncDisposable {
  readonly #served: PromiseWithResolvers<Exchanged>[] = [];
  readonly #backend = new Backend(async (socket) => {
    const [, index] = (await receive(socket, LINE)).split(" ");
    const served = this.#served[Number(index)];
    await exchange(socket).then(served?.resolve, served?.reject);
  });

  /** `127.0.0.1:port`. */
  get remote(): string {
    return this.#backend.remote;
  }

  /** Sends and receives at the same time; both must arrive unchanged. */
  async transfer(proxy: Proxy): Promise<void> {
    const served = Promise.withResolvers<Exchanged>();
    const index = this.#served.push(served) - 1;
    using client = await proxy.connect();
    await send(client, `healthy ${String(index).padStart(5, "0")}\n`);
    const [here, there] = await Promise.all([exchange(client), served.promise]);
    assertEquals(here.received, there.sent);
    assertEquals(there.received, here.sent);
  }

  /** Stops listening. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#backend[Symbol.asyncDispose]();
  }
}

async function exchange(socket: Deno.TcpConn): Promise<Exchanged> {
  const [sent, received] = await Promise.all([
    sendBulk(socket, LENGTH).then(async (sent) => {
      await socket.closeWrite();
      return sent;
    }),
    receiveBulk(socket),
  ]);
  return { sent, received };
}
