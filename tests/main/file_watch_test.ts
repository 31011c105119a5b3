import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { filesIn, filesOf, FileWatch } from "../../src/main/file_watch.ts";
import { Folder } from "../support/folder.ts";

/** Changes that a test waits for, one by one. */
class Changes {
  readonly watch = new FileWatch((path) => this.#add(path));
  readonly #paths: string[] = [];
  #onPath = () => {};

  async next(): Promise<string> {
    for (;;) {
      const path = this.#paths.shift();
      if (path !== undefined) return path;
      await new Promise<void>((resolve) => this.#onPath = resolve);
    }
  }

  #add(path: string): void {
    this.#paths.push(path);
    this.#onPath();
  }

  [Symbol.dispose](): void {
    this.watch.stop();
  }
}

/** Follows files that were read a while ago. */
async function follow(
  { watch }: Changes,
  paths: readonly string[],
  keep = false,
): Promise<void> {
  await watch.follow(paths, Date.now() + 60_000, keep);
}

const CASES: Record<string, (folder: Folder) => Promise<void>> = {
  "is written in place": (folder) =>
    Deno.writeTextFile(folder.file("a"), "two, longer"),
  "is replaced by a rename": async (folder) => {
    await Deno.writeTextFile(folder.file("new"), "two");
    await Deno.rename(folder.file("new"), folder.file("a"));
  },
  "is removed": (folder) => Deno.remove(folder.file("a")),
};

for (const [name, change] of Object.entries(CASES)) {
  Deno.test(`FileWatch tells that a file has changed when it ${name}`, async () => {
    await using folder = await Folder.make({ a: "one", b: "one" });
    using changes = new Changes();
    await follow(changes, [folder.file("b"), folder.file("a")]);
    await change(folder);
    assertStrictEquals(await changes.next(), folder.file("a"));
  });
}

Deno.test("FileWatch tells that a file has come when it was missing", async () => {
  await using folder = await Folder.make();
  using changes = new Changes();
  await follow(changes, [folder.file("a")]);
  await Deno.writeTextFile(folder.file("a"), "");
  assertStrictEquals(await changes.next(), folder.file("a"));
});

Deno.test("FileWatch sees through symbolic links anywhere on the way", async () => {
  await using folder = await Folder.make({ "1/a": "one", "2/a": "two" });
  await Deno.symlink("1", folder.file("current"));
  using changes = new Changes();
  await follow(changes, [folder.file("current/a")]);
  await Deno.symlink("2", folder.file("next"));
  await Deno.rename(folder.file("next"), folder.file("current"));
  assertStrictEquals(await changes.next(), folder.file("current/a"));
});

Deno.test("FileWatch tells once of all files that have changed at a time", async () => {
  await using folder = await Folder.make({ a: "one", b: "one", c: "one" });
  using changes = new Changes();
  await follow(changes, ["a", "b", "c"].map((name) => folder.file(name)));
  await Promise.all(
    ["b", "a"].map((name) => Deno.writeTextFile(folder.file(name), "changed")),
  );
  assertStrictEquals(await changes.next(), folder.file("a"));
  await Deno.writeTextFile(folder.file("c"), "changed");
  assertStrictEquals(
    await changes.next(),
    folder.file("c"),
    "not b, as it was told",
  );
});

Deno.test("follow() forgets the files of before, or keeps them", async () => {
  await using folder = await Folder.make({ a: "one", b: "one", c: "one" });
  using changes = new Changes();
  await follow(changes, [folder.file("a")]);
  await follow(changes, [folder.file("b")]);
  await follow(changes, [folder.file("c")], true);
  await Deno.writeTextFile(folder.file("a"), "changed");
  await Deno.writeTextFile(folder.file("b"), "changed");
  assertStrictEquals(await changes.next(), folder.file("b"));
  await Deno.writeTextFile(folder.file("c"), "changed");
  assertStrictEquals(await changes.next(), folder.file("c"));
});

Deno.test("follow() takes a file for changed when it was written after it was read", async () => {
  await using folder = await Folder.make({ a: "one" });
  using changes = new Changes();
  await changes.watch.follow([folder.file("a")], Date.now() - 60_000, false);
  assertStrictEquals(await changes.next(), folder.file("a"));
});

Deno.test("filesOf() lists files once, without those of the program", () => {
  const own = new URL("../../src/mod.ts", import.meta.url).href;
  assertEquals(
    filesOf([
      "file:///a%20b/r.ts",
      own,
      "https://example.com/x.ts",
      "file:///a%20b/r.ts",
      "file://host/x.ts",
      "data:,x",
    ]),
    ["/a b/r.ts"],
  );
});

Deno.test("filesIn() finds the files that the runtime's messages name", async () => {
  await using folder = await Folder.make({ "broken.ts": "export default (" });
  for (const name of ["broken.ts", "missing.ts"]) {
    const path = folder.file(name);
    const error = await import(pathToFileURL(path).href).catch((e) => e);
    assert(filesIn(String(error.message)).includes(path), error.message);
  }
});
