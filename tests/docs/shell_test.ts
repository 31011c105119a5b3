import { assert, assertEquals, assertMatch } from "@std/assert";
import { accessLog } from "../../src/log/access_log.ts";
import { startAdmin } from "../support/admin.ts";
import type { Folder } from "../support/folder.ts";
import { unusedPort } from "../support/ports.ts";
import { PROGRAM } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { Redis } from "../support/redis.ts";
import { need } from "../support/run.ts";
import { test } from "../support/test.ts";
import { Authority } from "../support/tls.ts";
import { type Block, blocksOf, readPages } from "./pages.ts";
import { shell, shellFolder } from "./shell.ts";

const BLOCKS = readPages().flatMap(blocksOf);

/** Languages of which each block has a test, here or in the file that is named. */
const TESTED = {
  sh: "here",
  json: "here",
  text: "here",
  ts: "routers_test.ts",
  yaml: "tables_test.ts",
  haproxy: "tables_test.ts",
  nginx: "tables_test.ts",
  sslh: "tables_test.ts",
  rb: "tables_test.ts",
};

/** Commands that are read only, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "cp dist/proxymachine /usr/local/bin/":
    "it writes outside the checkout; CI builds the executable with the arguments of the task and runs tests with it",
  "systemctl reload proxymachine":
    "it needs a running systemd; the unit has a test of its own",
};

/** Texts that no program prints as they stand, and why. */
const NOT_PRINTED: Readonly<Record<string, string>> = {
  "docs/internals.md": "a drawing",
};

/** README's five minutes have a test of their own, in which they serve. */
const FIVE_MINUTES = BLOCKS.filter(({ page, place, language }) =>
  page === "README.md" && language === "sh" && isFiveMinutes(place)
);

function isFiveMinutes(place: string): boolean {
  const lines = readPages()[0]?.text.split("\n") ?? [];
  const line = Number(place.split(":")[1]);
  return line > lines.indexOf("## Five minutes") &&
    line < lines.indexOf("## Recipes");
}

/** The files that the text of a page tells to save, and those it takes for granted. */
async function filesFor(
  page: string,
  authority: Authority,
): Promise<Record<string, string>> {
  const router = BLOCKS.find(({ file }) => file === "router.ts") as Block;
  const { cert, key } = await authority.issue({ names: "DNS:site.example" });
  return {
    "router.ts": router.code,
    "site.pem": await Deno.readTextFile(cert),
    "site.key": await Deno.readTextFile(key),
    token: "0123456789abcdef",
    ...Object.fromEntries(
      BLOCKS.filter((block) => block.page === page && block.file !== undefined)
        .map(({ file, code }) => [file, code]),
    ),
  };
}

Deno.test("each block of code in the manual is of a language that has a test", () => {
  assert(BLOCKS.length > 50, `only ${BLOCKS.length} blocks`);
  for (const { language, place } of BLOCKS) {
    assert(Object.hasOwn(TESTED, language), `${place}: ${language}`);
  }
});

test("the commands in the manual can be run", async () => {
  need("redis-cli", "redis-tools");
  need("curl", "curl");
  await using authority = await Authority.make();
  await using redis = await Redis.start();
  const pools = BLOCKS.find(({ page, language }) =>
    page === "docs/pools.md" && language === "yaml"
  ) as Block;
  await using running = await startAdmin(pools.code, { file: "routes.yaml" });
  const read = new Set<string>();
  for (const block of BLOCKS) {
    if (block.language !== "sh" || FIVE_MINUTES.includes(block)) continue;
    await using folder = await shellFolder(
      await filesFor(block.page, authority),
    );
    const code = block.code.split("\n").filter((line) => {
      if (!Object.hasOwn(NOT_RUN, line)) return true;
      read.add(line);
      return false;
    }).join("\n");
    const result = await shell(folder, code, {
      SERVE: "",
      REDIS_PORT: String(redis.port),
      ADMIN: new URL(running.admin).host,
    });
    assertEquals(
      result.code,
      0,
      `${block.place}: ${result.stdout}${result.stderr}`,
    );
  }
  assertEquals([...read].toSorted(), Object.keys(NOT_RUN).toSorted());
});

/** The five minutes with ports that are free. */
function portsOf(): (code: string) => string {
  const ports = new Map(
    ["15001", "15002", "8080", "9901"].map((port) =>
      [port, String(unusedPort())] as const
    ),
  );
  return (code) =>
    code.replaceAll(
      /\b(?:15001|15002|8080|9901)\b/g,
      (port) => ports.get(port) ?? port,
    );
}

