import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { need, run } from "../support/run.ts";
import { test } from "../support/test.ts";
import { PACKAGES } from "../support/paths.ts";

const SCRIPT = join(PACKAGES, "openrc", "proxymachine");

test("shellcheck finds no fault with the script for OpenRC", async () => {
  const shellcheck = need("shellcheck", "shellcheck");
  assertEquals(await run([shellcheck, "-s", "sh", SCRIPT]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

test("the script for OpenRC checks the configuration as the program wants it", async () => {
  // what openrc-run brings, and a program that shows what it is called with
  const { stdout, code } = await run([
    "sh",
    "-c",
    `ebegin() { :; }
     eend() { return "$1"; }
     checkpath() { :; }
     show() { printf '<%s>' "$@" >&2; }
     options="-p 8080"
     . "$0"
     command=show
     start_pre 2>&1
     echo; echo "$command_args"`,
    SCRIPT,
  ]);
  assertEquals(
    stdout,
    "<-c></etc/proxymachine/router.ts><-p><8080><--check>\n" +
      "-c /etc/proxymachine/router.ts -p 8080\n",
  );
  assertEquals(code, 0);
});
