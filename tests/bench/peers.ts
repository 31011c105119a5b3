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
  /** Write one line per connection to a file; only this proxy is asked for that. */
  accessLog?: boolean;
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
  /** Starts it, or gives `undefined` if clients talk to the backend themselves. */
  start(stage: Stage, setup: Setup): Child | undefined;
  /** What to install, if something is missing. */
  missing?(): string | undefined;
}

/** A peer that runs, or the backend in its place if there is no proxy between. */
export interface Running {
  /** Where clients connect to. */
  port: number;
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
      missing: () => needs("haproxy", "haproxy"),
    },
    {
      name: "haproxy-lua",
      label: "HAProxy + Lua",
      programmable: true,
      start: (stage, setup) => startHaproxy(stage, setup, true),
      missing: () => needs("haproxy", "haproxy"),
    },
    {
      name: "nginx",
      label: "nginx stream",
      programmable: false,
      start: (stage, setup) => startNginx(stage, setup, false),
      missing: () =>
        needs("nginx", "nginx") ??
          lacks("ngx_stream_module", "libnginx-mod-stream"),
    },
    {
      name: "nginx-njs",
      label: "nginx stream + njs",
      programmable: true,
      start: (stage, setup) => startNginx(stage, setup, true),
      missing: () =>
        needs("nginx", "nginx") ??
          lacks("ngx_stream_module", "libnginx-mod-stream") ??
          lacks("ngx_stream_js_module", "libnginx-mod-stream-js"),
    },
    {
      name: "naive",
      label: "Deno with pipeTo",
      programmable: true,
      start: startNaive,
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
      cpu: () => 0,
      memory: () => none,
      kill: () => Promise.resolve(),
      terminate: () => Promise.resolve(),
    };
  }
  await stage.listening(child, setup.port);
  return {
    port: setup.port,
    cpu: () => {
      const reason = child.ended();
      if (reason !== undefined) {
        throw new Error(`${peer.label} ended: ${reason}`);
      }
      return cpuMicros(child.pid);
    },
    memory: () => memory(child.pid),
    kill: () => child.kill(),
    terminate: () => child.terminate(15),
  };
}

/** Debian's package for a program that cannot be found. */
export function needs(program: string, pkg: string): string | undefined {
  try {
    new Deno.Command(program, { args: ["-v"], stdout: "null", stderr: "null" })
      .outputSync();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return pkg;
    throw error;
  }
}

function lacks(module: string, pkg: string): string | undefined {
  return hasModule(module) ? undefined : pkg;
}

function startNaive(stage: Stage, setup: Setup): Child {
  const router = stage.write(
    `${setup.port}.ts`,
    typescriptRouter(setup.routing, setup.backend),
  );
  const program = new URL("./peers/naive.ts", import.meta.url).pathname;
  const run = [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    program,
  ];
  return stage.spawn("naive", [...run, router, String(setup.port)]);
}

function commandFrom(variable: string): string[] | undefined {
  const words = Deno.env.get(variable)?.trim().split(/\s+/);
  return words === undefined || words[0] === "" ? undefined : words;
}