/** Runs a server until the test has ended. */
function background(code: string): string {
  return `trap 'kill $(jobs -p) 2>/dev/null' EXIT\n${code}`;
}

test("README's five minutes: check, dry run, and two answers", async () => {
  const here = portsOf();
  const [setUp, check, serve, ask] = FIVE_MINUTES.map(({ code }) => here(code));
  assert(setUp && check && serve && ask);
  const said = BLOCKS.find(({ page, language }) =>
    page === "README.md" && language === "text"
  ) as Block;
  const saved = BLOCKS.filter(({ page, file }) =>
    page === "README.md" && file !== undefined
  );
  assertEquals(saved.map(({ file }) => file), ["routes.yaml", "router.ts"]);
  await using folder = await shellFolder(
    Object.fromEntries(saved.map(({ file, code }) => [file, here(code)])),
  );
  const checked = await shell(folder, check);
  assertEquals(checked.code, 0, checked.stderr);
  assertMatch(checked.stdout, /^table +routes\.yaml: 2 routes\n/);
  assert(checked.stdout.endsWith(here(said.code)), checked.stdout);
  for (const file of ["router.ts", "routes.yaml"]) {
    const answers = await serveAndAsk(folder, { setUp, ask, serve, file });
    assertEquals(answers, "This is one\nThis is two\n");
    await shell(folder, "rm -r one two");
  }
});

/** The commands of README, and which of its two files to serve with. */
interface Served {
  readonly setUp: string;
  readonly serve: string;
  readonly ask: string;
  readonly file: string;
}

/** Starts the servers and the proxy, waits until all answer, and asks. */
async function serveAndAsk(
  folder: Folder,
  { setUp, serve, ask, file }: Served,
): Promise<string> {
  const command = serve.replace("router.ts", file).trim();
  const port = / -p (\d+)/.exec(command)?.[1] ?? "";
  const servers = [...setUp.matchAll(/http\.server (\d+)/g)]
    .map(([, server = ""]) => server);
  const wait = [port, ...servers].map((port) =>
    `until (: < /dev/tcp/127.0.0.1/${port}) 2>/dev/null; do read -rt 0.1 <> <(:) || :; done`
  ).join("\n");
  const { code, stdout, stderr } = await shell(
    folder,
    background(
      `{ ${setUp.trim()} } >/dev/null 2>&1\n${command} >log 2>&1 &\n${wait}\n${ask}`,
    ),
    { SERVE: "yes", ADMIN: "" },
  );
  assertEquals(code, 0, `${stdout}${stderr}`);
  return stdout;
}

Deno.test("the JSON in the manual is a line of the access log", () => {
  const blocks = BLOCKS.filter(({ language }) => language === "json");
  assertEquals(blocks.length, 1);
  let line = "";
  accessLog("json", (text) => line = text).connection({
    info: { id: 1 },
    route: undefined,
    remote: undefined,
    received: 0,
    sent: 0,
    started: 0,
    endReason: "done",
  });
  const shown = JSON.parse(blocks[0]?.code ?? "");
  assertEquals(Object.keys(shown), Object.keys(JSON.parse(line)));
});

test("the texts in the manual are what the program prints", async () => {
  const rest = BLOCKS.filter(({ language, page }) =>
    language === "text" && !Object.hasOwn(NOT_PRINTED, page) &&
    // these two are compared with the commands and the table above them
    page !== "README.md" && page !== "docs/tables.md"
  );
  const [access, down, ...more] = rest;
  assert(access && down);
  assertEquals(more, []);
  await using proxy = await Proxy.start(
    `import { pool } from "proxymachine/pool";
pool("git", {
  members: ["127.0.0.1:1"],
  check: { interval: 0.1, fall: 3 },
});
export default () => ({ close: true, route: "web" });`,
    { program: PROGRAM },
  );
  const line = await proxy.log.find("of pool git is down");
  assertEquals(
    line.replace(/^.*?(?=Member)/, ""),
    down.code.trim().replace("10.0.0.1:9418", "127.0.0.1:1"),
  );
  (await proxy.connect()).close();
  const ended = await proxy.access.find("end=");
  const shape = (text: string) =>
    text.trim().split(" ").map((word) => word.replace(/=.*|^2.*/, ""));
  assertEquals(shape(ended), shape(access.code));
});
