/**
 * Everything that is compared, and how each is started.
 *
 * @module
 */

import { cpuMicros, memory } from "./proc.ts";
import type { Memory } from "./proc.ts";
import type { Child, Stage } from "./stage.ts";
import { startHaproxy } from "./peers/haproxy.ts";
import { hasModule, startNginx } from "./peers/nginx.ts";
import { defaultCommand, startProxymachine } from "./peers/proxymachine.ts";
import { typescriptRouter } from "./peers/routers.ts";
import type { Routing } from "./peers/routers.ts";

/** What a peer is started with. */
export interface Setup {
  port: number;
  /** Address of the server behind it, as `host:port`. */
  backend: string;
  routing: Routing;
  /**
   * Write one line per connection to a file; only this proxy is asked for that.
   */
  accessLog?: boolean;
  /** Count what the admin server shows; only this proxy is asked for that. */
  admin?: boolean;
  /** Worker threads of this proxy. */
  workers?: number;
}

/** One of the programs that are compared. */
export interface Peer {
  name: string;
  /** For people, in tables and pictures. */
  label: string;
  /** Does it look at the first bytes of a connection? */
  programmable: boolean;
  /**
   * Starts it, or gives `undefined` if clients talk to the backend themselves.
   */
  start(stage: Stage, setup: Setup): Child | undefined;
  /** Debian's packages that it takes and that are not installed. */
  missing?(): string[];
}

/**
 * A peer that runs, or the backend in its place if there is no proxy between.
 */
export interface Running {
  /** Where clients connect to. */
  port: number;
  /** How and why it ended, or `undefined` while it runs. */
  ended(): string | undefined;
  /** CPU time used so far, in microseconds; 0 without a proxy. */
  cpu(): number;
  memory(): Memory;
  kill(): Promise<void>;
  /** Stops it as a user would, so that it can write what it has to. */
  terminate(): Promise<void>;
}

/** Options for `deno run` with which to start this proxy; for its profile. */
export interface PeerOptions {
  denoFlags?: readonly string[];
}

/** All peers, this proxy first. */
export function allPeers(options: PeerOptions = {}): Peer[] {
  const own = commandFrom("PROXYMACHINE_CMD") ?? defaultCommand();
  const other = commandFrom("PROXYMACHINE_OTHER_CMD");
  const proxymachine = (
    name: string,
    label: string,
    command: readonly string[],
  ): Peer => ({
    name,
    label,
    programmable: true,
    start: (stage, setup) =>
      startProxymachine(stage, setup, command, options.denoFlags),
  });
  return [
    proxymachine("proxymachine", "proxymachine", own),
    ...(other === undefined
      ? []
      : [proxymachine("other", "proxymachine (other)", other)]),
    {
      name: "haproxy",
      label: "HAProxy",
      programmable: false,
      start: (stage, setup) => startHaproxy(stage, setup, false),
      missing: () => needs("haproxy"),
    },
    {
      name: "haproxy-lua",
      label: "HAProxy + Lua",
      programmable: true,
      start: (stage, setup) => startHaproxy(stage, setup, true),
      missing: () => needs("haproxy"),
    },
    {
      name: "nginx",
      label: "nginx stream",
      programmable: false,
      start: (stage, setup) => startNginx(stage, setup, false),
      missing: () => needsNginx("stream"),
    },
    {
      name: "nginx-njs",
      label: "nginx stream + njs",
      programmable: true,
      start: (stage, setup) => startNginx(stage, setup, true),
      missing: () => needsNginx("stream", "stream_js"),
    },
    {
      name: "naive",
      label: "Deno with pipeTo",
      programmable: true,
      start: (stage, setup) => startOnDeno(stage, setup, "naive"),
    },
    {
      name: "floor",
      label: "Deno, nothing but the sockets",
      programmable: true,
      start: (stage, setup) => startOnDeno(stage, setup, "floor"),
    },
    {
      name: "direct",
      label: "no proxy",
      programmable: false,
      start: () => undefined,
    },
  ];
}

/** Starts a peer and waits until it listens. */
export async function startPeer(
  stage: Stage,
  peer: Peer,
  setup: Setup,
): Promise<Running> {
  const child = peer.start(stage, setup);
  if (child === undefined) {
    const port = Number(setup.backend.split(":")[1]);
    const none = { rss: 0, anon: 0 };
    return {
      port,
      ended: () => undefined,
      cpu: () => 0,
      memory: () => none,
      kill: () => Promise.resolve(),
      terminate: () => Promise.resolve(),
    };
  }
  await stage.listening(child, setup.port);
  return {
    port: setup.port,
    ended: () => child.ended(),
    cpu: () => cpuMicros(child.pid),
    memory: () => memory(child.pid),
    kill: () => child.kill(),
    terminate: () => child.terminate(15),
  };
}

/**
 * Those of some programs that cannot be found; Debian's packages have the same
 * names.
 */
export function needs(...programs: string[]): string[] {
  return programs.filter((program) => {
    try {
      new Deno.Command(program, {
        args: ["-v"],
        stdout: "null",
        stderr: "null",
      }).outputSync();
      return false;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
      throw error;
    }
  });
}

/**
 * nginx and those of its modules that cannot be found, as Debian's packages.
 */
function needsNginx(...modules: string[]): string[] {
  const program = needs("nginx");
  const lacking = modules.filter((name) =>
    program.length > 0 || !hasModule(`ngx_${name}_module`)
  );
  return [
    ...program,
    ...lacking.map((name) => `libnginx-mod-${name.replace("_", "-")}`),
  ];
}

/** A program of this folder that takes a router module and a port. */
function startOnDeno(
  stage: Stage,
  setup: Setup,
  name: "naive" | "floor",
): Child {
  const router = stage.write(
    `${setup.port}.ts`,
    typescriptRouter(setup.routing, setup.backend),
  );
  const program = new URL(`./peers/${name}.ts`, import.meta.url).pathname;
  const run = [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    program,
  ];
  return stage.spawn(name, [...run, router, String(setup.port)]);
}

function commandFrom(variable: string): string[] | undefined {
  const words = Deno.env.get(variable)?.trim().split(/\s+/);
  return words === undefined || words[0] === "" ? undefined : words;
}
