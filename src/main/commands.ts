/**
 * What the program can do: run, check, dry-run, and print about itself.
 *
 * @module
 */
import type { AdminOptions } from "../options/admin.ts";
import type { AdminServer } from "../admin/server.ts";
import type { Command } from "../cli/command_line.ts";
import type { Options, Settings } from "../options/options.ts";
import { completions } from "../cli/completions.ts";
import { ConfigError } from "../lib/config_error.ts";
import {
  type Configuration,
  readConfiguration,
} from "../config/configuration.ts";
import { formatAddress } from "../net/address.ts";
import type { ListenOptions } from "../net/listen.ts";
import { messageOf, oneLine } from "../lib/errors.ts";
import { HELP } from "../cli/help.ts";
import type { RouterSource } from "../config/router_source.ts";
import { VERSION } from "../lib/version.ts";
import { Gauges } from "../stats/gauges.ts";
import { render } from "../log/log.ts";
import { Outputs } from "../log/outputs.ts";
import { boundAddress } from "./known_listeners.ts";
import { sandbox } from "../config/sandbox.ts";
import type { Signals } from "./signals.ts";
import { Supervisor } from "./supervisor.ts";
import { WorkerThread } from "./worker_thread.ts";
import { writeAll } from "../lib/write_all.ts";

/**
 * Does what the command line says.
 *
 * @param parse Parses the command line once more, with the settings of a route
 * table as defaults.
 * @param signals Are handled by what runs.
 * @throws {ConfigError} And other errors with a message for the operator.
 */
export async function execute(
  command: Command,
  parse: (settings: Settings) => Command,
  signals: Signals,
): Promise<number> {
  if (command.kind !== "run") signals[Symbol.dispose]();
  switch (command.kind) {
    case "help":
      await print(HELP);
      return 0;
    case "version":
      await print(`proxymachine ${VERSION}\n`);
      return 0;
    case "types": {
      const { DECLARATIONS } = await import("../cli/declarations.ts");
      await print(DECLARATIONS);
      return 0;
    }
    case "completions":
      await print(completions(command.shell));
      return 0;
  }
  const { kind, options: initial } = command;
  const withSettings = (settings: Settings): Options => {
    const settled = parse(settings);
    return "options" in settled ? settled.options : initial;
  };
  const read = (mayAsk: boolean) =>
    readConfiguration(initial, withSettings, mayAsk);
  const configuration = await read(true);
  if (kind === "run") {
    return await run(configuration, () => read(false), signals);
  }
  const { options, router } = configuration;
  return await withWorker(options, router, async (worker, hooks) => {
    if (command.kind !== "dry-run") {
      // what it needs is loaded by nothing else here
      const { describeConfiguration } = await import("../config/describe.ts");
      const lines = describeConfiguration(
        options,
        router,
        hooks,
        worker.pools,
      );
      await print(lines.map((line) => `${line}\n`).join(""));
      return 0;
    }
    const bytes = await readInput(command.file);
    let text = "";
    const passed = await worker.dryRun(
      bytes,
      options.connection.maxPreread,
      // the router is loaded there, and needs no keys
      { ...options.listen[0] as ListenOptions, tls: undefined },
      (line) => text += `${line}\n`,
    );
    await print(text);
    return passed ? 0 : 2;
  });
}

async function run(
  configuration: Configuration,
  reread: () => Promise<Configuration>,
  signals: Signals,
): Promise<number> {
  const { options } = configuration;
  const gauges = new Gauges(options.maxConnections);
  const outputs = await Outputs.open(
    options,
    (lines) => gauges.counters.add("lines-dropped", lines),
  );
  const supervisor = new Supervisor(configuration, reread, outputs, gauges);
  try {
    using admin = await startAdmin(options.admin, supervisor, outputs);
    const listeners = await supervisor.start(signals);
    if (admin !== undefined) {
      outputs.log.info("Status page at {url}", {
        url: `http://${formatAddress(admin.address)}/`,
      });
    }
    return await supervisor.run(listeners);
  } finally {
    await outputs.flush();
  }
}

/** Comes first, so that probes can see the program start. */
async function startAdmin(
  options: AdminOptions | undefined,
  supervisor: Supervisor,
  outputs: Outputs,
): Promise<AdminServer | undefined> {
  if (options === undefined) return undefined;
  // what it needs is loaded only for those who have one
  const { AdminServer } = await import("../admin/server.ts");
  const server = new AdminServer(options, supervisor, () => outputs.log);
  const tcp = [boundAddress(server.address)];
  supervisor.listeners.add(server, { tcp, paths: [] });
  return server;
}

/** Loads the router in one worker, for as long as the action takes. */
async function withWorker(
  options: Options,
  router: RouterSource,
  action: (worker: WorkerThread, hooks: readonly string[]) => Promise<number>,
): Promise<number> {
  const limits = sandbox(options, router);
  const worker = new WorkerThread(limits, "worker", {
    onLines({ log }) {
      for (const line of log) {
        console.error(`proxymachine: ${oneLine(render(line))}`);
      }
    },
  });
  try {
    return await action(worker, await worker.load(router, limits));
  } finally {
    worker.terminate();
  }
}

async function readInput(file: string): Promise<Uint8Array> {
  try {
    return file === "-"
      ? await new Response(Deno.stdin.readable).bytes()
      : await Deno.readFile(file);
  } catch (error) {
    throw new ConfigError(
      `Cannot read the bytes of --dry-run from ${file}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function print(text: string): Promise<void> {
  await writeAll(Deno.stdout, new TextEncoder().encode(text));
}
