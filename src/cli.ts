/**
 * The command line: options in, checked values out.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { parseNetwork } from "./config/network.ts";
import {
  formatAddress,
  isUnix,
  parsePort,
  parseSocketPath,
} from "./connection/address.ts";
import type { ConnectionOptions } from "./connection/connection.ts";
import type { AcceptProxy, ListenOptions } from "./connection/listener.ts";
import type { Format } from "./observe/access_log.ts";
import { type Level, LEVELS } from "./observe/log.ts";
import {
  FORMATS,
  OPTIONS,
  type Shell,
  SHELLS,
  type Values,
} from "./options.ts";

/** A mistake on the command line or in the configuration: exit status 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** One kind of permission: nothing, everything, or what the list names. */
export type Grant = boolean | readonly string[];

/** What the router may do beside computing. */
export interface Grants {
  /** Hosts to connect to; `undefined`: what the program may. */
  readonly net: Grant | undefined;
  /** Absolute paths of socket files to connect to; no more than that. */
  readonly unix: readonly string[];
  /** Files and folders to read, beside its own folder while it loads. */
  readonly read: Grant;
  /** Environment variables. */
  readonly env: Grant;
  /** Hosts to import modules from. */
  readonly import: Grant;
}

/** What the program is to do. */
export type Command =
  | { readonly kind: "help" | "version" | "types" }
  | { readonly kind: "completions"; readonly shell: Shell }
  | { readonly kind: "run" | "check"; readonly options: Options }
  | {
    readonly kind: "dry-run";
    readonly options: Options;
    /** The file with the bytes; `-` is standard input. */
    readonly file: string;
  };

/** The checked options. */
export interface Options {
  /** A path, or `-`. */
  readonly config: string;
  readonly hostname: string;
  readonly port: number;
  /** The listeners of a route table, in place of `hostname` and `port`. */
  readonly listen?: readonly ListenOptions[];
  /** For all listeners, in place of their own. */
  readonly acceptProxy?: AcceptProxy;
  readonly workers: number;
  /** `undefined`: no limit but that of the file descriptors. */
  readonly maxConnections: number | undefined;
  readonly connection: ConnectionOptions;
  readonly grants: Grants;
  readonly logLevel: Level;
  readonly logFormat: Format;
  /** A path, `-`, or `off`. */
  readonly accessLog: string;
}

/** What a route table sets; an option on the command line wins over it. */
export interface Settings extends Partial<ConnectionOptions> {
  readonly listen?: readonly ListenOptions[] | undefined;
  readonly workers?: number | undefined;
  readonly maxConnections?: number | undefined;
  readonly grants?: Partial<Grants> | undefined;
  readonly logLevel?: Level | undefined;
  readonly logFormat?: Format | undefined;
  readonly accessLog?: string | undefined;
}

/** Limits of the options that are numbers, which hold in route tables, too. */
export const LIMITS = {
  workers: [1, 1024],
  maxConnections: [1, 10_000_000],
  maxPreread: [1, 2 ** 30],
} as const;

/** The most seconds that an option may be. */
export const MAX_SECONDS = 1_000_000;

/**
 * Lists the listeners.
 *
 * @param options The options.
 * @returns Those of the route table or, if there are none or the command line
 * has its own, the one of the command line.
 */
export function listeners(options: Options): readonly ListenOptions[] {
  const { hostname, port, listen, acceptProxy } = options;
  const list = listen ?? [{ name: formatAddress(options), hostname, port }];
  return acceptProxy === undefined
    ? list
    : list.map((listener) => ({ ...listener, acceptProxy }));
}

/**
 * Parses the command line.
 *
 * @param args The arguments, without the name of the program.
 * @param cores The default for `--workers`.
 * @param settings Defaults for the others, from a route table.
 * @returns What to do.
 * @throws {ConfigError} If an option is unknown, lacks its value, or has a
 * value that breaks its rule.
 */
export function parseCommandLine(
  args: readonly string[],
  cores: number,
  settings: Settings = {},
): Command {
  const values = parse(args);
  if (values.help) return { kind: "help" };
  if (values.version) return { kind: "version" };
  if (values.types) return { kind: "types" };
  const shell = oneOf("--completions", values.completions, SHELLS);
  if (shell !== undefined) return { kind: "completions", shell };
  if (values.config === undefined || values.config === "") {
    throw new ConfigError(
      "Cannot start as -c FILE, the router module or route table, is needed: see --help",
    );
  }
  const options: Options = {
    config: values.config,
    hostname: nonEmpty("--host", values.host ?? "0.0.0.0"),
    port: port(values.port ?? "5432"),
    // -h or -p alone, too, is where to listen in place of all listeners there
    ...settings.listen && values.host === undefined && values.port === undefined
      ? { listen: settings.listen }
      : {},
    ...acceptProxy(values["accept-proxy"]),
    workers: whole("--workers", values.workers, LIMITS.workers) ??
      settings.workers ?? cores,
    maxConnections: whole(
      "--max-connections",
      values["max-connections"],
      LIMITS.maxConnections,
    ) ?? settings.maxConnections,
    connection: {
      maxPreread:
        whole("--max-preread", values["max-preread"], LIMITS.maxPreread) ??
          settings.maxPreread ?? 65_536,
      prereadTimeout: seconds("--preread-timeout", values["preread-timeout"]) ??
        settings.prereadTimeout ?? 30_000,
      halfCloseTimeout:
        seconds("--half-close-timeout", values["half-close-timeout"]) ??
          settings.halfCloseTimeout ?? 30_000,
      idleTimeout: secondsOrOff("--idle-timeout", values["idle-timeout"]) ??
        settings.idleTimeout ?? 0,
      maxDuration: secondsOrOff("--max-duration", values["max-duration"]) ??
        settings.maxDuration ?? 0,
    },
    grants: {
      net: grant("--allow-net", values["allow-net"]) ?? settings.grants?.net,
      unix: sockets(values["allow-net"]) ?? settings.grants?.unix ?? [],
      read: grant("--allow-read", values["allow-read"]) ??
        settings.grants?.read ?? false,
      env: grant("--allow-env", values["allow-env"]) ??
        settings.grants?.env ?? false,
      import: grant("--allow-import", values["allow-import"]) ??
        settings.grants?.import ?? false,
    },
    logLevel: oneOf("--log-level", values["log-level"], LEVELS) ??
      settings.logLevel ?? "info",
    logFormat: oneOf("--log-format", values["log-format"], FORMATS) ??
      settings.logFormat ?? "text",
    accessLog: values["access-log"] === undefined
      ? settings.accessLog ?? "-"
      : nonEmpty("--access-log", values["access-log"]),
  };
  const file = values["dry-run"];
  if (file !== undefined) {
    if (values.check) {
      throw new ConfigError("Cannot use --check and --dry-run at a time");
    }
    if (file === "-" && options.config === "-") {
      throw new ConfigError(
        "Cannot read both the router and the bytes from standard input: give -c or --dry-run a file",
      );
    }
    return { kind: "dry-run", options, file: nonEmpty("--dry-run", file) };
  }
  return { kind: values.check ? "check" : "run", options };
}

