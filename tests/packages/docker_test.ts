import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "node:path";
import { validate } from "dockerfile-utils";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { ROOT } from "../support/paths.ts";
import { PROGRAM } from "../support/program.ts";
import { need, run } from "../support/run.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { test } from "../support/test.ts";
import { PACKAGES } from "../support/paths.ts";

const FILE = join(PACKAGES, "docker", "Dockerfile");
const TEXT = await Deno.readTextFile(FILE);

/** The executable, if that is what is tested. */
const EXECUTABLE = Deno.env.get("PROXYMACHINE_EXECUTABLE");

/** Debian's packages whose libraries are in the image "cc". */
const IN_IMAGE = ["libc6", "libgcc-s1", "libstdc++6"];

/** The arguments of an instruction, each time that it is there. */
function instructions(name: string): string[] {
  return TEXT.split("\n").filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1));
}

/** The libraries that an executable is linked with, and its loader. */
async function libraries(executable: string): Promise<string[]> {
  const { stdout } = await run([need("ldd", "libc-bin"), executable]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "");
}

Deno.test("the linter finds no fault with the Dockerfile", () => {
  assertEquals(validate(TEXT), []);
  const broken = TEXT.replace("WORKDIR", "WORKDIRS");
  assertMatch(String(validate(broken)[0]?.message), /WORKDIRS/);
});

test("what the Dockerfile copies is all that the program is made of", async () => {
  const ignored = await Deno.readTextFile(`${FILE}.dockerignore`);
  await using context = await Folder.make({
    "router.js": "export default { route: () => ({ close: true }) };",
  });
  const copied = instructions("COPY")
    .filter((line) => !line.startsWith("--from"))
    .flatMap((line) => line.split(" ").slice(0, -1));
  for (const name of copied.map((name) => name.replace(/\/$/, ""))) {
    assert(ignored.split("\n").includes(`!${name}`), name);
    await run(["cp", "-r", join(ROOT, name), context.path]);
  }
  const { code, stdout, stderr } = await run([
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--frozen",
    "--allow-net",
    "--allow-read",
    context.file("main.ts"),
    "--check",
    "-c",
    context.file("router.js"),
  ]);
  assertEquals(stderr, "");
  assertMatch(stdout, /^router /);
  assertEquals(code, 0);
  const { tasks } = JSON.parse(
    await Deno.readTextFile(context.file("deno.json")),
  );
  const built = /--output (\S+)/.exec(tasks.compile.command)?.[1];
  assert(instructions("COPY").some((line) => line.includes(`/${built} `)));
});

test("the executable needs no library that the image has not", async () => {
  for (const library of await libraries(EXECUTABLE ?? Deno.execPath())) {
    // where /lib is a link to /usr/lib, packages know only one of the names
    const { stdout } = await run([need("dpkg", "dpkg"), "-S", `*${library}`]);
    const owner = stdout.split(":")[0] ?? "";
    assert(IN_IMAGE.includes(owner), `${library} is in ${owner}`);
  }
});

Deno.test({
  name: "the executable serves as the Dockerfile starts it, with nothing else",
  // only root may change what the root is
  ignore: EXECUTABLE === undefined || Deno.uid() !== 0,
  fn: async () => {
    const [[command = ""] = [], [, config = ""] = []] = ["ENTRYPOINT", "CMD"]
      .map((name) => JSON.parse(instructions(name)[0] ?? "[]") as string[]);
    const router = config.replace(/\.ts$/, ".js");
    await using root = await Folder.make({
      [router]: `export default { route: () => ({ close: "bye" }) };`,
    });
    for (const library of await libraries(PROGRAM[0] ?? "")) {
      await Deno.mkdir(root.file(dirname(library)), { recursive: true });
      await Deno.copyFile(library, root.file(library));
    }
    await Deno.mkdir(root.file(dirname(command)), { recursive: true });
    await Deno.copyFile(PROGRAM[0] ?? "", root.file(command));
    await run(["chmod", "-R", "a+rX", root.path]);

    await Deno.mkdir(root.file("proc"));

    const child = new Deno.Command(need("unshare", "util-linux"), {
      args: [
        "--mount",
        "sh",
        "-c",
        `mount -t proc proc "$1/proc" && exec chroot --userspec="$0" "$@"`,
        instructions("USER")[0] ?? "",
        root.path,
        command,
        ...["-c", router, "-h", "127.0.0.1", "-p", "0", "-w", "1"],
      ],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [log, access] = [new Lines(child.stderr), new Lines(child.stdout)];
    try {
      const line = await log.find("Listening on");
      const port = Number(/:(\d+) with/.exec(line)?.[1]);
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await send(client, "hello\n");
      assertEquals(await receiveAll(client), "bye");
      await access.find("end=router-close");
      child.kill(instructions("STOPSIGNAL")[0] as Deno.Signal);
      assertEquals((await child.status).code, 0);
    } finally {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
      await child.status;
      await Promise.all([log.ended, access.ended]);
    }
  },
});
