/**
 * The command line: options in, checked values out.
 *
 * @module
 */
import { type AdminOptions, adminOptions } from "../config/admin.ts";
import { readArguments } from "./arguments.ts";
import { ConfigError } from "../lib/config_error.ts";
import type { AddressOptions } from "../limits/address_limits.ts";
import type { ConnectionOptions } from "../connection/context.ts";
import type { ListenOptions } from "../net/listen.ts";
import { parseListeners } from "./listeners.ts";
import { type Grant, listOption } from "./list_value.ts";
import type { Format } from "../log/access_log.ts";
import { type Level, LEVELS } from "../log/log.ts";
import {
  LIMITS,
  nonEmpty,
  oneOf,
  rateLimit,
  seconds,
  secondsOrOff,
  socketPaths,
  whole,
} from "./values.ts";
import { FORMATS, type Shell, SHELLS } from "./option_table.ts";

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

/** What may be left out. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** What a route table sets; an option on the command line wins over it. */
export interface Settings extends Optional<ConnectionOptions & AddressOptions> {
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
  const { values, given } = readArguments(args);
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
  const hosts = values["allow-net"]?.flatMap((list) => list.split(","));
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
      connectTimeout:
        secondsOrOff("--connect-timeout", values["connect-timeout"]) ??
          settings.connectTimeout ?? 0,
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
      unix: hosts ? socketPaths(hosts) : settings.grants?.unix ?? [],
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
