/**
 * Makes docs/status-page.png: the status page of a running program that serves
 * clients, in Chromium. `deno run -A tests/docs/screenshot.ts`
 *
 * @module
 */
import { join } from "node:path";
import { startAdmin } from "../support/admin.ts";
import { Tab } from "../support/browser.ts";
import { delay } from "../support/delay.ts";
import { ROOT } from "../support/paths.ts";
import { REFUSING } from "../support/ports.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";

/** Seconds of traffic before the picture is taken. */
const SECONDS = 75;

/** A server that answers a request with some bytes, sooner or later. */
function server(): Backend {
  return new Backend(async (socket) => {
    const buffer = new Uint8Array(4096);
    await socket.read(buffer);
    await delay(Math.random() * 3000);
    await send(socket, "x".repeat(200 + Math.floor(Math.random() * 20_000)));
  });
}

await using one = server();
await using two = server();
await using mail = server();
const table = {
  pools: {
    web: {
      members: [one.remote, { remote: two.remote, weight: 2 }],
      policy: "least-connections",
      check: { interval: 5 },
    },
  },
  routes: [
    { name: "web", match: { http: { host: "www.example" } }, pool: "web" },
    { name: "mail", match: { bytes: { prefix: "EHLO" } }, remote: mail.remote },
    { name: "broken", match: { ssh: true }, remote: REFUSING },
  ],
  default: { close: true },
};
await using running = await startAdmin(JSON.stringify(table), {
  file: "routes.yaml",
  args: ["-w", "2"],
});

const REQUESTS = [
  ...Array<string>(12).fill("GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"),
  ...Array<string>(4).fill("EHLO me\r\n"),
  "SSH-2.0-x\r\n",
  "nobody knows this\r\n",
];

/** One client. */
async function client(): Promise<void> {
  using socket = await running.proxy.connect();
  const index = Math.floor(Math.random() * REQUESTS.length);
  await send(socket, REQUESTS[index] ?? "");
  await receiveAll(socket);
}

const clients = new Set<Promise<void>>();
const end = performance.now() + SECONDS * 1000;
await using tab = await Tab.open(`${running.admin}/`, {
  viewport: { width: 1200, height: 900 },
  deviceScaleFactor: 1,
});
while (performance.now() < end) {
  const waves = 1 + Math.sin(performance.now() / 9000);
  const done = client().catch(() => {}).finally(() => clients.delete(done));
  clients.add(done);
  await delay(20 + 80 * Math.random() * (2.2 - waves));
}
await tab.page.screenshot({ path: join(ROOT, "docs", "status-page.png") });
await Promise.all(clients);
