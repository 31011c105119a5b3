/// <reference lib="dom" />
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import axe from "axe-core";
import { Folder } from "../support/folder.ts";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { receive, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { Tab } from "../support/browser.ts";
import { adminOf, startAdmin } from "../support/admin.ts";

const HTML = `<img src=x onerror="document.title='bad'">`;

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
  assertEquals(await receive(client, 5), "hello");
  return client;
}

/** `127.0.0.1:port` of a client. */
function addressOf(client: Deno.TcpConn): string {
  return `127.0.0.1:${client.localAddr.port}`;
}

/** The value of a number at the top of the page. */
const value = (label: string) =>
  `.numbers div:has(dt:text-is("${label}")) dd b`;

test("the page shows what the API says, and goes on by itself", async () => {
  await using backend = echo();
  await using running = await startAdmin(pool(backend.remote), TABLE);
  using first = await join(running.proxy);
  await using tab = await Tab.open(running.admin);
  await tab.shows(value("Open"), /^1$/);
  await tab.shows("#liveness", /^Live at /);
  using second = await join(running.proxy);
  await tab.shows(value("Open"), /^2$/);
  await tab.shows("section[aria-labelledby=connections] caption", /: 2$/);

  const status = await running.get("/api/status");
  assertEquals(status.connections.current, 2);
  await tab.shows("#facts", `${status.version} on ${status.runtime}, serving`);
  await tab.shows("section[aria-labelledby=workers]", status.workers[0].id);
  await tab.shows(
    "section[aria-labelledby=workers]",
    `127.0.0.1:${running.proxy.port}`,
  );
  const { connections } = await running.get("/api/connections");
  const clients = (await tab.rows("connections")).map((cells) => cells[1]);
  assertEquals(
    clients.toSorted(),
    connections.map(({ client }: { client: string }) => client).toSorted(),
  );
  assertEquals(
    clients.toSorted(),
    [addressOf(first), addressOf(second)].toSorted(),
  );
  await tab.shows("section[aria-labelledby=configuration]", "workers");

  // these numbers come with the batch of a worker
  await tab.shows("section[aria-labelledby=routes] tbody th", /^all$/);
  await tab.shows("section[aria-labelledby=remotes] tbody th", backend.remote);
  const [route] = await running.get("/api/routes");
  const hits = String(route.hits);
  await tab.shows("section[aria-labelledby=routes] tbody td", hits);
  await tab.page.locator('.line-0[points*=","]').first()
    .waitFor({ state: "attached" });
  assertEquals(tab.complaints, []);
  assertEquals([...tab.origins], [running.admin]);
});

test("the page goes on under load, and shows what there is", async () => {
  const held = 200;
  await using backend = echo();
  await using running = await startAdmin(pool(backend.remote), {
    ...TABLE,
    args: ["-w", "2"],
  });
  const clients: Deno.TcpConn[] = [];
  let busy = true;
  await using tab = await Tab.open(running.admin);
  for (let i = 0; i < held; i++) clients.push(await join(running.proxy));
  const load = Promise.all(Array.from({ length: 8 }, async () => {
    let times = 0;
    for (; busy; times++) (await join(running.proxy)).close();
    return times;
  }));
  // whatever ends the test, the load ends before the proxy does
  await using _end = {
    async [Symbol.asyncDispose]() {
      busy = false;
      await load.catch(() => {});
      for (const client of clients) client[Symbol.dispose]();
    },
  };
  const { page } = tab;
  const part = (name: string) => `section[aria-labelledby=${name}]`;
  await tab.shows(value("Open"), /^2\d\d$/);
  await tab.shows(value("New"), /^[1-9][\d,.]*( k)?\/s$/);
  await tab.shows(`${part("connections")} caption`, /: 25 of 2\d\d$/);
  assertEquals((await tab.rows("connections")).length, 25);
  await page.getByLabel("Show").selectOption("1000");
  await tab.shows(`${part("connections")} caption`, /: 2\d\d$/);
  // those that wait longest come first, whatever comes and goes after them
  const clientsShown = (await tab.rows("connections")).slice(0, held)
    .map((cells) => cells[1]);
  assertEquals(
    clientsShown.toSorted(),
    clients.map(addressOf).toSorted(),
  );
  const [first] = clients;
  assert(first !== undefined);
  await page.getByRole("button", { name: addressOf(first) }).click();
  await page.getByRole("button", { name: "Close the connection" }).click();
  assertEquals(await first.read(new Uint8Array(1)), null);
  await tab.shows("#notice", "is closed.");
  busy = false;
  const times = (await load).reduce((sum, times) => sum + times);
  await tab.shows(value("Open"), new RegExp(`^${held - 1}$`));
  const total = (held + times).toLocaleString("en-US");
  await tab.shows(".numbers small", new RegExp(`^${total} in all$`));
  await tab.shows(`${part("routes")} tbody td`, new RegExp(`^${total}$`));
  assertEquals(tab.complaints, []);
});

