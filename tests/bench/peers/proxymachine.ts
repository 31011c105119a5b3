/**
 * This proxy, from its sources or as any command that takes the same options.
 *
 * @module
 */

import type { Child, Stage } from "../stage.ts";
import type { Setup } from "../peers.ts";
import { typescriptRouter } from "./routers.ts";

/** The command in the documentation, with this checkout's `main.ts`. */
export function defaultCommand(): string[] {
  const main = new URL("../../../main.ts", import.meta.url).pathname;
  return [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    main,
  ];
}

/**
 * Starts this proxy on `setup.port`.
 *
 * @param command The program and its first arguments.
 * @param denoFlags Options for `deno run`, which must be the command then.
 */
export function startProxymachine(
  stage: Stage,
  setup: Setup,
  command: readonly string[],
  denoFlags: readonly string[] = [],
): Child {
  const router = stage.write(
    `${setup.port}.ts`,
    typescriptRouter(setup.routing, setup.backend),
  );
  const flags = [...denoFlags];
  let accessLog = "off";
  if (setup.accessLog === true) {
    accessLog = `${stage.dir}/${setup.port}.access.log`;
    // An executable has its permissions built in.
    if (command[1] === "run") flags.push(`--allow-write=${stage.dir}`);
  }
  return stage.spawn("proxymachine", [
    ...withFlags(command, flags),
    ...["-c", router, "-h", "127.0.0.1", "-p", String(setup.port)],
    ...[
      "-w",
      String(setup.workers ?? 1),
      "--access-log",
      accessLog,
      "--log-level",
      "error",
      ...setup.admin === true ? ["--admin", "127.0.0.1:0"] : [],
    ],
  ]);
}

function withFlags(
  command: readonly string[],
  flags: readonly string[],
): string[] {
  if (flags.length === 0) return [...command];
  const run = command.indexOf("run");
  if (run === -1) {
    throw new Error(
      `Cannot give ${flags.join(" ")} to \`${
        command.join(" ")
      }\`: no \`deno run\``,
    );
  }
  return command.toSpliced(run + 1, 0, ...flags);
}
