/**
 * The command line: options in, checked values out.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type AdminOptions, adminOptions } from "./admin/options.ts";
import { ConfigError, unusable } from "./config_error.ts";
import { isUnix, parseSocketPath } from "./connection/address.ts";
import type { AddressOptions } from "./connection/address_limits.ts";
import type { Rate } from "./connection/address_table.ts";
import type { ConnectionOptions } from "./connection/connection.ts";
import type { ListenOptions } from "./connection/listener.ts";
import { messageOf } from "./errors.ts";
import { type Given, parseListeners } from "./listen_options.ts";
import { type Grant, listOption } from "./list_option.ts";
import type { Format } from "./observe/access_log.ts";
import { type Level, LEVELS } from "./observe/log.ts";
import {
  FORMATS,
  OPTIONS,
  type Shell,
  SHELLS,
  type Values,
} from "./options.ts";

export { ConfigError, type Grant };

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
  /** At least one. */
  readonly listen: readonly ListenOptions[];
  readonly workers: number;
  /** `undefined`: no limit but that of the file descriptors. */
  readonly maxConnections: number | undefined;
  readonly connection: ConnectionOptions;
  readonly addresses: AddressOptions;
  readonly grants: Grants;
  readonly logLevel: Level;
  readonly logFormat: Format;
  /** A path, `-`, or `off`. */
  readonly accessLog: string;
  /** Where the admin server listens, if there is to be one. */
  readonly admin: AdminOptions | undefined;
  /** Whether to reload when a file of the configuration has changed. */
  readonly watch: boolean;
  /** Milliseconds that a generation may drain after a reload; 0: no limit. */
  readonly drainTimeout: number;
  /** Milliseconds after which a worker that does not answer is stuck; 0: never. */
  readonly watchdog: number;
  /** How many may be stuck before the program exits; default: the workers. */
  readonly maxStuckWorkers: number | undefined;
}

/** What a route table sets; an option on the command line wins over it. */
export interface Settings extends Partial<ConnectionOptions & AddressOptions> {
  readonly listen?: readonly ListenOptions[] | undefined;
  readonly workers?: number | undefined;
  readonly maxConnections?: number | undefined;
  readonly grants?: Partial<Grants> | undefined;
  readonly logLevel?: Level | undefined;
  readonly logFormat?: Format | undefined;
  readonly accessLog?: string | undefined;
  readonly admin?: AdminOptions | undefined;
  readonly drainTimeout?: number | undefined;
}

/** Limits of the options that are numbers, which hold in route tables, too. */
export const LIMITS = {
  workers: [1, 1024],
  maxConnections: [1, 10_000_000],
  maxConnectionsPerIp: [0, 10_000_000],
  rate: [0.001, 10_000],
  burst: [1, 1_000_000],
  maxPreread: [1, 2 ** 30],
  maxStuckWorkers: [0, 1024],
} as const;

/** The most seconds that an option may be. */
export const MAX_SECONDS = 1_000_000;

/**
 * Parses the command line.
 *
 * @param args The arguments, without the name of the program.
 * @param cores The default for `--workers`.
 * @param read Defaults for the others, from a route table; none if there is no
 * table, or if it was not read yet.
 * @returns What to do.
 * @throws {ConfigError} If an option is unknown, lacks its value, or has a
 * value that breaks its rule.
 */
