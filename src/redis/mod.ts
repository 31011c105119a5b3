/**
 * Tables of remotes in Redis: `import { redisTable } from "proxymachine/table"`.
 *
 * @example Remotes by host name, for any number of proxies
 * ```ts
 * import { redisTable } from "proxymachine/table";
 * import { http } from "proxymachine/protocols";
 * import { latin1, Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * // redis-cli SET site:a.example 10.0.0.1:80
 * const sites = redisTable({
 *   url: "redis://127.0.0.1:6379/0",
 *   prefix: "site:",
 * });
 *
 * const router = {
 *   async route(data) {
 *     const request = http(data);
 *     if (request === undefined) return { noop: true };
 *     const remote = await sites.get(request?.host ?? "");
 *     return remote === undefined ? { close: true } : { remote };
 *   },
 * } satisfies Router;
 *
 * const some = new Preread(latin1("GET / HTTP/1.1\r\n"));
 * assert.deepEqual(await router.route(some), { noop: true });
 * ```
 *
 * @module
 */
import { makeTable } from "./registry.ts";
import type { RedisTable, RedisTableOptions } from "./options.ts";

export type { RedisTable, RedisTableOptions, TableRemotes } from "./options.ts";

/**
 * Makes a table whose remotes are in Redis. Each worker has a connection of its
 * own, made when it begins to serve or at the first look-up, and remembers what
 * it has looked up; Redis tells it of changes.
 *
 * @param options Where it is, and how it is kept.
 * @returns The table. At most 64 can be made.
 * @throws {TypeError} If a rule is broken; the message names the key, the rule
 * and the value.
 */
export function redisTable(options: RedisTableOptions): RedisTable {
  return makeTable(options);
}