/** What `parseArgs` is told about each option. */
const PARSED = Object.fromEntries(
  OPTIONS.map(({ name, short, argument, list = false }) => [name, {
    type: argument === undefined ? "boolean" as const : "string" as const,
    multiple: list,
    ...short === undefined ? {} : { short },
  }]),
);

/** Options that may stand without a value. */
const BARE = OPTIONS.filter(({ list }) => list).map(({ name }) => `--${name}`);

function parse(args: readonly string[]): Values {
  try {
    // it gives what it is told to look for, of which Values is the type
    return parseArgs({
      args: args.map((arg) => BARE.includes(arg) ? `${arg}=` : arg),
      options: PARSED,
    }).values as Values;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const [first = text] = text.split(/\n|\. To specify/);
    throw new ConfigError(
      `Cannot use the command line: ${first.replace(/\.$/, "")} (see --help)`,
      { cause: error },
    );
  }
}

function unusable(option: string, rule: string, value: string): ConfigError {
  return new ConfigError(
    `Cannot use ${option} as it must be ${rule}: current value is ${
      JSON.stringify(value)
    }`,
  );
}

function nonEmpty(option: string, value: string): string {
  if (value === "") throw unusable(option, "not empty", value);
  return value;
}

function port(value: string): number {
  const number = parsePort(value, 0);
  if (number === undefined) {
    throw unusable("--port", "a whole number from 0 to 65535", value);
  }
  return number;
}

function whole(
  option: string,
  value: string | undefined,
  [least, most]: readonly [least: number, most: number],
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw unusable(option, `a whole number from ${least} to ${most}`, value);
  }
  return number;
}

/** Returns milliseconds. */
function seconds(
  option: string,
  value: string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d*\.?\d+$/.test(value) || number <= 0 || number > MAX_SECONDS) {
    throw unusable(
      option,
      `a positive number of seconds, at most ${MAX_SECONDS}`,
      value,
    );
  }
  return number * 1000;
}

/** Returns milliseconds; 0 for no limit. */
function secondsOrOff(
  option: string,
  value: string | undefined,
): number | undefined {
  return /^0*\.?0+$/.test(value ?? "") ? 0 : seconds(option, value);
}

function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw unusable(option, `one of ${allowed.join(", ")}`, value);
  }
  return found;
}

function acceptProxy(
  values: readonly string[] | undefined,
): { readonly acceptProxy?: AcceptProxy } {
  const list = grant("--accept-proxy", values);
  if (list === undefined) return {};
  if (typeof list === "boolean") return { acceptProxy: true };
  for (const network of list) {
    const parsed = parseNetwork(network);
    if (typeof parsed === "string") {
      throw new ConfigError(
        `Cannot use --accept-proxy as each network ${parsed}: current value is ${
          JSON.stringify(network)
        }`,
      );
    }
  }
  return { acceptProxy: list };
}

function grant(
  option: string,
  values: readonly string[] | undefined,
): Grant | undefined {
  if (values === undefined) return undefined;
  if (values.includes("")) return true;
  const list = values.flatMap((value) => value.split(","));
  if (list.includes("")) {
    throw unusable(option, "a list with commas between", values.join(" "));
  }
  return list;
}

/** The socket files among the hosts of `--allow-net`. */
function sockets(
  values: readonly string[] | undefined,
): readonly string[] | undefined {
  return values && socketPaths(values.flatMap((value) => value.split(",")));
}

/**
 * Finds the socket files that a list of hosts names.
 *
 * @param hosts What `--allow-net` may have: hosts, and `unix:/path`.
 * @returns The paths.
 * @throws {ConfigError} If one breaks the rule of its form.
 */
export function socketPaths(hosts: readonly string[]): string[] {
  return hosts.filter(isUnix).map((host) => {
    const parsed = parseSocketPath(host);
    if (typeof parsed !== "string") return parsed.path;
    throw new ConfigError(
      `Cannot use --allow-net as it ${parsed}: current value is ${
        JSON.stringify(host)
      }`,
    );
  });
}
