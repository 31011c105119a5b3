/**
 * Files of certificates that a route table names. For the main thread only.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { readCertificates } from "../certificates.ts";
import type { LoadedTable } from "./load.ts";
import type { Action } from "./table.ts";

/**
 * Reads the authorities of all remotes with TLS.
 *
 * @param loaded A table, in which `tls.ca` are paths.
 * @returns The same table, in which they are certificates.
 * @throws {ConfigError} If a file cannot be read, or has no certificates.
 */
export async function readAuthorities(
  loaded: LoadedTable,
): Promise<LoadedTable> {
  const { table } = loaded;
  const folder = dirname(resolve(table.file));
  const read = async <T extends Action>(action: T): Promise<T> => {
    if (action.kind !== "remote" || typeof action.tls !== "object") {
      return action;
    }
    const ca = await Promise.all(
      action.tls.ca.map((path) => readCertificates(resolve(folder, path))),
    );
    return { ...action, tls: { ...action.tls, ca } };
  };
  const routes = await Promise.all(
    table.routes.map(async (route) => ({
      ...route,
      action: await read(route.action),
    })),
  );
  const { otherwise } = table;
  return {
    ...loaded,
    table: {
      ...table,
      routes,
      otherwise: otherwise === "router" ? otherwise : await read(otherwise),
    },
  };
}

/**
 * Lists the files of all authorities.
 *
 * @param loaded A table, in which `tls.ca` are paths.
 * @returns Their absolute paths.
 */
export function authorityFiles({ table }: LoadedTable): string[] {
  const folder = dirname(resolve(table.file));
  const { routes, otherwise } = table;
  return [...routes.map(({ action }) => action), otherwise].flatMap((action) =>
    action !== "router" && action.kind === "remote" &&
      typeof action.tls === "object"
      ? action.tls.ca.map((path) => resolve(folder, path))
      : []
  );
}
