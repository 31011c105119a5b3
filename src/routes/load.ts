/**
 * Reading a route table. For the main thread only: the packages that this needs
 * are not loaded in the workers.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import type { AdminOptions } from "../config/admin.ts";
import type { Settings } from "../cli/command_line.ts";
import { ConfigError } from "../lib/config_error.ts";
import { parseBindAddress, withoutBrackets } from "../net/address.ts";
import type { Rate } from "../limits/address_table.ts";
import type { Grant } from "../cli/list_value.ts";
import { burstOf, socketPaths } from "../cli/values.ts";
import { checkTable } from "./check.ts";
import { type PoolInput, toAction, toMatch, toPool } from "./to_table.ts";
import { toListener } from "./listen.ts";
import {
  fromIssues,
  lineOf,
  type Path,
  type Problem,
  tableError,
} from "./problems.ts";
import { type TableInput, tableSchema } from "./schema.ts";
import type { Otherwise, Table } from "./route_table.ts";
import { readYaml, YamlError, type YamlFile } from "./yaml.ts";

/** A route table that was read and checked. */
export interface LoadedTable {
  readonly table: Table;
  /** The options that it sets. */
  readonly settings: Settings;
  /** The path of the module for the rest, if it names one. */
  readonly router: string | undefined;
}

/**
 * Reads a route table.
 *
 * @param source The text of the file.
 * @param file The path of the file; paths in it are relative to its folder.
 * @returns The table as plain data.
 * @throws {ConfigError} If it has mistakes; the message names all of them, a
 * line for each: file, line, entry, rule, value.
 */
export function readTable(source: string, file: string): LoadedTable {
  const { value: content, place } = readFile(source, file);
  const value = content ?? {}; // an empty file
  const parsed = tableSchema.safeParse(value);
  const problems = parsed.success ? [] : fromIssues(parsed.error.issues, value);
  problems.push(...checkTable(value, soundness(problems)));
  if (problems.length > 0 || !parsed.success) {
    throw tableError(file, place, problems, value);
  }
  const input = parsed.data;
  const folder = dirname(resolve(file));
  return {
    table: {
      file,
      routes: (input.routes ?? []).map(({ name, match, ...action }, index) => ({
        name,
        line: lineOf(place, ["routes", index]),
        match: toMatch(match),
        action: toAction(action),
      })),
      pools: Object.entries(input.pools ?? {}).map(([name, pool]) => ({
        name,
        options: toPool(pool as PoolInput),
      })),
      tables: Object.entries(input.tables ?? {}).map(([name, table]) => {
        const { redis: url, passwordFile, ...options } = table;
        return { name, options: { url, ...options }, passwordFile };
      }),
      otherwise: otherwise(input),
    },
    settings: toSettings(input, folder),
    router: input.router === undefined
      ? undefined
      : resolve(folder, input.router),
  };
}

function readFile(source: string, file: string): YamlFile {
  try {
    return readYaml(source);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ConfigError(
      `Cannot use the route table ${file} as it has 1 mistake:\n${file}:${error.line}: table: ${error.message}`,
      { cause: error },
    );
  }
}

/** Tells where no mistake has been found. */
function soundness(problems: readonly Problem[]): (path: Path) => boolean {
  // a mistake makes all that it is in unsound, too
  const unsound = new Set<string>();
  for (const { path } of problems) {
    for (let length = 0; length <= path.length; length++) {
      unsound.add(path.slice(0, length).map(String).join("\n"));
    }
  }
  return (path) => !unsound.has(path.map(String).join("\n"));
}

function otherwise({ router, default: action }: TableInput): Otherwise {
  if (router !== undefined) return "router";
  return toAction(action ?? { close: true });
}

function toSettings(input: TableInput, folder: string): Settings {
  const { listen, allow, accessLog } = input;
  const list = listen === undefined || Array.isArray(listen)
    ? listen
    : [listen];
  return {
    listen: list?.map((one) => toListener(one, folder)),
    workers: input.workers,
    maxConnections: input.maxConnections,
    maxConnectionsPerIp: input.maxConnectionsPerIp,
    rateLimit: toRate(input.rateLimit),
    maxPreread: input.maxPreread,
    prereadTimeout: toMilliseconds(input.prereadTimeout),
    connectTimeout: toMilliseconds(input.connectTimeout),
    halfCloseTimeout: toMilliseconds(input.halfCloseTimeout),
    idleTimeout: toMilliseconds(input.idleTimeout),
    maxDuration: toMilliseconds(input.maxDuration),
    admin: toAdmin(input.admin, folder),
    drainTimeout: toMilliseconds(input.drainTimeout),
    grants: allow && {
      net: toGrant(allow.net),
      ...Array.isArray(allow.net) || typeof allow.net === "string"
        ? { unix: socketPaths([allow.net].flat()) }
        : {},
      ...withGrant("read", toGrant(allow.read), folder),
      ...withGrant("env", toGrant(allow.env), undefined),
      ...withGrant("import", toGrant(allow.import), undefined),
    },
    logLevel: input.logLevel,
    logFormat: input.logFormat,
    accessLog: accessLog === undefined || ["-", "off"].includes(accessLog)
      ? accessLog
      : resolve(folder, accessLog),
  };
}

function toAdmin(
  input: TableInput["admin"],
  folder: string,
): AdminOptions | undefined {
  if (input === undefined) return undefined;
  if (typeof input === "string") {
    const parsed = parseBindAddress(input);
    if (typeof parsed === "string") throw new TypeError(parsed);
    return { ...parsed, tokenFile: undefined };
  }
  const { host = "127.0.0.1", port, tokenFile } = input;
  return {
    hostname: withoutBrackets(host),
    port,
    tokenFile: tokenFile && resolve(folder, tokenFile),
  };
}

function toMilliseconds(seconds: number | undefined): number | undefined {
  return seconds && seconds * 1000;
}

/** `undefined` for no limit. */
function toRate(input: TableInput["rateLimit"]): Rate | undefined {
  if (input === undefined || input === 0) return undefined;
  const { perSecond, burst } = typeof input === "number"
    ? { perSecond: input }
    : input;
  return { perSecond, burst: burst ?? burstOf(perSecond) };
}

function toGrant(
  input: boolean | string | string[] | undefined,
): Grant | undefined {
  return typeof input === "string" ? [input] : input;
}

/** A grant by name, if there is one; its paths are relative to the folder. */
function withGrant(
  name: "read" | "env" | "import",
  grant: Grant | undefined,
  folder: string | undefined,
): Partial<Record<typeof name, Grant>> {
  if (grant === undefined) return {};
  return {
    [name]: typeof grant === "boolean" || folder === undefined
      ? grant
      : grant.map((path) => resolve(folder, path)),
  };
}
