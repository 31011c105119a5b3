/**
 * Files of certificates that a route table names. For the main thread only.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { readCertificates } from "../net/certificate_files.ts";
import type { LoadedRouteTable } from "./load.ts";
import type { Action, TablePool } from "./route_table.ts";

/**
 * Reads the authorities of all remotes with TLS, and of checks with TLS.
 *
 * @param loaded A table, in which `tls.ca` are paths.
 * @returns The same table, in which they are certificates.
 * @throws {ConfigError} If a file cannot be read, or has no certificates.
 */
export async function readAuthorities(
  loaded: LoadedRouteTable,
): Promise<LoadedRouteTable> {
  const { table } = loaded;
  const folder = dirname(resolve(table.file));
  const known = new Map<string, Promise<readonly string[]>>();
  // thousands of routes may name the same files: those are read once, and their
  // list is one object, so that it is sent to the workers once
  const readAll = (paths: readonly string[]): Promise<readonly string[]> => {
    const key = JSON.stringify(paths);
    const list = known.get(key) ?? Promise.all(
      paths.map((path) => readCertificates(resolve(folder, path))),
    );
    known.set(key, list);
    return list;
  };
  const read = async <T extends Action>(action: T): Promise<T> => {
    if (action.kind !== "remote" || typeof action.tls !== "object") {
      return action;
    }
    const ca = await readAll(action.tls.ca);
    return { ...action, tls: { ...action.tls, ca } };
  };
  const pools = await Promise.all(table.pools.map(async (pool) => {
    const { check } = pool.options;
    if (typeof check?.tls !== "object") return pool;
    const tls = { ...check.tls, ca: await readAll(pathsOf(pool)) };
    return { ...pool, options: { ...pool.options, check: { ...check, tls } } };
  }));
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
      pools,
      routes,
      otherwise: otherwise === "router" ? otherwise : await read(otherwise),
    },
  };
}

/**
 * Lists the files of all authorities.
 *
 * @param loaded A table, in which `tls.ca` are paths.
 * @returns Their absolute paths, each once.
 */
export function authorityFiles({ table }: LoadedRouteTable): string[] {
  const folder = dirname(resolve(table.file));
  const { pools, routes, otherwise } = table;
  const actions = [...routes.map(({ action }) => action), otherwise];
  const paths = [
    ...actions.flatMap((action) =>
      action !== "router" && action.kind === "remote" &&
        typeof action.tls === "object"
        ? action.tls.ca
        : []
    ),
    ...pools.flatMap(pathsOf),
  ];
  return [...new Set(paths.map((path) => resolve(folder, path)))];
}

/** The files of the authorities for the checks of a pool. */
function pathsOf({ options: { check } }: TablePool): readonly string[] {
  return typeof check?.tls === "object" ? [check.tls.ca ?? []].flat() : [];
}
