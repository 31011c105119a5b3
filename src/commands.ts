/**
 * What the program can do: run, check, dry-run, and print about itself.
 *
 * @module
 */
import {
  type Command,
  ConfigError,
  type Grant,
  type Options,
  type Settings,
} from "./cli.ts";
import { completions } from "./completions.ts";
import { describeTable } from "./config/describe.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { formatAddress } from "./connection/address.ts";
import type { ListenOptions } from "./connection/listener.ts";
import type { ListenTls } from "./connection/tls_server.ts";
import { HELP, VERSION } from "./help.ts";
import type { RouterSource } from "./messages.ts";
import { describePool } from "./pool/plan.ts";
import type { PoolReport } from "./pool/share.ts";
import { Gauges } from "./observe/gauges.ts";
import { Outputs } from "./observe/outputs.ts";
import { DECLARATIONS } from "./declarations.ts";
import { grantedSockets, sandbox } from "./sandbox.ts";
import { Supervisor } from "./supervisor.ts";
import { WorkerThread } from "./worker_thread.ts";

/**
 * Does what the command line says.
 *
 * @param command The parsed command line.
 * @param parse Parses the command line once more, with the settings of a route
 * table as defaults.
 * @returns The exit status.
 * @throws {ConfigError} And other errors with a message for the operator.
 */
export async function execute(
  command: Command,
  parse: (settings: Settings) => Command,
): Promise<number> {
  switch (command.kind) {
    case "help":
      await print(HELP);
      return 0;
    case "version":
      await print(`proxymachine ${VERSION}\n`);
      return 0;
    case "types":
      await print(DECLARATIONS);
      return 0;
    case "completions":
      await print(completions(command.shell));
      return 0;
  }
  const { kind, options: initial } = command;
  const read = (mayAsk: boolean) => readConfiguration(initial, parse, mayAsk);
  const configuration = await read(true);
  if (kind === "run") return await run(configuration, () => read(false));
  const { options, router } = configuration;
  return await withWorker(options, router, async (worker, hooks) => {
    if (command.kind !== "dry-run") {
      await print(describeConfiguration(options, router, hooks, worker.pools));
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
): Promise<number> {
  const { options } = configuration;
  const gauges = new Gauges(options.maxConnections);
  const outputs = await Outputs.open(
    options,
    (lines) => gauges.counters.add("lines-dropped", lines),
  );
  const supervisor = new Supervisor(configuration, reread, outputs, gauges);
  try {
    return await supervisor.run(await supervisor.start());
  } finally {
    await outputs.flush();
  }
}

/** Loads the router in one worker, for as long as the action takes. */
async function withWorker(
  options: Options,
  router: RouterSource,
  action: (worker: WorkerThread, hooks: readonly string[]) => Promise<number>,
): Promise<number> {
  const limits = sandbox(options, router);
  const worker = new WorkerThread(limits, "worker", (batch) => {
    for (const [, text] of batch.log) console.error(`proxymachine: ${text}`);
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
      `Cannot read the bytes of --dry-run from ${file}: ${message(error)}`,
      { cause: error },
    );
  }
}

/** What `--check` prints. */
function describeConfiguration(
  options: Options,
  router: RouterSource,
  hooks: readonly string[],
  pools: readonly PoolReport[],
): string {
  const { connection, grants } = options;
  const { table, url } = router;
  return [
    ...table === undefined
      ? [`router       ${router.name}: ${hooks.join(", ")}`]
      : [
        `table        ${table.file}: ${table.routes.length} routes`,
        ...describeTable(table, url && router.name)
          .map((line) => `             ${line}`),
      ],
    ...pools.map((pool) => `pool         ${describePool(pool)}`),
    `listen       ${options.listen.map(describeListener).join(", ")}`,
    `workers      ${options.workers}`,
    `preread      at most ${connection.maxPreread} bytes and ${
      connection.prereadTimeout / 1000
    } seconds`,
    `half-close   at most ${
      connection.halfCloseTimeout / 1000
    } seconds without progress`,
    `idle         ${describeLimit(connection.idleTimeout)}`,
    `duration     ${describeLimit(connection.maxDuration)}`,
    `connections  ${
      options.maxConnections === undefined
        ? "as many as there are file descriptors for"
        : `at most ${options.maxConnections}`
    }`,
    `per address  ${describeAddresses(options.addresses)}`,
    `permissions  net: ${
      describeNet(grants.net ?? true, grantedSockets(options, router))
    }; read: ${describeGrant(grants.read)}; env: ${
      describeGrant(grants.env)
    }; import: ${describeGrant(grants.import)}`,
    `access log   ${
      options.accessLog === "-" ? "standard output" : options.accessLog
    }`,
    "",
  ].join("\n");
}

function describeListener(listener: ListenOptions): string {
  const { acceptProxy, name, tls } = listener;
  const address = formatAddress(listener);
  const mode = "mode" in listener && listener.mode !== undefined
    ? ` mode ${listener.mode.toString(8).padStart(3, "0")}`
    : "";
  const parts = [`${address}${name === address ? "" : ` (${name})`}${mode}`];
  if (acceptProxy !== undefined) {
    const peers = acceptProxy === true ? "any peer" : acceptProxy.join(" | ");
    parts.push(`with a PROXY header of ${peers}`);
  }
  if (tls !== undefined) parts.push(describeTls(tls));
  return parts.join(" ");
}

function describeTls({ alpn, certificates }: ListenTls): string {
  const names = certificates.map(({ certFile, names }) =>
    names.join(" | ") || certFile
  );
  const protocols = alpn.length === 0 ? "" : ` (${alpn.join(" | ")})`;
  return `with TLS${protocols} for ${names.join(" | ")}`;
}

/** Socket files are no part of "all". */
function describeNet(net: Grant, sockets: readonly string[]): string {
  if (typeof net !== "boolean") return describeGrant(net);
  return [describeGrant(net), ...sockets.map((path) => `unix:${path}`)].join();
}

function describeAddresses(
  { maxConnectionsPerIp, rateLimit }: Options["addresses"],
): string {
  const limits = [
    ...maxConnectionsPerIp === 0
      ? []
      : [`at most ${maxConnectionsPerIp} connections`],
    ...rateLimit === undefined ? [] : [
      `at most ${rateLimit.perSecond} new ones per second, ${rateLimit.burst} at a time`,
    ],
  ];
  return limits.length === 0 ? "no limit" : limits.join("; ");
}

function describeLimit(milliseconds: number): string {
  return milliseconds === 0
    ? "no limit"
    : `at most ${milliseconds / 1000} seconds`;
}

function describeGrant(grant: Grant): string {
  if (grant === true) return "all";
  return grant === false ? "none" : grant.join(",");
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await Deno.stdout.write(bytes.subarray(at));
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
