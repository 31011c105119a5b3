/**
 * Remotes that fail.
 *
 * @module
 */
import { once } from "node:events";
import net from "node:net";
import { need } from "./run.ts";

/** Answers the first message with 100 kB, and the second with a reset. */
export class ResettingBackend implements AsyncDisposable {
  readonly #server: net.Server;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  /** Starts listening. */
  static async listen(): Promise<ResettingBackend> {
    const server = net.createServer((socket) => {
      socket.on("error", () => {}); // a write that was under way
      socket.once("data", () => {
        socket.write(new Uint8Array(100_000));
        socket.once("data", () => socket.resetAndDestroy());
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ResettingBackend(server);
  }

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  /** Stops listening; its connections have been reset. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Listens, and has no place for another connection: connecting takes for ever. */
export class FullListener implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #waiting: Deno.TcpConn[] = [];

  private constructor() {
    // a queue of two; `tcpBacklog` is missing from the public types
    const options: Deno.TcpListenOptions & { tcpBacklog: number } = {
      hostname: "127.0.0.1",
      port: 0,
      tcpBacklog: 1,
    };
    this.#listener = Deno.listen(options);
  }

  /** Starts listening, and takes all places. */
  static async listen(): Promise<FullListener> {
    const full = new FullListener();
    const { port } = full.#listener.addr as Deno.NetAddr;
    while (full.#waiting.length < 2) {
      full.#waiting.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    }
    return full;
  }

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    for (const socket of this.#waiting) socket.close();
    this.#listener.close();
  }
}

/** An address that swallows what it is sent: it leads into a network namespace. */
export class BlackHole implements Disposable {
  readonly #namespace: string;
  /** Where nobody answers. */
  readonly remote: string;

  private constructor(namespace: string, remote: string) {
    this.#namespace = namespace;
    this.remote = remote;
  }

  /** Tells why none can be made here, if so. */
  static hindrance(): string | undefined {
    if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
      return "only root of a Linux system makes network namespaces";
    }
    const name = `pmtry${Deno.pid}`;
    try {
      ip("netns", "add", name);
      ip("netns", "del", name);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Makes one, in a network of its own of those that are for benchmarks. */
  static make(): BlackHole {
    const name = `pm${Deno.pid}`;
    const [, here = "", there = ""] = network(Deno.pid);
    const hole = new BlackHole(name, `${there}:9`);
    try {
      ip("netns", "add", name);
      ip(
        "link",
        "add",
        name,
        "type",
        "veth",
        "peer",
        "name",
        "hole",
        "netns",
        name,
      );
      ip("-n", name, "link", "set", "hole", "up");
      ip("addr", "add", `${here}/30`, "dev", name);
      ip("link", "set", name, "up");
      // so that SYN is sent at once, not the question who has the address
      ip("neigh", "add", there, "lladdr", "02:00:00:00:00:01", "dev", name);
      return hole;
    } catch (error) {
      hole[Symbol.dispose]();
      throw error;
    }
  }

  /** Removes the namespace, and the link into it. */
  [Symbol.dispose](): void {
    ip("netns", "del", this.#namespace);
  }
}

/** The addresses of one of the networks of four that 198.18.0.0/15 has. */
function network(index: number): string[] {
  const first = index % 2 ** 15 * 4;
  return [0, 1, 2, 3].map((at) =>
    `198.${18 + (first >> 16)}.${first >> 8 & 255}.${(first & 255) + at}`
  );
}

/** Runs a command of `ip`. */
function ip(...args: readonly string[]): void {
  const { success, stderr } = new Deno.Command(need("ip", "iproute2"), {
    args: [...args],
  }).outputSync();
  if (!success) {
    throw new Error(
      `ip ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
}
