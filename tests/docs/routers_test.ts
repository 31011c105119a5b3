import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";
import { PROGRAM } from "../support/program.ts";
import { run } from "../support/run.ts";
import { test } from "../support/test.ts";
import { type Block, blocksOf, readPages } from "./pages.ts";

const BLOCKS = readPages().flatMap(blocksOf)
  .filter(({ language }) => language === "ts");

/** What a router of the manual is fed with, and the last line that it prints. */
type Feed = readonly [bytes: string, last: RegExp];

const HTTP = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const GIT = "0032git-upload-pack /alice/repo\0host=localhost\0";
const SOCKS4 = "\x04\x01\0\x50\x7f\0\0\x01me\0";

/** By page, and the number of its block. */
const FEEDS: Readonly<Record<string, readonly Feed[]>> = {
  "README.md 1": [
    [HTTP("two.example"), /remote 127\.0\.0\.1:15002/],
    [HTTP("three.example"), /close after "HTTP\/1\.1 404/],
  ],
  "docs/migrating.md 1": [[GIT, /remote alice\.git\.example\.com:9418/]],
  "docs/migrating.md 2": [
    [SOCKS4, /^byte 11: remote 127\.0\.0\.1:80, data "", reply /],
    ["\x05\x01\0\x50\x7f\0\0\x01me\0", /close after/],
  ],
  "docs/migrating.md 3": [["x", /close/]],
  "docs/parsers.md 1": [
    ["SSH-2.0-x\r\n", /remote 10\.0\.0\.6:22/],
    ["GET / HTTP/1.1\r\n", /close/],
  ],
  "docs/parsers.md 2": [
    ["ZBXD\x01", /remote 10\.0\.0\.9:10051/],
    ["ZBX!", /close/],
  ],
  "docs/pools.md 1": [["x", /pool git/]],
  "docs/redis.md 1": [[HTTP("no.such.name.invalid"), /close/]],
  "docs/routers.md 1": [[GIT, /remote alice\.git\.example\.com:9418/]],
  "docs/routers.md 2": [["x", /remote 10\.0\.0\.1:80.*route web/]],
  "docs/routers.md 3": [["GET", /close/]],
  "docs/tls.md 1": [["x", /remote db\.example:5433/]],
};

/** Names a block as {@linkcode FEEDS} does. */
function keyOf(block: Block): string {
  const same = BLOCKS.filter(({ page }) => page === block.page);
  return `${block.page} ${same.indexOf(block) + 1}`;
}

test("every block of TypeScript in the manual has the right types", async () => {
  const files = BLOCKS.map(({ code }, index) =>
    [`block_${index}.ts`, code] as const
  );
  await using folder = await Folder.make(Object.fromEntries(files));
  const { code, stderr } = await run([
    Deno.execPath(),
    "check",
    ...["--config", join(ROOT, "deno.json")],
    ...files.map(([name]) => folder.file(name)),
  ]);
  const places = BLOCKS.map(({ place }, index) => `block_${index}: ${place}`);
  assertEquals(code, 0, `${stderr}\n${places.join("\n")}`);
});

test("every router in the manual can be loaded, and decides as it should", async () => {
  assertEquals(BLOCKS.map(keyOf).toSorted(), Object.keys(FEEDS).toSorted());
  for (const block of BLOCKS) {
    assert(block.code.includes("export default "), block.place);
    await using folder = await Folder.make({ "router.ts": block.code });
    for (const [bytes, last] of FEEDS[keyOf(block)] ?? []) {
      const { code, stdout, stderr } = await run(
        [...PROGRAM, "-c", folder.file("router.ts"), "--dry-run", "-"],
        bytes,
      );
      assertEquals(code, 0, `${block.place}: ${stdout}${stderr}`);
      assertMatch(stdout.trimEnd().split("\n").at(-1) ?? "", last, block.place);
    }
  }
});
