/// <reference lib="dom" />
import assert from "node:assert/strict";
import { Backend, Folder, Proxy, receive, send, test } from "../fixtures.ts";
import { Tab } from "./browser.ts";
import { adminOf, startAdmin } from "./helpers.ts";

/** Answers what it is sent, and keeps the connection. */
function echo(): Backend {
  return new Backend(async (socket) => {
    const buffer = new Uint8Array(1024);
    for (;;) {
      const count = await socket.read(buffer);
      if (count === null) return;
      await send(socket, buffer.subarray(0, count));
    }
  });
}

/** A table: each client is for the pool `web`. */
const pool = (...members: string[]) =>
  JSON.stringify({
    pools: { web: { members } },
    routes: [{ name: "all", match: true, pool: "web" }],
  });

const TABLE = { file: "routes.yaml" };

/** Connects, and waits until it is joined with the remote. */
async function join(proxy: Proxy): Promise<Deno.TcpConn> {
  const client = await proxy.connect();
  await send(client, "hello");
  assert.equal(await receive(client, 5), "hello");
  return client;
}

/** The value of a number at the top of the page. */
const value = (label: string) =>
  `.numbers div:has(dt:text-is("${label}")) dd b`;

test("the page follows the colour scheme", async () => {
  await using running = await startAdmin(pool("127.0.0.1:1"), TABLE);
  await using tab = await Tab.open(running.admin);
  const lightness = () =>
    tab.page.evaluate(() => {
      const colour = getComputedStyle(document.body);
      const sum = (text: string) =>
        (text.match(/\d+/g) ?? []).slice(0, 3).map(Number)
          .reduce((a, b) => a + b);
      return { page: sum(colour.backgroundColor), text: sum(colour.color) };
    });
  await tab.page.emulateMedia({ colorScheme: "light" });
  const light = await lightness();
  await tab.page.emulateMedia({ colorScheme: "dark" });
  const dark = await lightness();
  assert.ok(light.page > 600 && light.text < 150, Deno.inspect(light));
  assert.ok(dark.page < 150 && dark.text > 600, Deno.inspect(dark));
});

test("with a token the page asks for it, and forgets it", async () => {
  const token = "correct-horse-battery-staple";
  await using folder = await Folder.make({ token });
  await using backend = echo();
  await using proxy = await Proxy.start(pool(backend.remote), {
    ...TABLE,
    args: [
      ...["-w", "1", "--admin", "127.0.0.1:0"],
      ...["--admin-token-file", folder.file("token")],
    ],
  });
  await using tab = await Tab.open(await adminOf(proxy));
  const { page } = tab;
  assert.equal(await page.locator("#content").isVisible(), false);
  await page.getByLabel("Token").fill("wrong-horse-battery-staple");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("this is not the token").waitFor();
  await page.getByLabel("Token").fill("令牌");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("ASCII only").waitFor();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await tab.shows(value("Open"), /^0$/);
  await page.reload();
  await tab.shows(value("Open"), /^0$/);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test("the page outlives the program, and goes on when it is back", async () => {
  await using backend = echo();
  const start = () => startAdmin(pool(backend.remote), TABLE);
  let admin = "";
  await using forward = new Backend(async (socket) => {
    const { hostname, port } = new URL(admin);
    const server = await Deno.connect({ hostname, port: Number(port) });
    await Promise.allSettled([
      socket.readable.pipeTo(server.writable),
      server.readable.pipeTo(socket.writable),
    ]);
  });
  await using tab = await (async () => {
    await using running = await start();
    admin = running.admin;
    const tab = await Tab.open(`http://${forward.remote}/`);
    await tab.shows("#liveness", "Live at");
    return tab;
  })();
  await tab.shows("#liveness", "Not reachable");
  await tab.shows("#notice", "Not reachable since");
  await using running = await start();
  admin = running.admin;
  await tab.shows("#liveness", "Live at");
  await tab.shows("#notice", "Reachable again");
  using _client = await join(running.proxy);
  await tab.shows(value("Open"), /^1$/);
});

test("the page rests in the background, and when it is told to", async () => {
  await using backend = echo();
  await using running = await startAdmin(pool(backend.remote), TABLE);
  await using tab = await Tab.open(running.admin);
  const { page } = tab;
  await page.clock.install();
  await page.reload();
  await tab.shows(value("Open"), /^0$/);
  const next = page.waitForRequest(/\/api\/status$/);
  await page.clock.runFor(2000);
  await next;
  const hide = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", {
        configurable: true,
        value: hidden,
      });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  let asked = 0;
  page.on("request", () => asked++);
  const rests = async (begin: () => Promise<unknown>, label: string) => {
    await begin();
    await tab.shows("#liveness", label);
    asked = 0;
    await page.clock.runFor(60_000);
    assert.equal(asked, 0);
  };
  await rests(() => hide(true), "Paused in the background");
  await hide(false);
  await tab.shows("#liveness", "Live at");
  const pause = page.getByRole("button", { name: "Pause" });
  await rests(() => pause.click(), "Paused at");
  assert.equal(await pause.getAttribute("aria-pressed"), "true");
  await pause.click();
  await tab.shows("#liveness", "Live at");
});
