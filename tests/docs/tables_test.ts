import { assert, assertEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { unusedPort } from "../support/ports.ts";
import { programWith } from "../support/program.ts";
import { need, run } from "../support/run.ts";
import { test } from "../support/test.ts";
import { Authority } from "../support/tls.ts";
import { type Block, blocksOf, readPages } from "./pages.ts";

const BLOCKS = readPages().flatMap(blocksOf);
const TABLES = BLOCKS.filter(({ language, notes }) =>
  language === "yaml" && notes.length === 0
);

/** The only one of its kind. */
function only(language: string, note?: string): Block {
  const found = BLOCKS.filter((block) =>
    block.language === language && block.notes[0] === note
  );
  assertEquals(found.length, 1, `${language} ${note ?? ""}`);
  return found[0] as Block;
}

/** A folder with all that the tables of the manual name. */
async function folderOf(block: Block, authority: Authority): Promise<Folder> {
  const { cert, key } = await authority.issue({ names: "DNS:site.example" });
  const saved = BLOCKS.filter(({ page, file }) =>
    page === block.page && file !== undefined
  ).map(({ file, code }) => [file, code]);
  return await Folder.make({
    ...Object.fromEntries(saved),
    "site.pem": await Deno.readTextFile(cert),
    "site.key": await Deno.readTextFile(key),
    "authority.pem": authority.pem,
    secret: "the password of Redis",
    "routes.yaml": isWhole(block.code)
      ? block.code
      : `${block.code}default: { close: true }\n`,
  });
}

/** Whether it says what to do with clients; otherwise it shows a part only. */
function isWhole(code: string): boolean {
  return /^(routes|default|router):/m.test(code);
}

test("every table in the manual is right", async () => {
  assert(TABLES.length > 10, `only ${TABLES.length} tables`);
  await using authority = await Authority.make();
  for (const block of TABLES) {
    await using folder = await folderOf(block, authority);
    const { code, stderr } = await run([
      ...programWith("--allow-write"),
      "-c",
      folder.file("routes.yaml"),
      "--check",
    ]);
    assertEquals(stderr, "", block.place);
    assertEquals(code, 0, block.place);
  }
});

test("the wrong table in the manual has the mistakes that stand below it", async () => {
  const wrong = only("yaml", "wrong");
  const said = BLOCKS[BLOCKS.indexOf(wrong) + 1] as Block;
  await using folder = await Folder.make({ "routes.yaml": wrong.code });
  const [deno = "", ...args] = programWith();
  const { code, stderr } = await new Deno.Command(deno, {
    args: [...args, "-c", "routes.yaml"],
    cwd: folder.path,
  }).output();
  assertEquals(code, 2);
  assertEquals(new TextDecoder().decode(stderr), said.code);
});

test("Prometheus takes its configuration in the manual", async () => {
  await using folder = await Folder.make({
    "prometheus.yml": only("yaml", "prometheus").code
      .replace("/etc/prometheus/proxymachine-token", "token"),
    token: "0123456789abcdef",
  });
  const promtool = need("promtool", "prometheus");
  const { code, stdout, stderr } = await run([
    promtool,
    ...["check", "config", folder.file("prometheus.yml")],
  ]);
  assertEquals(code, 0, stdout + stderr);
});

test("HAProxy takes its configuration in the manual", async () => {
  await using folder = await Folder.make({
    "haproxy.cfg": only("haproxy").code,
  });
  const haproxy = need("/usr/sbin/haproxy", "haproxy");
  const { code, stdout, stderr } = await run([
    haproxy,
    ...["-c", "-f", folder.file("haproxy.cfg")],
  ]);
  assertEquals(code, 0, stdout + stderr);
});

/** Whether a program is installed that the tests do not install. */
function isInstalled(program: string): boolean {
  return new Deno.Command("sh", {
    args: ["-c", `command -v "$0" >/dev/null`, program],
  }).outputSync().success;
}

const STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so";

Deno.test({
  name: "nginx takes its configuration in the manual (if it is installed)",
  ignore: !isInstalled("/usr/sbin/nginx") || !isInstalled(STREAM),
  async fn() {
    await using folder = await Folder.make({});
    await Deno.writeTextFile(
      folder.file("nginx.conf"),
      `load_module ${STREAM};
pid ${folder.file("pid")};
error_log stderr;
events {}
${
        only("nginx").code.replace(
          "listen 443",
          `listen 127.0.0.1:${unusedPort()}`,
        )
      }`,
    );
    const { code, stderr } = await run([
      "/usr/sbin/nginx",
      ...["-t", "-p", folder.path, "-c", folder.file("nginx.conf")],
    ]);
    assertEquals(code, 0, stderr);
  },
});

Deno.test({
  name: "sslh takes its configuration in the manual (if it is installed)",
  ignore: !isInstalled("/usr/sbin/sslh-select"),
  async fn() {
    await using folder = await Folder.make({
      // it has no option for a check: it listens until it is ended
      "sslh.cfg": `foreground: true;\n${
        only("sslh").code.replace('"0.0.0.0"', '"127.0.0.1"')
          .replace('"443"', `"${unusedPort()}"`)
      }`,
    });
    const child = new Deno.Command("/usr/sbin/sslh-select", {
      args: ["-v", `-F${folder.file("sslh.cfg")}`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const said = new Lines(child.stderr);
    try {
      await said.find(/^sslh-select .* started$/);
    } finally {
      child.kill("SIGKILL");
      await child.status;
      await said.ended;
    }
  },
});

Deno.test({
  name: "Ruby takes the original's routers in the manual (if it is installed)",
  ignore: !isInstalled("ruby"),
  async fn() {
    const blocks = BLOCKS.filter(({ language }) => language === "rb");
    assertEquals(blocks.length, 2);
    for (const { code, place } of blocks) {
      await using folder = await Folder.make({ "router.rb": code });
      const checked = await run(["ruby", "-c", folder.file("router.rb")]);
      assertEquals(checked.code, 0, `${place}: ${checked.stderr}`);
    }
  },
});
