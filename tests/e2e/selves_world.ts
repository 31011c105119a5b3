/**
 * A remote at a port of the range from which the system takes the ports of
 * connections: TCP connects to itself. Run by `selves_test.ts`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startAdmin } from "../support/admin.ts";
import { delay } from "../support/delay.ts";
import { receiveAll, send } from "../support/sockets.ts";

const REMOTE = { hostname: "127.0.0.1", port: 40010 };

/** It does happen here. */
async function connectToItself(): Promise<void> {
  for (let tries = 0; tries < 10_000; tries++) {
    try {
      using conn = await Deno.connect(REMOTE);
      assertEquals(conn.localAddr.port, REMOTE.port);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
  }
  throw new Error("TCP never connects to itself here");
}

await connectToItself();
await using program = await startAdmin(
  `import { pool } from "proxymachine/pool";
  const checked = pool("checked", {
    members: ["127.0.0.1:40010"],
    check: { interval: 0.05, timeout: 1, rise: 1, fall: 1 },
  });
  export default {
    route: (data) => data.text === "p"
      ? { pool: checked }
      : { remote: "127.0.0.1:40010" },
    connectError: (remote, error) => ({
      close: error.name + " " + error.code + " " + error.message,
    }),
  };`,
);
const { proxy } = program;
let isSeen = false;
for (let tries = 0; tries < 60 && !isSeen; tries++) {
  using client = await Deno.connect({
    hostname: "127.0.0.1",
    port: proxy.port,
  });
  await send(client, "a");
  const text = await receiveAll(client);
  assert(text.startsWith("ConnectionRefused ECONNREFUSED"), text);
  isSeen = proxy.log.all.some((line) => line.includes("led to itself"));
}
assert(isSeen, "the proxy has met no connection to itself");
// some hundred checks: not one says "up" after the first "down"
await delay(3000);
assertEquals(proxy.log.all.filter((line) => / is up/.test(line)), []);
