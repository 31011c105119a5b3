import { assertEquals } from "@std/assert";
import { completions } from "../../src/cli/completions.ts";
import { OPTIONS, type Shell, SHELLS } from "../../src/options/rows.ts";
import { Folder } from "../support/folder.ts";
import { need, run } from "../support/run.ts";
import { Terminal } from "../support/terminal.ts";
import { test } from "../support/test.ts";

/** How each shell is started such that nobody's own settings count. */
const INTERACTIVE: Record<Shell, readonly string[]> = {
  bash: ["bash", "--norc", "--noprofile", "-i"],
  zsh: ["zsh", "-f", "-i"],
  fish: ["fish", "--no-config", "--private", "-i"],
};

/**
 * What each shell does first: the program is a function that shows, as one
 * line with a number, what it is called with.
 */
const SETTINGS: Record<Shell, string> = {
  bash: `n=0
proxymachine() { n=$((n+1)); printf 'call %s:' $n; printf ' <%s>' "$@"; echo; }
PS1=$'ready\\n$ '
`,
  zsh: `autoload -Uz compinit && compinit -u -D
n=0
proxymachine() { n=$((n+1)); printf 'call %s:' $n; printf ' <%s>' "$@"; echo; }
PROMPT=$'ready\\n%% '
`,
  fish: `set -g n 0
function proxymachine
  set n (math $n + 1)
  printf 'call %s:' $n; printf ' <%s>' $argv; echo
end
function fish_prompt; echo ready; echo '> '; end
`,
};

/** Keys to press (tabs complete), and what the program is then called with. */
const KEYS: readonly (readonly [keys: string, called: readonly string[]])[] = [
  ["--ch\t", ["--check"]],
  ["--log-level d\t", ["--log-level", "debug"]],
  ["--log-level=d\t", ["--log-level=debug"]],
  ["--completions z\t", ["--completions", "zsh"]],
  ["-c r\t", ["-c", "routes.yaml"]],
  ["--config=r\t", ["--config=routes.yaml"]],
  ["-c i\t", ["-c", "it's here.ts"]],
  ["-c folder/r\t", ["-c", "folder/router.ts"]],
  ["--access-log o\t", ["--access-log", "off"]],
  ["--access-log=r\t", ["--access-log=routes.yaml"]],
  ["--allow-re\t", ["--allow-read"]],
  ["--allow-read --ty\t", ["--allow-read", "--types"]],
  ["--allow-read=r\t", ["--allow-read=routes.yaml"]],
  ["--allow-read=folder,r\t", ["--allow-read=folder,routes.yaml"]],
  ["--port r\t", ["--port", "r"]],
];

/** Makes a folder with the script of a shell, its settings, and some files. */
function makeFolder(shell: Shell): Promise<Folder> {
  return Folder.make({
    "script": completions(shell),
    "settings": SETTINGS[shell],
    "files/routes.yaml": "",
    "files/it's here.ts": "",
    "files/folder/router.ts": "",
  });
}

/** What fish offers for a line. */
async function offers(folder: Folder, line: string): Promise<string[]> {
  const { stdout, stderr } = await run([
    need("fish", "fish"),
    "--no-config",
    "-c",
    `source ${folder.file("script")}; cd ${folder.file("files")}; ` +
    `complete -C ${JSON.stringify(line)}`,
  ]);
  assertEquals(stderr, "");
  return stdout.trimEnd().split("\n");
}

for (const shell of SHELLS) {
  test(`a tab completes options in ${shell}`, async () => {
    need(shell, shell);
    await using folder = await makeFolder(shell);
    await using terminal = new Terminal([
      "env",
      "TERM=dumb",
      ...INTERACTIVE[shell],
    ]);
    await terminal.type(
      `cd ${folder.file("files")}; . ../settings; . ../script\n`,
    );
    for (const [index, [keys, called]] of KEYS.entries()) {
      // keys that come before the prompt are not those of a terminal that waits
      await terminal.screen.findAll(/^\W*ready\r?$/, index + 1);
      await terminal.type(`proxymachine ${keys}\n`);
      const line = await terminal.screen.find(`call ${index + 1}:`);
      assertEquals(
        line.trimEnd().replace(/^.*call \d+: /, ""),
        called.map((word) => `<${word}>`).join(" "),
        `${shell}: ${JSON.stringify(keys)}`,
      );
    }
  });
}

test("bash and fish offer every option", async () => {
  await using folder = await makeFolder("fish");
  const names = OPTIONS.map(({ name }) => `--${name}`);
  const named = (await offers(folder, "proxymachine --"))
    .map((line) => /^--[\w-]+/.exec(line)?.[0]);
  assertEquals(new Set(named), new Set(names));

  await using script = await Folder.make({ "script": completions("bash") });
  const { stdout } = await run([
    "bash",
    "-c",
    `. "$0"; COMP_WORDS=(proxymachine --); COMP_CWORD=1; _proxymachine
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    script.file("script"),
  ]);
  assertEquals(stdout.trimEnd().split("\n"), names);
});

test("fish shows what an option is for", async () => {
  await using folder = await makeFolder("fish");
  assertEquals(await offers(folder, "proxymachine --max-p"), [
    "--max-preread\tread at most this much before the router has decided",
  ]);
  assertEquals(await offers(folder, "proxymachine --log-format="), [
    "--log-format=json\ttext or json, for both logs",
    "--log-format=text\ttext or json, for both logs",
  ]);
});

test("each shell finds no fault with its completions", async () => {
  const checks: Record<Shell, readonly string[]> = {
    bash: [need("shellcheck", "shellcheck"), "-s", "bash"],
    zsh: [need("zsh", "zsh"), "-n"],
    fish: [need("fish", "fish"), "-n"],
  };
  for (const shell of SHELLS) {
    await using folder = await makeFolder(shell);
    const command = [...checks[shell], folder.file("script")];
    assertEquals(await run(command), { code: 0, stdout: "", stderr: "" });
  }
});
