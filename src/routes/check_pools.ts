/**
 * The rules of the pools of a route table, and of the routes that name them.
 * For the main thread only.
 *
 * @module
 */
import type { PoolOptions } from "../pool/options.ts";
import { planPool, PoolError } from "../pool/checked_options.ts";
import { pool as poolSchema } from "./schema_pools.ts";
import type { Path, Problem } from "./problems.ts";
import { isMapping, type Rough } from "./unchecked.ts";

/**
 * Finds what breaks the rules between pools, and between pools and routes.
 *
 * @param isSound Tells whether the schema has found nothing at or below a path.
 */
export function checkPools(
  root: Rough,
  isSound: (path: Path) => boolean,
): Problem[] {
  const problems: Problem[] = [];
  const { routes, default: otherwise } = root;
  const pools = isMapping(root.pools) ? root.pools : {};
  for (const [name, pool] of Object.entries(pools)) {
    const path = ["pools", name];
    if (!isSound(path)) continue;
    try {
      planPool(name, withoutFiles(poolSchema.parse(pool)));
    } catch (error) {
      if (!(error instanceof PoolError)) throw error;
      const { path: way, rule, value } = error.broken ??
        { path: [], rule: error.message, value: undefined };
      problems.push({ path: [...path, ...way], rule, value });
    }
  }
  const check = (action: unknown, path: Path) => {
    if (!isMapping(action)) return;
    const { pool, table, key } = action;
    if (pool === undefined) {
      if (key === undefined || table !== undefined) return;
      const rule = "must stand beside pool or table";
      problems.push({ path: [...path, "key"], rule, value: key });
      return;
    }
    const known = typeof pool === "string" && Object.hasOwn(pools, pool)
      ? pools[pool]
      : undefined;
    if (known === undefined) {
      const names = Object.keys(pools).join(", ");
      const rule = names === ""
        ? "must name a pool, and there are no pools"
        : `must name one of the pools ${names}`;
      problems.push({ path: [...path, "pool"], rule, value: pool });
    } else if (
      key !== undefined && isMapping(known) && known.policy !== "hash"
    ) {
      const rule = "must go with a pool of the policy hash";
      problems.push({ path: [...path, "key"], rule, value: key });
    }
  };
  check(otherwise, ["default"]);
  if (Array.isArray(routes)) {
    routes.forEach((route, index) => check(route, ["routes", index]));
  }
  return problems;
}

/** Leaves out what is only a path yet, where certificates are meant. */
function withoutFiles({ check, ...options }: PoolOptions): PoolOptions {
  const tls = check?.tls;
  return typeof tls === "object"
    ? { ...options, check: { ...check, tls: { ...tls, ca: undefined } } }
    : { ...options, check };
}
