/**
 * The least that a proxy on this runtime can do: the operations on sockets that
 * one connection takes, in an otherwise empty loop. No limits, timeouts, log,
 * errors, retries, or replay of a second read; it gives up on anything that is
 * not an ordinary exchange. What proxymachine costs beyond this is its own.
 *
 * Usage: `deno run --allow-net --allow-read floor.ts <router module> <port>`
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { Preread } from "../../../src/mod.ts";
import type { Client, Router } from "../../../src/mod.ts";

/** The operations that `Deno.Conn` is made of, as src/net/socket.ts has them. */
interface Core {
  readonly internalRidSymbol: symbol;
  read(rid: number, buffer: Uint8Array): Promise<number>;
  write(rid: number, bytes: Uint8Array): Promise<number>;
  shutdown(rid: number): Promise<void>;
  tryClose(rid: number): void;
}

const { internal } = Deno as unknown as { internal: symbol };
const { core } = (Deno as unknown as Record<symbol, { core: Core }>)[
  internal
] as { core: Core };

const [path = "", port = ""] = Deno.args;
const { default: router } = await import(pathToFileURL(path).href) as {
  default: Router;
};

const buffers: Uint8Array[] = [];
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
for (;;) serve(await listener.accept()).catch(() => {});

async function serve(conn: Deno.TcpConn): Promise<void> {
  const client = ridOf(conn);
  const buffer = buffers.pop() ?? new Uint8Array(2048);
  const count = await core.read(client, buffer);
  const data = new Preread(buffer.subarray(0, count));
  const decision = router.route?.(data, conn as unknown as Client) as {
    remote: string;
  };
  const [hostname = "", to] = decision.remote.split(":");
  const remote = await Deno.connect({ hostname, port: Number(to) });
  const server = ridOf(remote);
  await core.write(server, data.bytes);
  const other = buffers.pop() ?? new Uint8Array(2048);
  await Promise.all([
    pump(server, client, other),
    pump(client, server, buffer),
  ]);
  buffers.push(buffer, other);
  core.tryClose(server);
  core.tryClose(client);
}

async function pump(
  from: number,
  to: number,
  buffer: Uint8Array,
): Promise<void> {
  for (;;) {
    const count = await core.read(from, buffer);
    if (count === 0) break;
    await core.write(to, buffer.subarray(0, count));
  }
  await core.shutdown(to);
}

function ridOf(conn: Deno.TcpConn): number {
  return (conn as unknown as Record<symbol, number>)[
    core.internalRidSymbol
  ] as number;
}