test("connections are filtered, sorted, and closed with both ends", async () => {
  await using backend = echo();
  await using running = await startAdmin(pool(backend.remote), TABLE);
  using one = await join(running.proxy);
  using two = await join(running.proxy);
  await send(two, "more");
  assertEquals(await receive(two, 4), "more");
  await using tab = await Tab.open(running.admin);
  const { page } = tab;
  const section = page.locator("section[aria-labelledby=connections]");
  await tab.shows("section[aria-labelledby=connections] caption", /: 2$/);
  const rows = section.locator("tbody tr");

  const bytesIn = section.getByRole("columnheader", {
    name: "In",
    exact: true,
  });
  await bytesIn.getByRole("button").click();
  assertEquals(await bytesIn.getAttribute("aria-sort"), "descending");
  await rows.nth(0).filter({ hasText: addressOf(two) }).waitFor();
  await bytesIn.getByRole("button").click();
  assertEquals(await bytesIn.getAttribute("aria-sort"), "ascending");
  await rows.nth(0).filter({ hasText: addressOf(one) }).waitFor();

  await page.getByLabel("Filter").fill(addressOf(one));
  await tab.shows("section[aria-labelledby=connections] caption", /: 1$/);
  assertStrictEquals((await tab.rows("connections"))[0]?.[1], addressOf(one));

  const close = section.getByRole("button", { name: addressOf(one) });
  await close.click();
  await page.getByRole("dialog").getByText(addressOf(one)).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await send(one, "still");
  assertEquals(await receive(one, 5), "still");

  await close.click();
  await page.getByRole("button", { name: "Close the connection" }).click();
  assertEquals(await one.read(new Uint8Array(1)), null);
  await tab.shows("#notice", `of ${addressOf(one)} is closed.`);
  await tab.shows(
    "section[aria-labelledby=connections] p",
    "No connection is for the filter.",
  );
  await running.proxy.access.find("end=admin-close");
  await send(two, "alive");
  assertEquals(await receive(two, 5), "alive");
  assertEquals(tab.complaints, []);
});

test("the page says which worker is stuck, and that its connections are not known", async () => {
  await using running = await startAdmin(
    `export default { route(data) { if (data.startsWith("spin")) for (;;); } };`,
    { args: ["-w", "1", "--watchdog", "3", "--max-stuck-workers", "9"] },
  );
  await using tab = await Tab.open(running.admin);
  const part = (name: string) => `section[aria-labelledby=${name}]`;
  await tab.shows(`${part("connections")} p`, /^No connection is open\.$/);
  using client = await running.proxy.connect();
  await send(client, "spin");
  await tab.shows(`${part("workers")} tr:has(th:text-is("1.1"))`, "stuck");
  await tab.shows(`${part("workers")} tr:has(th:text-is("1.2"))`, "serving");
  await tab.shows(part("connections"), "no answer from 1 worker");
  await tab.shows(value("Open"), /^1$/);
  await tab.shows(part("errors"), "Worker 1.1 has not answered for 3 seconds");
  assertEquals(tab.complaints, []);
});

