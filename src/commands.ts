/**
 * What the program can do: run, check, dry-run, and print about itself.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Command,
  ConfigError,
  type Grant,
  type Options,
  type Settings,
} from "./cli.ts";
import { completions } from "./completions.ts";
import { readAuthorities } from "./config/authorities.ts";
import { describeTable } from "./config/describe.ts";
import type { LoadedTable } from "./config/load.ts";
import { formatAddress } from "./connection/address.ts";
import type { ListenOptions } from "./connection/listener.ts";
import { HELP, VERSION } from "./help.ts";
import type { RouterSource } from "./messages.ts";
import { Gauges } from "./observe/gauges.ts";
import { LineWriter } from "./observe/line_writer.ts";
import { mainLog } from "./observe/main_log.ts";
import { DECLARATIONS } from "./declarations.ts";
import { grantedSockets, requirePermissions, sandbox } from "./sandbox.ts";
import { Supervisor } from "./supervisor.ts";
import { WorkerThread } from "./worker_thread.ts";

/** Milliseconds to wait at the end for a log that is stuck. */
const FLUSH_TIME = 1000;

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
  await requirePermissions(command.options);
  const { config } = command.options;
  const table = /\.ya?ml$/i.test(config) ? await loadTable(config) : undefined;
  // what a table sets is known only now
  const settled = table === undefined ? command : parse(table.settings);
  const options = "options" in settled ? settled.options : command.options;
  const router = await findRouter(config, table);
  checkPlaces(options);
  if (table !== undefined) {
    await requirePermissions(options, router);
  }
  if (command.kind === "run") return await run(options, router);
  return await withWorker(options, router, async (worker, hooks) => {
    if (command.kind !== "dry-run") {
      await print(describeConfiguration(options, router, hooks));
      return 0;
    }
    const bytes = await readInput(command.file);
    let text = "";
    const passed = await worker.dryRun(
      bytes,
      options.connection.maxPreread,
      options.listen[0] as ListenOptions,
      (line) => text += `${line}\n`,
    );
    await print(text);
    return passed ? 0 : 2;
  });
}

async function run(options: Options, router: RouterSource): Promise<number> {
  const gauges = new Gauges(options.maxConnections);
  const onDropped = (lines: number) =>
    gauges.counters.add("lines-dropped", lines);
  const errors = new LineWriter(Deno.stderr, () => {}, onDropped);
  const log = mainLog(options.logLevel, options.logFormat, errors);
  const file = await openAccessLog(options.accessLog);
  const access = file &&
    new LineWriter(
      file,
      (message) => log.warn(`Access log: ${message}`),
      onDropped,
    );
  const supervisor = new Supervisor(options, log, access, gauges);
  try {
    await supervisor.run(await supervisor.start(router));
    return 0;
  } finally {
    await access?.flush(FLUSH_TIME);
    await errors.flush(FLUSH_TIME);
  }
}

async function openAccessLog(
  path: string,
): Promise<Pick<Deno.FsFile, "write"> | undefined> {
  if (path === "off") return undefined;
  if (path === "-") return Deno.stdout;
  try {
    return await Deno.open(path, { append: true, create: true });
  } catch (error) {
    throw new ConfigError(
      `Cannot open the access log ${path}: ${message(error)}`,
      { cause: error },
    );
  }
}

/** Reads a route table. */
async function loadTable(config: string): Promise<LoadedTable> {
  await requireFile(config, "the route table");
  const source = await Deno.readTextFile(config);
  // the packages that read it are loaded only for those who have one
  const { readTable } = await import("./config/load.ts");
  return await readAuthorities(readTable(source, config));
}

/** Every worker waits for a connection at each listener, and has a place. */
function checkPlaces({ workers, maxConnections, listen }: Options): void {
  const least = listen.length * workers;
  // with one queue, any worker that has a place will do
  if (listen.length === 1) return;
  if (maxConnections === undefined || maxConnections >= least) return;
  throw new ConfigError(
    `Cannot use --max-connections as it must be at least the number of listeners times that of workers, ${least}: current value is ${maxConnections}`,
  );
}

/**
 * Finds the router: the module that a table names, or that of the command line;
 * `-` is read from standard input.
 */
async function findRouter(
  config: string,
  loaded: LoadedTable | undefined,
): Promise<RouterSource> {
  if (loaded !== undefined) {
    const { table, router: path } = loaded;
    if (path === undefined) return { name: config, url: undefined, table };
    const name = relative(Deno.cwd(), path);
    await requireFile(path, "the router");
    return { name, url: pathToFileURL(path).href, table };
  }
  if (config === "-") {
    const text = await new Response(Deno.stdin.readable).text();
    const type = "application/typescript;charset=utf-8";
    return {
      name: "from standard input",
      url: `data:${type},${encodeURIComponent(text)}`,
    };
  }
  await requireFile(config, "the router");
  return { name: config, url: pathToFileURL(resolve(config)).href };
}

/** Says in one line, before anything starts, that a file cannot be read. */
async function requireFile(path: string, what: string): Promise<void> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile) throw new Error("it is not a file");
    (await Deno.open(path)).close();
  } catch (error) {
    throw new ConfigError(
      `Cannot read ${what} ${path}: ${
        error instanceof Deno.errors.NotFound
          ? "there is no such file"
          : message(error)
      }`,
      { cause: error },
    );
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
  const { acceptProxy, name } = listener;
  const address = formatAddress(listener);
  const title = name === address ? address : `${address} (${name})`;
  if (acceptProxy === undefined) return title;
  const peers = acceptProxy === true ? "any peer" : acceptProxy.join(" | ");
  return `${title} with a PROXY header of ${peers}`;
}

/** Socket files are no part of "all". */
function describeNet(net: Grant, sockets: readonly string[]): string {
  if (typeof net !== "boolean") return describeGrant(net);
  return [describeGrant(net), ...sockets.map((path) => `unix:${path}`)].join();
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
