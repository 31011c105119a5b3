/**
 * Permissions: what the program needs for itself, and what is handed to the
 * workers, in which the router runs.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Options } from "../options/options.ts";
import { ConfigError } from "../lib/config_error.ts";
import {
  formatAddress,
  type HostPort,
  type SocketPath,
} from "../net/address.ts";
import { tableSockets } from "../routes/socket_paths.ts";
import type { Grant } from "../options/kinds.ts";
import type { RouterSource } from "./router_source.ts";

/** The folder of the program's own modules, or `undefined` if they are remote. */
const OWN_FOLDER = import.meta.url.startsWith("file:")
  ? dirname(dirname(fileURLToPath(import.meta.url)))
  : undefined;

/** The program as it is named on a command line. */
const MAIN = import.meta.url.startsWith("file:")
  ? fileURLToPath(new URL("../../main.ts", import.meta.url))
  : new URL("../../main.ts", import.meta.url).href;

/** What a worker gets, and what it gives up when the router is loaded. */
export interface Sandbox {
  /** The permissions that a worker is started with. */
  readonly permissions: Deno.PermissionOptionsObject;
  /** The paths that it may read no more once the router is loaded. */
  readonly revokeRead: readonly string[];
  /** The paths that the router may read for good; `undefined`: all. */
  readonly mayRead: readonly string[] | undefined;
}

/**
 * Makes sure that the program has the permissions that the options need: asks
 * for those that are missing where there is a terminal to ask at.
 *
 * @param router The router, if it is known already.
 * @param mayAsk Whether to ask at the terminal.
 * @throws {ConfigError} If one is missing; the message has the command to run.
 */
export async function requirePermissions(
  options: Options,
  router?: RouterSource,
  mayAsk = true,
): Promise<void> {
  const needs = needed(options, router);
  let missing: string | undefined;
  for (const { descriptor, flag } of needs) {
    const { state } = mayAsk
      ? await Deno.permissions.request(descriptor)
      : await Deno.permissions.query(descriptor);
    if (state !== "granted") missing ??= flag;
  }
  if (missing === undefined) return;
  if (Deno.build.standalone) {
    throw new ConfigError(
      `Cannot start without ${missing}: this executable was built without it`,
    );
  }
  const command = [
    "deno",
    "run",
    "--no-prompt",
    ...mergeFlags(needs.map(({ flag }) => flag)),
    MAIN,
    ...Deno.args,
  ];
  throw new ConfigError(
    `Cannot start without ${missing}: run ${command.map(quote).join(" ")}`,
  );
}