test("a member of a pool is drained and used again", async () => {
  await using backend = echo();
  await using other = echo();
  await using running = await startAdmin(
    pool(backend.remote, other.remote),
    TABLE,
  );
  await using tab = await Tab.open(running.admin);
  const row = tab.page.locator("section[aria-labelledby=pools] tbody tr", {
    hasText: backend.remote,
  });
  await row.filter({ hasText: "up" }).waitFor();
  await row.getByRole("button", { name: `Drain ${backend.remote}` }).click();
  await row.filter({ hasText: "draining" }).waitFor();
  await tab.shows("#notice", `${backend.remote} of web is drained`);
  for (let i = 0; i < 4; i++) (await join(running.proxy)).close();
  assertEquals([backend.accepted, other.accepted], [0, 4]);
  await row.getByRole("button", { name: `Undrain ${backend.remote}` }).click();
  await row.filter({ hasText: "up" }).waitFor();
  for (let i = 0; i < 4; i++) (await join(running.proxy)).close();
  assertNotEquals(backend.accepted, 0);
  assertEquals(tab.complaints, []);
});

test("what clients and configurations say is text, never HTML", async () => {
  await using backend = echo();
  await using running = await startAdmin(
    `
    export default {
      route(data) {
        if (data.startsWith("bad")) return { remote: data.text };
        return { remote: "${backend.remote}", route: data.text };
      },
    };`,
  );
  using bad = await running.proxy.connect();
  await send(bad, `bad${HTML}`);
  assertEquals(await bad.read(new Uint8Array(1)), null);
  using client = await running.proxy.connect();
  await send(client, HTML);
  assertEquals(await receive(client, HTML.length), HTML);
  await using tab = await Tab.open(running.admin);
  await tab.shows("section[aria-labelledby=routes] th", HTML);
  await tab.shows("section[aria-labelledby=connections] td", HTML);
  await tab.shows("section[aria-labelledby=errors] td", "<img src=x onerror=");
  assertEquals(await tab.page.locator("img").count(), 0);
  assertNotEquals(await tab.page.title(), "bad");
  assertEquals(tab.complaints, []);
});

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
  assert(light.page > 600 && light.text < 150, Deno.inspect(light));
  assert(dark.page < 150 && dark.text > 600, Deno.inspect(dark));
});

test("on a phone nothing is wider than the screen, and all is within reach", async () => {
  const long = `${"long-name-".repeat(6)}1`;
  await using backend = echo();
  await using running = await startAdmin(
    JSON.stringify({
      pools: { [long]: { members: [backend.remote] } },
      routes: [{ name: long, match: true, pool: long }],
    }),
    TABLE,
  );
  using client = await join(running.proxy);
  await using tab = await Tab.open(running.admin, {
    viewport: { width: 360, height: 640 },
    hasTouch: true,
  });
  await tab.shows("section[aria-labelledby=routes] tbody th", long);
  await tab.shows("section[aria-labelledby=connections] caption", /: 1$/);
  const { page } = tab;
  const widths = await page.evaluate(() => ({
    document: document.documentElement.scrollWidth,
    wider: [...document.querySelectorAll("main *")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth)
      .map((element) => element.outerHTML.slice(0, 100)),
  }));
  assertEquals(widths, { document: 360, wider: [] });
  // rows that are shown as cards are rows of a table none the less
  const row = page.getByRole("row", { name: addressOf(client) });
  const close = row.getByRole("button", { name: "Close connection" });
  await close.tap();
  await page.getByRole("button", { name: "Close the connection" }).tap();
  assertEquals(await client.read(new Uint8Array(1)), null);
});

