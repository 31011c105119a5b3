/**
 * The access log when its reader is stuck, or its disk is full: clients do not
 * notice.
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { startAdmin } from "../support/admin.ts";
import { until } from "../support/until.ts";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { programWith, ROUTER_EXTENSION } from "../support/program.ts";
import { Proxy } from "../support/proxy.ts";
import { need, run } from "../support/run.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";

/** As long as a name can be in JSON, so that a log is soon full of it. */
const ROUTE = '"'.repeat(64);

const ROUTER = `router.${ROUTER_EXTENSION}`;

const ANSWERING = `export default () =>
  ({ close: "bye", route: ${JSON.stringify(ROUTE)} });`;

/** So many clients, a few at a time, each of which gets its answer. */
async function visit(proxy: Proxy, clients: number): Promise<void> {
  let left = clients;
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (left-- > 0) {
      using client = await proxy.connect();
      await send(client, "x");
      assertEquals(await receiveAll(client), "bye");
    }
  }));
}

/** The numbers of connections in lines of JSON, in order. */
function idsOf(lines: readonly string[]): number[] {
  return lines.map((line) => JSON.parse(line).id as number)
    .sort((a, b) => a - b);
}

test("lines are dropped and counted while nobody reads standard output, and clients are served", async () => {
  await using folder = await Folder.make();
  const pipe = folder.file("pipe");
  await using started = await startAdmin(ANSWERING, {
    args: ["-w", "2", "--log-format", "json"],
    // it holds the other end as well, so that it is open, and not read
    setup: `mkfifo ${pipe}; exec 9<>${pipe} >${pipe}`,
  });
  const { proxy, admin } = started;
  let visits = 0;
  while (proxy.log.count("Dropping lines") === 0) {
    await visit(proxy, 2000);
    visits += 2000;
  }
  await visit(proxy, 500);
  visits += 500;
  const dropped = async () => {
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    return Number(
      /^proxymachine_log_lines_dropped_total (\d+)/m.exec(metrics)
        ?.[1],
    );
  };
  assert(await until(dropped, (count) => count > 0) < visits);

  // now somebody reads
  const reader = new Deno.Command("cat", { args: [pipe], stdout: "piped" })
    .spawn();
  const read = new Lines(reader.stdout);
  const line = await proxy.log.find(/Dropped \d+ lines/);
  assertEquals(JSON.parse(line).level, "WARN");
  const said = Number(
    /Dropped (\d+) lines as the log is read too/.exec(line)
      ?.[1],
  );
  await visit(proxy, 1);
  visits++;
  await read.find(`"id":${visits},`);
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  await read.ended;
  await reader.status;
  const ids = idsOf(read.all);
  assertEquals(new Set(ids).size, ids.length);
  assertEquals(ids.length + said, visits);
  assertStrictEquals(ids.at(-1), visits, "the last one is there");
  assertEquals(proxy.log.count("Dropping lines"), 1);
});

test("no line is lost, nor torn, when the disk of the access log is full for a while", async () => {
  await using folder = await Folder.make();
  const file = folder.file("access.log");
  await using proxy = await Proxy.start(ANSWERING, {
    program: programWith(`--allow-write=${folder.path}`),
    args: ["-w", "1", "--log-format", "json", "--access-log", file],
    // otherwise it would be killed for trying
    setup: "trap '' XFSZ",
  });
  const limit = async (size: string) => {
    const { code, stderr } = await run([
      need("prlimit", "util-linux"),
      `--pid=${proxy.pid}`,
      `--fsize=${size}:unlimited`,
    ]);
    assertEquals(code, 0, stderr);
  };
  await limit("1000");
  await visit(proxy, 40);
  await proxy.log.find(
    /Access log: Cannot write the log, which is tried again each second: File too large/,
  );
  await visit(proxy, 40);
  assertEquals((await Deno.stat(file)).size, 1000);
  await limit("unlimited");
  await proxy.log.find("Access log: The log can be written again");
  await visit(proxy, 1);
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  const lines = (await Deno.readTextFile(file)).split("\n");
  assertEquals(lines.pop(), "");
  assertEquals(idsOf(lines), Array.from({ length: 81 }, (_, n) => n + 1));
});

test("a program whose access log cannot be written serves, and says in the end what is lost", async () => {
  await using proxy = await Proxy.start(ANSWERING, {
    args: ["-w", "1"],
    setup: "exec >/dev/full",
  });
  await visit(proxy, 3);
  await proxy.log.find(/warn Access log: Cannot write .* No space left on/);
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  await proxy.log.ended;
  assertEquals(proxy.log.count("Access log: Cannot write"), 1);
  assertEquals(
    proxy.log.count("Access log: 3 lines could not be written"),
    1,
  );
});

test("an access log that is a pipe needs a reader, or the program does not start", async () => {
  await using folder = await Folder.make({ [ROUTER]: ANSWERING });
  const pipe = folder.file("pipe");
  assertEquals((await run(["mkfifo", pipe])).code, 0);
  const program = [
    ...programWith(`--allow-write=${folder.path}`),
    ...["-c", folder.file(ROUTER), "-h", "127.0.0.1", "-p", "0"],
    ...["--access-log", pipe],
  ];
  assertEquals(await run(program), {
    code: 2,
    stdout: "",
    stderr:
      `proxymachine: Cannot open the access log ${pipe}: it must be opened within 5 seconds, so a pipe needs a reader\n`,
  });
});

test("HUP goes on with the access log when a pipe in its place has no reader", async () => {
  await using folder = await Folder.make();
  const file = folder.file("access.log");
  await using proxy = await Proxy.start(ANSWERING, {
    program: programWith(`--allow-write=${folder.path}`),
    args: ["-w", "1", "--log-format", "json", "--access-log", file],
  });
  await Deno.rename(file, folder.file("before"));
  assertEquals((await run(["mkfifo", file])).code, 0);
  proxy.kill("SIGHUP");
  await proxy.log.find("so a pipe needs a reader; going on with the file");
  await visit(proxy, 1);
  proxy.kill("SIGTERM");
  assertEquals((await proxy.status).code, 0);
  const lines = await Deno.readTextFile(folder.file("before"));
  assertEquals(idsOf(lines.trimEnd().split("\n")), [1]);
});