/** Writes an argument as a shell reads it. */
function quote(argument: string): string {
  return /^[\w./:,=@%+-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A permission, and the flag that grants it. */
interface Need {
  readonly descriptor: Deno.PermissionDescriptor;
  readonly flag: string;
}

function needed(options: Options, router: RouterSource | undefined): Need[] {
  const { grants } = options;
  const { admin } = options;
  const needs: Need[] = [
    ...options.listen,
    ...admin === undefined ? [] : [admin],
  ].flatMap(listening);
  const read = (path: string) =>
    needs.push({
      descriptor: { name: "read", path },
      flag: `--allow-read=${path}`,
    });
  if (OWN_FOLDER !== undefined) read(OWN_FOLDER);
  if (options.config !== "-") read(dirname(resolve(options.config)));
  if (admin?.tokenFile !== undefined) read(resolve(admin.tokenFile));
  // that of a table may be in another folder
  if (router?.url?.startsWith("file:")) {
    read(dirname(fileURLToPath(router.url)));
  }
  for (const { tls } of options.listen) {
    for (const { certFile, keyFile } of tls?.certificates ?? []) {
      read(certFile);
      read(keyFile);
    }
  }
  if (options.accessLog !== "-" && options.accessLog !== "off") {
    const path = resolve(options.accessLog);
    needs.push({
      descriptor: { name: "write", path },
      flag: `--allow-write=${path}`,
    });
  }
  for (const path of grantedSockets(options, router)) {
    needs.push(
      {
        descriptor: { name: "net", host: `unix:${path}` },
        flag: `--allow-net=unix:${path}`,
      },
      ...fileAccess(path),
    );
  }
  // what the router is granted, the program must have itself
  needs.push(
    ...granted(grants.net ?? false, "net", (host) => ({ name: "net", host })),
    ...granted(grants.read, "read", (path) => ({
      name: "read",
      path: resolve(path),
    })),
    ...granted(grants.env, "env", (variable) => ({ name: "env", variable })),
    ...granted(grants.import, "import", (host) => ({ name: "import", host })),
  );
  return needs;
}

function granted(
  grant: Grant,
  name: "net" | "read" | "env" | "import",
  describe: (item: string) => Deno.PermissionDescriptor,
): Need[] {
  if (grant === false) return [];
  if (grant === true) {
    return [{ descriptor: { name }, flag: `--allow-${name}` }];
  }
  return grant.map((item) => ({
    descriptor: describe(item),
    flag: `--allow-${name}=${name === "read" ? resolve(item) : item}`,
  }));
}

/** What it takes to listen. */
function listening(listener: HostPort | SocketPath): Need[] {
  const flag = "--allow-net";
  // a socket file is made at another path, and then moved
  if ("path" in listener) {
    return [
      { descriptor: { name: "net" }, flag },
      ...fileAccess(dirname(listener.path)),
    ];
  }
  // a port that is not known yet may be any
  const host = listener.port === 0
    ? formatAddress(listener).replace(/:0$/, "")
    : formatAddress(listener);
  return [{ descriptor: { name: "net", host }, flag }];
}

/** The runtime asks for both of who connects to a socket file. */
function fileAccess(path: string): Need[] {
  return (["read", "write"] as const).map((name) => ({
    descriptor: { name, path },
    flag: `--allow-${name}=${path}`,
  }));
}

/**
 * Lists the socket files that the router may connect to.
 *
 * @param router The router, if it is known already.
 * @returns The paths that are granted and, unless a list of hosts is granted,
 * which then holds for all, those that the route table names.
 */
export function grantedSockets(
  { grants }: Options,
  router: RouterSource | undefined,
): readonly string[] {
  const named = router?.table === undefined || Array.isArray(grants.net)
    ? []
    : tableSockets(router.table);
  return [...new Set([...grants.unix, ...named])];
}

/** Makes one flag of several for the same kind of permission. */
function mergeFlags(flags: readonly string[]): string[] {
  const merged = new Map<string, Set<string>>();
  for (const flag of flags) {
    const [name = "", value] = flag.split("=", 2);
    const values = merged.get(name) ?? new Set();
    if (value !== undefined) values.add(value);
    merged.set(name, values);
  }
  return [...merged].map(([name, values]) =>
    values.size === 0 || flags.includes(name)
      ? name
      : `${name}=${[...values].join(",")}`
  );
}

/**
 * Builds the sandbox of the workers.
 *
 * @param options The options, whose permissions the program has.
 * @param router The router to be loaded.
 * @param bindPaths Where it is to make socket files.
 * @returns Permissions: the network, or what of it the options grant; reading
 * the program's folder, and that of the router's module if there is one, while
 * loading; the socket files that it connects to; what else is granted.
 */
export function sandbox(
  options: Options,
  router: RouterSource,
  bindPaths: readonly string[] = [],
): Sandbox {
  const { grants } = options;
  const loading = OWN_FOLDER === undefined ? [] : [OWN_FOLDER];
  if (router.url?.startsWith("file:")) {
    loading.push(dirname(fileURLToPath(router.url)));
  }
  const read = listed(grants.read).map((path) => resolve(path));
  const sockets = grantedSockets(options, router);
  // the workers listen, too
  const listen = [
    ...options.listen.filter((one) => !("path" in one)),
    ...bindPaths.map((path) => ({ path })),
  ].map(formatAddress);
  const files = [...sockets, ...bindPaths];
  return {
    permissions: {
      net: grants.net === undefined || grants.net === true
        ? "inherit"
        : [...listed(grants.net), ...listen],
      read: grants.read === true ? true : [...loading, ...read, ...files],
      env: mutable(grants.env),
      import: mutable(grants.import),
      write: files.length > 0 && files,
      run: false,
      ffi: false,
      sys: false,
    },
    mayRead: grants.read === true ? undefined : read,
    // giving up a folder would take the grants of all folders above it along
    revokeRead: grants.read === true
      ? []
      : loading.filter((path) => !read.some((above) => isWithin(path, above))),
  };
}

function mutable(grant: Grant): boolean | string[] {
  return typeof grant === "boolean" ? grant : [...grant];
}

function listed(grant: Grant): readonly string[] {
  return typeof grant === "boolean" ? [] : grant;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder ||
    path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