test("a connection is closed by keyboard alone", async () => {
  await using backend = echo();
  await using running = await startAdmin(pool(backend.remote), TABLE);
  using client = await join(running.proxy);
  await using tab = await Tab.open(running.admin);
  await tab.shows("section[aria-labelledby=connections] caption", /: 1$/);
  const { keyboard } = tab.page;
  const focused = () =>
    tab.page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle } = getComputedStyle(element ?? document.body);
      return {
        name: element?.ariaLabel ?? element?.textContent ?? "",
        visible: outlineStyle !== "none",
      };
    });
  await keyboard.press("Tab");
  assertEquals(await focused(), {
    name: "Skip to the content",
    visible: true,
  });
  await keyboard.press("Enter");
  const seen: string[] = [];
  for (;;) {
    await keyboard.press("Tab");
    const { name, visible } = await focused();
    assert(visible, `the focus on ${name} is visible`);
    seen.push(name);
    if (name.startsWith("Close connection")) break;
    assert(seen.length < 200, `no button to close among ${seen}`);
  }
  assert(seen.some((name) => name.startsWith("Open connections, ")));
  assert(seen.some((name) => name.startsWith("Drain ")));
  await keyboard.press("Enter");
  assertEquals((await focused()).name, "Cancel");
  await keyboard.press("Tab");
  assertEquals((await focused()).name, "Close the connection");
  await keyboard.press("Enter");
  assertEquals(await client.read(new Uint8Array(1)), null);
  await tab.shows("#notice", "is closed.");
  // the row has gone, and the focus is near where it was
  await tab.page.waitForFunction(() => document.activeElement?.id === "search");
  assertEquals(tab.complaints, []);
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
  assertEquals(await page.locator("#content").isVisible(), false);
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
  using client = await join(proxy);
  await page.getByRole("button", { name: addressOf(client) }).click();
  await page.getByRole("button", { name: "Close the connection" }).click();
  assertEquals(await client.read(new Uint8Array(1)), null);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  assertEquals(await page.evaluate(() => sessionStorage.length), 0);
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
  page.on("request", (request) => {
    if (request.url().endsWith("/api/status")) asked++;
  });
  const rests = async (begin: () => Promise<unknown>, label: string) => {
    await begin();
    await tab.shows("#liveness", label);
    asked = 0;
    await page.clock.runFor(60_000);
    // one may have been on its way
    assert(asked <= 1, `${asked} looks in a minute`);
  };
  await rests(() => hide(true), "Paused in the background");
  await hide(false);
  await tab.shows("#liveness", "Live at");
  const pause = page.getByRole("button", { name: "Pause" });
  await rests(() => pause.click(), "Paused at");
  assertEquals(await pause.getAttribute("aria-pressed"), "true");
  await pause.click();
  await tab.shows("#liveness", "Live at");
});

test("axe finds nothing to say against the page", async () => {
  await using backend = echo();
  await using running = await startAdmin(pool(backend.remote), TABLE);
  using client = await join(running.proxy);
  await using tab = await Tab.open(running.admin, { bypassCSP: true });
  const { page } = tab;
  await page.addScriptTag({ content: axe.source });
  const check = async (what: string) => {
    const found = await page.evaluate(async () => {
      // deno-lint-ignore no-explicit-any -- the script has just put it there
      const { violations } = await (globalThis as any).axe.run();
      return violations.map((
        { id, nodes }: { id: string; nodes: { html: string }[] },
      ) => ({ id, nodes: nodes.map(({ html }) => html) }));
    });
    assertEquals(found, [], what);
  };
  await tab.shows("section[aria-labelledby=routes] tbody th", /^all$/);
  await tab.shows("section[aria-labelledby=connections] caption", /: 1$/);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await check(`${colorScheme}, ${width} pixels wide`);
    }
    await page.getByRole("button", { name: addressOf(client) }).click();
    await check(`${colorScheme}, with a question`);
    await page.keyboard.press("Escape");
  }
});
