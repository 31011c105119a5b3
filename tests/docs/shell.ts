/**
 * Runs the commands of the manual: the programs in them are found first in a
 * folder of scripts, which start the real ones such that a test can wait for
 * their end.
 *
 * @module
 */
import { join } from "node:path";
import { Folder } from "../support/folder.ts";
import { ROOT } from "../support/paths.ts";
import { type Result, run } from "../support/run.ts";

const DENO = Deno.execPath();

/** Loads what it would serve with, in place of serving. */
const PROXYMACHINE = `#!/bin/bash
for word in "$@"; do
  case $word in
    --check | --dry-run | --types | --help | --version | --completions)
      exec "$PROGRAM" run --no-prompt -A "$CHECKOUT/main.ts" "$@" ;;
  esac
done
if [ -n "$SERVE" ]; then
  exec "$PROGRAM" run --no-prompt -A "$CHECKOUT/main.ts" "$@"
fi
exec "$PROGRAM" run --no-prompt -A "$CHECKOUT/main.ts" "$@" --check
`;

/**
 * Starts the checkout's program with the permissions that the manual says, and
 * makes sure that there are the other tasks; it does not run them, as a test of
 * all tests would never end.
 */
const DENO_SCRIPT = `#!/bin/bash
case "$1 $2" in
  "task start") shift 2; exec proxymachine "$@" ;;
  task\\ *) grep -q "^    \\"$2\\": {" "$CHECKOUT/deno.json" && exit 0
    echo "there is no task $2" >&2; exit 1 ;;
  run\\ *) exec "$PROGRAM" "\${@/#main.ts/$CHECKOUT/main.ts}" --check ;;
esac
echo "deno $1 is not known here" >&2
exit 1
`;

const NPX = `#!/bin/bash
[ "$1 $2" = "-y deno@2.9.6" ] || { echo "not the pinned Deno: $*" >&2; exit 1; }
shift 2
exec deno "$@"
`;

/** Asks the Redis of the test. */
const REDIS_CLI = `#!/bin/bash
exec /usr/bin/redis-cli -e -p "$REDIS_PORT" "$@"
`;

/** Asks the admin server of the test. */
const CURL = `#!/bin/bash
exec /usr/bin/curl -sS --fail --max-time 60 "\${@/127.0.0.1:9901/$ADMIN}"
`;

const SCRIPTS = {
  "bin/proxymachine": PROXYMACHINE,
  "bin/deno": DENO_SCRIPT,
  "bin/npx": NPX,
  "bin/redis-cli": REDIS_CLI,
  "bin/curl": CURL,
};

/**
 * Makes the folder in which commands run.
 *
 * @param files What else is in it.
 */
export async function shellFolder(
  files: Readonly<Record<string, string>>,
): Promise<Folder> {
  const folder = await Folder.make({ ...SCRIPTS, ...files });
  for (const name of Object.keys(SCRIPTS)) {
    await Deno.chmod(folder.file(name), 0o755);
  }
  return folder;
}

/**
 * Runs commands with bash; the first that fails ends it.
 *
 * @param folder Made by {@linkcode shellFolder}.
 * @param code The commands.
 * @param variables More variables of the environment.
 */
export function shell(
  folder: Folder,
  code: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Result> {
  return run([
    "env",
    `PATH=${folder.file("bin")}:${Deno.env.get("PATH")}`,
    `PROGRAM=${DENO}`,
    `CHECKOUT=${ROOT.replace(/\/$/, "")}`,
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    ...[
      "bash",
      "-c",
      `cd "$0" && set -euo pipefail\n${code}`,
      join(folder.path),
    ],
  ]);
}