export function parseCommandLine(
  args: readonly string[],
  cores: number,
  read?: Settings,
): Command {
  const settings = read ?? {};
  const { values, given } = parse(args);
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
    listen: parseListeners(
      given,
      settings.listen,
      read === undefined && isTable(values.config),
    ),
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
    addresses: {
      maxConnectionsPerIp: whole(
        "--max-connections-per-ip",
        values["max-connections-per-ip"],
        LIMITS.maxConnectionsPerIp,
      ) ?? settings.maxConnectionsPerIp ?? 0,
      rateLimit: values["rate-limit"] === undefined
        ? settings.rateLimit
        : rateLimit("--rate-limit", values["rate-limit"]),
    },
    grants: {
      net: listOption("--allow-net", values["allow-net"]) ??
        settings.grants?.net,
      unix: sockets(values["allow-net"]) ?? settings.grants?.unix ?? [],
      read: listOption("--allow-read", values["allow-read"]) ??
        settings.grants?.read ?? false,
      env: listOption("--allow-env", values["allow-env"]) ??
        settings.grants?.env ?? false,
      import: listOption("--allow-import", values["allow-import"]) ??
        settings.grants?.import ?? false,
    },
    logLevel: oneOf("--log-level", values["log-level"], LEVELS) ??
      settings.logLevel ?? "info",
    logFormat: oneOf("--log-format", values["log-format"], FORMATS) ??
      settings.logFormat ?? "text",
    accessLog: values["access-log"] === undefined
      ? settings.accessLog ?? "-"
      : nonEmpty("--access-log", values["access-log"]),
    admin: adminOptions(
      values.admin,
      values["admin-token-file"],
      settings.admin,
    ),
    watch: values.watch ?? false,
    drainTimeout: secondsOrOff("--drain-timeout", values["drain-timeout"]) ??
      settings.drainTimeout ?? 0,
    watchdog: secondsOrOff("--watchdog", values.watchdog) ?? 5000,
    maxStuckWorkers: whole(
      "--max-stuck-workers",
      values["max-stuck-workers"],
      LIMITS.maxStuckWorkers,
    ),
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

/**
 * Tells a route table from a router module.
 *
 * @param config The value of `--config`.
 */
export function isTable(config: string): boolean {
  return /\.ya?ml$/i.test(config);
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

/** Options whose value is the argument that follows. */
const WITH_VALUE = OPTIONS.filter(({ argument, list }) => argument && !list)
  .flatMap(({ name, short }) =>
    short ? [`-${short}`, `--${name}`] : `--${name}`
  );

/** The long names of the options that each listener has for itself. */
const OF_LISTENERS = OPTIONS.filter(({ listener }) => listener)
  .map(({ name }) => name);

/**
 * Reads the arguments.
 *
 * @returns The values of the options, and in order those of the listeners.
 */
function parse(
  args: readonly string[],
): { readonly values: Values; readonly given: readonly Given[] } {
  try {
    const { values, tokens } = parseArgs({
      args: joined(args),
      options: PARSED,
      tokens: true,
    });
    const given = tokens.flatMap((token) =>
      token.kind === "option" && OF_LISTENERS.includes(token.name)
        ? [{ name: token.name, value: token.value ?? "" }]
        : []
    );
    // it gives what it is told to look for, of which Values is the type
    return { values: values as Values, given };
  } catch (error) {
    const text = messageOf(error);
    const [first = text] = text.split(/\n|\. To specify/);
    throw new ConfigError(
      `Cannot use the command line: ${first.replace(/\.$/, "")} (see --help)`,
      { cause: error },
    );
  }
}

/**
 * Joins values to their options where `parseArgs` would not understand: a
 * negative number behind its option, and no value at all.
 */
function joined(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const next = args[at + 1] ?? "";
    if (arg === "--") return [...joined, ...args.slice(at)];
    if (BARE.includes(arg)) joined.push(`${arg}=`);
    else if (WITH_VALUE.includes(arg) && /^-[.\d]/.test(next)) {
      joined.push(arg.startsWith("--") ? `${arg}=${next}` : arg + next);
      at++;
    } else joined.push(arg);
  }
  return joined;
}

function nonEmpty(option: string, value: string): string {
  if (value === "") throw unusable(option, "be not empty", value);
  return value;
}

function whole(
  option: string,
  value: string | undefined,
  [least, most]: readonly [least: number, most: number],
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw unusable(option, `be a whole number from ${least} to ${most}`, value);
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
      `be a positive number of seconds, at most ${MAX_SECONDS}`,
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

/** `undefined` for no limit. */
function rateLimit(option: string, value: string): Rate | undefined {
  if (/^0*\.?0+$/.test(value)) return undefined;
  const [, number, second] = /^(\d*\.?\d+)(?::(\d+))?$/.exec(value) ?? [];
  const perSecond = Number(number);
  const burst = second === undefined ? burstOf(perSecond) : Number(second);
  if (
    !(perSecond >= LIMITS.rate[0] && perSecond <= LIMITS.rate[1]) ||
    !(burst >= LIMITS.burst[0] && burst <= LIMITS.burst[1])
  ) {
    throw unusable(
      option,
      `be connections per second from ${LIMITS.rate[0]} to ${
        LIMITS.rate[1]
      }, or such and a burst as in 5:20`,
      value,
    );
  }
  return { perSecond, burst };
}

/** The burst of a rate that has none of its own: what may come in a second. */
export function burstOf(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond));
}

function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw unusable(option, `be one of ${allowed.join(", ")}`, value);
  }
  return found;
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
