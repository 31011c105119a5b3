/**
 * The configuration: the command line, and the file that it names, which may
 * set the rest. Read at the start, and once more at each reload.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { requireToken } from "./admin_token.ts";
import {
  isRouteTable,
  type Options,
  type Settings,
} from "../options/options.ts";
import {
  filesOfListeners,
  readCertificatesOfListeners,
} from "./certificates.ts";
import { ConfigError } from "../lib/config_error.ts";
import { authorityFiles, readAuthorities } from "../routes/authorities.ts";
import type { LoadedRouteTable } from "../routes/load.ts";
import { readRedisFiles, redisFiles } from "../routes/redis_files.ts";
import { whyUnreadable } from "../lib/errors.ts";
import type { RouterSource } from "./router_source.ts";
import { requirePermissions } from "./sandbox.ts";

/** All that is needed to run. */
export interface Configuration {
  readonly options: Options;
  readonly router: RouterSource;
  /** What the operator should know, but need not change. */
  readonly warnings: readonly string[];
  /** What requests to the admin server must have; `undefined`: nothing. */
  readonly adminToken: string | undefined;
  /** The paths of the files that it was read from. */
  readonly files: readonly string[];
}

/** What standard input had: it can be read but once. */
let standardInput: Promise<string> | undefined;

/**
 * Reads the configuration.
 *
 * @param initial The options of the command line.
 * @param parse Parses the command line once more, with the settings of a route
 * table as defaults.
 * @param mayAsk Whether to ask at a terminal for permissions that are missing;
 * not while connections are served.
 * @returns The configuration, checked but for the router module.
 * @throws {ConfigError} If it cannot be used.
 */
export async function readConfiguration(
  initial: Options,
  parse: (settings: Settings) => Options,
  mayAsk: boolean,
): Promise<Configuration> {
  await requirePermissions(initial, undefined, mayAsk);
  const { config } = initial;
  if (!isRouteTable(config)) {
    checkPlaces(initial);
    return {
      ...await readCertificatesOfListeners(initial),
      router: await findModule(config),
      adminToken: await requireToken(initial.admin),
      files: [
        ...config === "-" ? [] : [resolve(config)],
        ...filesOfListeners(initial),
        ...filesOfAdmin(initial),
      ],
    };
  }
  const { table, authorities } = await loadTable(config);
  // what a table sets is known only now
  const options = parse(table.settings);
  const router = await findRouter(config, table);
  checkPlaces(options);
  await requirePermissions(options, router, mayAsk);
  return {
    ...await readCertificatesOfListeners(options),
    router,
    adminToken: await requireToken(options.admin),
    files: [
      resolve(config),
      ...table.router === undefined ? [] : [table.router],
      ...authorities,
      ...filesOfListeners(options),
      ...filesOfAdmin(options),
    ],
  };
}

function filesOfAdmin({ admin }: Options): string[] {
  return admin?.tokenFile === undefined ? [] : [resolve(admin.tokenFile)];
}

/** Reads a route table, and the files that it names. */
async function loadTable(
  config: string,
): Promise<{ table: LoadedRouteTable; authorities: readonly string[] }> {
  await requireFile(config, "the route table");
  const source = await Deno.readTextFile(config);
  // the packages that read it are loaded only for those who have one
  const { readTable } = await import("../routes/load.ts");
  const table = readTable(source, config);
  return {
    table: await readRedisFiles(await readAuthorities(table)),
    authorities: [...authorityFiles(table), ...redisFiles(table)],
  };
}

/** Every worker waits for a connection at each listener, and has a place. */
function checkPlaces({ workers, maxConnections, listen }: Options): void {
  // a socket file has one worker
  const files = listen.filter((one) => "path" in one).length;
  const least = (listen.length - files) * workers + files;
  // with one queue, any worker that has a place will do
  if (listen.length === 1) return;
  if (maxConnections === undefined || maxConnections >= least) return;
  throw new ConfigError(
    `Cannot use --max-connections as it must be at least the number of listeners times that of workers (a socket file has one), ${least}: current value is ${maxConnections}`,
  );
}

/** Finds the router of a table, which may name a module for the rest. */
async function findRouter(
  config: string,
  { table, router: path }: LoadedRouteTable,
): Promise<RouterSource> {
  if (path === undefined) return { name: config, url: undefined, table };
  const name = relative(Deno.cwd(), path);
  await requireFile(path, "the router");
  return { name, url: pathToFileURL(path).href, table };
}

/** Finds the module of the command line; `-` is read from standard input. */
async function findModule(config: string): Promise<RouterSource> {
  if (config === "-") {
    standardInput ??= new Response(Deno.stdin.readable).text();
    const text = await standardInput;
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
      `Cannot read ${what} ${path}: ${whyUnreadable(error)}`,
      { cause: error },
    );
  }
}
