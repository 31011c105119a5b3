/**
 * What is known of routes and remotes, for `/api/routes` and `/api/remotes`.
 *
 * @module
 */
import { FAILURES } from "../stats/statistics.ts";
import type { RemoteEntry, RouteEntry } from "./json_types.ts";
import type { Source } from "./program.ts";

/**
 * Describes the routes.
 *
 * @returns Plain data, a row for each.
 */
export function routesOf({ totals }: Source): RouteEntry[] {
  return [...totals.routes].map(([name, { hits, failed, received, sent }]) => ({
    name,
    hits,
    failed,
    in: received,
    out: sent,
  }));
}

/**
 * Describes the remotes.
 *
 * @returns Plain data, a row for each.
 */
export function remotesOf(source: Source): RemoteEntry[] {
  const open = openByRemote(source);
  return [...source.totals.remotes].map(
    ([remote, { connections, connectSeconds, failures }]) => ({
      remote,
      connections,
      open: open.get(remote) ?? 0,
      failed: failures.reduce((sum, count) => sum + count, 0),
      errors: Object.fromEntries(
        FAILURES.map((reason, index) => [reason, failures[index] ?? 0] as const)
          .filter(([, count]) => count > 0),
      ),
      connectSeconds: connections === 0 ? null : connectSeconds / connections,
    }),
  );
}

/**
 * Adds up the connections that are open.
 *
 * @param source Has the workers, each with what it has last seen.
 * @returns By remote, under the name by which it is counted.
 */
export function openByRemote(
  { totals, workers }: Source,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { report } of workers) {
    for (const { name, open } of report?.remotes ?? []) {
      if (open === 0) continue;
      const known = totals.nameOf(name);
      sums.set(known, (sums.get(known) ?? 0) + open);
    }
  }
  return sums;
}
