/**
 * What one writes first: a proxy that joins two sockets with `pipeTo`. It runs
 * the same router module as the real one and has none of its other features: no
 * retries, no timeouts, no limits, no logs.
 *
 *     deno run --allow-net --allow-read naive.ts ROUTER.ts PORT
 *
 * @module
 */

/** The part of a router that is used here. */
interface Router {
  route(
    data: { match(pattern: RegExp): RegExpMatchArray | null },
  ): { remote?: string } | undefined;
}

const [file = "", port = ""] = Deno.args;
const { default: router }: { default: Router } = await import(`file://${file}`);
const latin1 = new TextDecoder("latin1");

for await (
  const client of Deno.listen({ hostname: "127.0.0.1", port: Number(port) })
) {
  // A connection that breaks is the business of its two ends.
  serve(client).catch(() => {});
}

/** Serves one client to the end and closes both connections. */
async function serve(client: Deno.TcpConn): Promise<void> {
  client.setNoDelay(true);
  const { head, remote } = await decide(client);
  const [hostname = "", remotePort] = remote.split(":");
  const upstream = await Deno.connect({ hostname, port: Number(remotePort) });
  upstream.setNoDelay(true);
  await upstream.write(head);
  await Promise.all([
    client.readable.pipeTo(upstream.writable),
    upstream.readable.pipeTo(client.writable),
  ]);
}

/** Reads until the router has decided. */
async function decide(
  client: Deno.TcpConn,
): Promise<{ head: Uint8Array; remote: string }> {
  const buffer = new Uint8Array(16_384);
  for (let length = 0; length < buffer.length;) {
    const count = await client.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
    const head = buffer.subarray(0, length);
    const text = latin1.decode(head);
    const decision = router.route({ match: (pattern) => text.match(pattern) });
    if (decision?.remote !== undefined) {
      return { head, remote: decision.remote };
    }
  }
  client.close();
  throw new Error("no decision");
}
