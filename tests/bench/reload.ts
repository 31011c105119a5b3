/**
 * Reloads under full load: not one connection may be lost, and not one transfer
 * cut.
 *
 *     deno run -A tests/bench/reload.ts [--reloads N] [--seconds S] [--by remote|router]
 *
 * wrk opens a new connection for each request, as fast as it can; at each reload
 * there is, too, a transfer that has begun before it and ends after it. Requests
 * are answered by nginx behind the proxy or, to see more connections on a machine
 * with few cores, by the router. The exit status is 1 if anything failed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { readArguments } from "../support/arguments.ts";
import { delay } from "../support/delay.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { receive, receiveBulk, send, sendBulk } from "../support/sockets.ts";
import { httpLoad } from "./load.ts";
import { startBackend } from "./peers/nginx.ts";
import { Stage } from "./stage.ts";

/** Bytes of each transfer: more than the kernel keeps on the way. */
const BULK = 8_000_000;

/** Bytes that are read before the reload. */
const FIRST = 1000;

// wrk takes the end of a connection for an error unless the answer announces it
const ANSWER =
  "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

const values = readArguments(Deno.args, [], ["reloads", "seconds", "by"]);
const reloads = Number(values.reloads ?? 20);
const seconds = Number(values.seconds ?? 40);
const answerer = values.by ?? "remote";

await using stage = new Stage();
const httpPort = stage.port();
await stage.listening(startBackend(stage, [httpPort]), httpPort);
await using bulk = new Backend(async (socket) => {
  await receive(socket, 4);
  await sendBulk(socket, BULK);
});
await using proxy = await Proxy.start(
  `export default (data) => data.startsWith("bulk")
    ? { remote: "${bulk.remote}" }
    : ${
    answerer === "router"
      ? `{ close: ${JSON.stringify(ANSWER)} }`
      : `{ remote: "127.0.0.1:${httpPort}" }`
  };`,
  { args: ["-w", "2", "--access-log", "off"] },
);

const started = performance.now();
const load = httpLoad(stage, proxy.port, {
  seconds,
  connections: 32,
  close: true,
});
const transfers: Promise<void>[] = [];
for (let reload = 1; reload <= reloads; reload++) {
  const client = await proxy.connect();
  await send(client, "bulk");
  await receive(client, FIRST);
  proxy.kill("SIGHUP");
  await proxy.log.findAll("Reloaded: ", reload);
  transfers.push(
    receiveBulk(client)
      .then(({ length }) => assertEquals(length, BULK - FIRST))
      .finally(() => client.close()),
  );
  const next = started + reload * (seconds * 1000 / (reloads + 1));
  await delay(next - performance.now());
}
await Promise.all(transfers);
const reloadTime = (performance.now() - started) / 1000;
const { requests, seconds: took } = await load;
proxy.kill("SIGQUIT");
assertEquals((await proxy.status).code, 0);
await proxy.log.ended;
assert(reloadTime < took, "the reloads took longer than the load");

console.log(
  `${reloads} reloads, ${requests} connections (${
    Math.round(requests / took)
  } a second), ${transfers.length} transfers of ${
    BULK / 1e6
  } MB: none lost, none cut`,
);
