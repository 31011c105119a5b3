/**
 * Pools of remotes: `import { pool } from "proxymachine/pool"`.
 *
 * @example Make a pool while the router loads, and return what `pick` returns
 * ```ts
 * import { pool } from "proxymachine/pool";
 * import assert from "node:assert/strict";
 *
 * const git = pool("git", {
 *   members: ["10.0.0.1:9418", { remote: "10.0.0.2:9418", weight: 2 }],
 *   policy: "hash",
 *   check: { interval: 2 },
 * });
 *
 * const router = {
 *   route: () => ({ ...git.pick("alice"), connectTimeout: 1 }),
 * };
 *
 * assert.deepEqual(router.route(), {
 *   pool: "git",
 *   key: "alice",
 *   connectTimeout: 1,
 * });
 * ```
 *
 * @module
 */
export type { Bytes } from "../router/bytes.ts";
export type { RemoteTls } from "../router/decision.ts";
export type {
  CheckOptions,
  MemberOptions,
  PassiveOptions,
  Pool,
  PoolChoice,
  PoolOptions,
} from "./options.ts";
export { pool } from "./make_pool.ts";
