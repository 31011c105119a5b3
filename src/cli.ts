/**
 * The command line: options in, checked values out.
 *
 * @module
 */
import { parseArgs } from "node:util";
import deno from "../deno.json" with { type: "json" };
import { parsePort } from "./connection/address.ts";
import type { ConnectionOptions } from "./connection/connection.ts";
import type { Format } from "./observe/access_log.ts";
import { type Level, LEVELS } from "./observe/log.ts";

/** The version of the program. */
export const VERSION: string = deno.version;

/** What `--help` prints. */
export const HELP = `\
proxymachine ${VERSION}: a content-aware TCP routing proxy

Usage:
  proxymachine -c <file> [-h <host>] [-p <port>] [options]

Options:
  -c, --config FILE            router module (.ts, .js); - reads one from
                               standard input
  -h, --host HOST              host name or address to bind; default 0.0.0.0
  -p, --port PORT              port to listen on, 0 for any; default 5432
  -w, --workers N              worker threads; default: number of CPU cores
      --check                  load and check the configuration, print what it
                               found, exit
      --dry-run FILE           feed FILE (- = standard input) to the router byte
                               by byte, print each decision, exit

Limits:
      --max-preread BYTES      read at most this much before the router has
                               decided; default 65536
      --preread-timeout SECS   time for that; default 30
      --max-connections N      connections open at a time; default: as many as
                               there are file descriptors for
      --half-close-timeout SECS
                               time without progress after one side has ended;
                               default 30

Permissions of the router (none but the network by default):
      --allow-net[=HOST[:PORT],...]   connect to these only; default: all
      --allow-read[=PATH,...]         read these files and folders
      --allow-env[=NAME,...]          see these environment variables
      --allow-import[=HOST,...]       import modules from these hosts

Logs:
      --log-level LEVEL        error, warn, info or debug; default info; the
                               log goes to standard error
      --log-format FORMAT      text or json, for both logs; default text
      --access-log FILE        one line at the end of each connection; - is
                               standard output, off is none; default -

Others:
      --types                  print the declarations that a router is checked
                               against
      --help                   print this
      --version                print the version

Signals:
  QUIT       stop accepting, wait as long as needed for all connections to end
  TERM, INT  stop accepting, wait for at most 10 seconds; a second one exits at
             once
  USR1, USR2 log the connections: current/maximum/total (under "deno run", Deno
             itself opens its debugger on USR1; USR2 does without)

Exit status:
  0  stopped as asked    1  could not run    2  usage or configuration error
`;

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

/** Options that may stand without a value, which then means everything. */
const GRANTS = ["--allow-net", "--allow-read", "--allow-env", "--allow-import"];

/**
 * Parses the command line.
 *
 * @param args The arguments, without the name of the program.
 * @param cores The default for `--workers`.
 * @returns What to do.
 * @throws {ConfigError} If an option is unknown, lacks its value, or has a
 * value that breaks its rule.
 */
export function parseCommandLine(
  args: readonly string[],
  cores: number,
): Command {
  const values = parse(args);
  if (values.help) return { kind: "help" };
  if (values.version) return { kind: "version" };
  if (values.types) return { kind: "types" };
  if (values.config === undefined || values.config === "") {
    throw new ConfigError(
      "Cannot start as -c FILE, the router module, is needed: see --help",
    );
  }
  const options: Options = {
    config: values.config,
    hostname: nonEmpty("--host", values.host),
    port: port(values.port),
    workers: whole("--workers", values.workers ?? String(cores), 1, 1024),
    maxConnections: values["max-connections"] === undefined
      ? undefined
      : whole("--max-connections", values["max-connections"], 1, 10_000_000),
    connection: {
      maxPreread: whole("--max-preread", values["max-preread"], 1, 2 ** 30),
      prereadTimeout: seconds("--preread-timeout", values["preread-timeout"]),
      halfCloseTimeout: seconds(
        "--half-close-timeout",
        values["half-close-timeout"],
      ),
    },
    grants: {
      net: grant("--allow-net", values["allow-net"]),
      read: grant("--allow-read", values["allow-read"]) ?? false,
      env: grant("--allow-env", values["allow-env"]) ?? false,
      import: grant("--allow-import", values["allow-import"]) ?? false,
    },
    logLevel: oneOf("--log-level", values["log-level"], LEVELS),
    logFormat: oneOf("--log-format", values["log-format"], ["text", "json"]),
    accessLog: nonEmpty("--access-log", values["access-log"]),
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

// the inferred type has a property for each option
// deno-lint-ignore explicit-function-return-type
function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.map((arg) => GRANTS.includes(arg) ? `${arg}=` : arg),
      options: {
        config: { type: "string", short: "c" },
        host: { type: "string", short: "h", default: "0.0.0.0" },
        port: { type: "string", short: "p", default: "5432" },
        workers: { type: "string", short: "w" },
        check: { type: "boolean" },
        "dry-run": { type: "string" },
        "max-preread": { type: "string", default: "65536" },
        "preread-timeout": { type: "string", default: "30" },
        "max-connections": { type: "string" },
        "half-close-timeout": { type: "string", default: "30" },
        "allow-net": { type: "string", multiple: true },
        "allow-read": { type: "string", multiple: true },
        "allow-env": { type: "string", multiple: true },
        "allow-import": { type: "string", multiple: true },
        "log-level": { type: "string", default: "info" },
        "log-format": { type: "string", default: "text" },
        "access-log": { type: "string", default: "-" },
        types: { type: "boolean" },
        help: { type: "boolean" },
        version: { type: "boolean" },
      },
    }).values;
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
  value: string,
  least: number,
  most: number,
): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw unusable(option, `a whole number from ${least} to ${most}`, value);
  }
  return number;
}

/** Returns milliseconds. */
function seconds(option: string, value: string): number {
  const number = Number(value);
  if (!/^\d*\.?\d+$/.test(value) || number <= 0 || number > 1_000_000) {
    throw unusable(
      option,
      "a positive number of seconds, at most 1000000",
      value,
    );
  }
  return number * 1000;
}

function oneOf<T extends string>(
  option: string,
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw unusable(option, `one of ${allowed.join(", ")}`, value);
  }
  return found;
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
