/**
 * The files that the tables in Redis of a route table name. For the main thread
 * only.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { readCertificates } from "../net/certificate_files.ts";
import { ConfigError } from "../lib/config_error.ts";
import { whyUnreadable } from "../lib/errors.ts";
import type { LoadedRouteTable } from "./load.ts";
import type { TableOfNames } from "./route_table.ts";

/** Bytes of a password, at most. */
const MAX_PASSWORD = 512;

/**
 * Reads passwords and authorities.
 *
 * @param loaded A table, in which those of its tables are paths.
 * @returns The same table, in which they are what the files have.
 * @throws {ConfigError} If a file cannot be read, or used.
 */
export async function readRedisFiles(
  loaded: LoadedRouteTable,
): Promise<LoadedRouteTable> {
  const folder = dirname(resolve(loaded.table.file));
  const read = async (table: TableOfNames): Promise<TableOfNames> => {
    const { options, passwordFile } = table;
    const paths = [options.ca ?? []].flat();
    const ca = await Promise.all(
      paths.map((path) => readCertificates(resolve(folder, path))),
    );
    const password = passwordFile === undefined
      ? {}
      : { password: await readPassword(resolve(folder, passwordFile)) };
    return { ...table, options: { ...options, ...password, ca } };
  };
  const tables = await Promise.all(loaded.table.tables.map(read));
  return { ...loaded, table: { ...loaded.table, tables } };
}

/**
 * Lists these files.
 *
 * @param loaded A table, in which passwords and authorities are paths.
 * @returns Their absolute paths.
 */
export function redisFiles({ table }: LoadedRouteTable): string[] {
  const folder = dirname(resolve(table.file));
  return table.tables.flatMap(({ options, passwordFile }) =>
    [options.ca ?? [], passwordFile ?? []].flat()
      .map((path) => resolve(folder, path))
  );
}

/** The first line of a file, which must be its only one. */
async function readPassword(path: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new ConfigError(
      `Cannot read the password in ${path}: ${whyUnreadable(error)}`,
      { cause: error },
    );
  }
  const password = text.replace(/\r?\n$/, "");
  if (/^[^\r\n]+$/.test(password) && password.length <= MAX_PASSWORD) {
    return password;
  }
  throw new ConfigError(
    `Cannot use the password in ${path} as it must be one line of at most ${MAX_PASSWORD} characters: current value is a secret of ${password.length}`,
  );
}
