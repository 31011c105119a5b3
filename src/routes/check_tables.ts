/**
 * The rules of the tables in Redis of a route table, and of the routes that name
 * them. For the main thread only.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import { readOptions, withoutSecrets } from "../redis/checked_options.ts";
import type { Path, Problem } from "./problems.ts";
import { isMapping, type Rough } from "./unchecked.ts";

/** What options are called in the file, where that is something else. */
const NAMES: Readonly<Record<string, string>> = {
  url: "redis",
  password: "passwordFile",
};

/**
 * Finds what breaks the rules of tables, and between tables and routes.
 *
 * @param root What stands in the file.
 * @param isSound Tells whether the schema has found nothing at or below a path.
 * @returns The mistakes; their values have no passwords.
 */
export function checkTables(
  root: Rough,
  isSound: (path: Path) => boolean,
): Problem[] {
  const problems: Problem[] = [];
  const { routes, default: otherwise } = root;
  const tables = isMapping(root.tables) ? root.tables : {};
  for (const [name, table] of Object.entries(tables)) {
    const path = ["tables", name];
    if (!isSound(path) || !isMapping(table)) continue;
    const { redis, passwordFile, ...options } = table;
    const plan = readOptions({
      ...options,
      url: redis,
      password: passwordFile,
    });
    if (!(plan instanceof Broken)) continue;
    const { path: [key = ""], rule } = plan;
    const at = NAMES[key] ?? key;
    const value = key === "url" ? withoutSecrets(String(redis)) : table[at];
    problems.push({ path: [...path, at], rule, value });
  }
  if (isMapping(otherwise) && otherwise.table !== undefined) {
    const rule = "must stand in a route: a table may have no remote";
    problems.push({ path: ["default", "table"], rule, value: otherwise.table });
  }
  if (!Array.isArray(routes)) return problems;
  routes.forEach((route: unknown, index) => {
    if (!isMapping(route) || route.table === undefined) return;
    const path = ["routes", index];
    const { table, key } = route;
    if (typeof table !== "string" || !Object.hasOwn(tables, table)) {
      const names = Object.keys(tables).join(", ");
      const rule = names === ""
        ? "must name a table, and there are no tables"
        : `must name one of the tables ${names}`;
      problems.push({ path: [...path, "table"], rule, value: table });
    }
    if (key === undefined) {
      const rule = "is needed beside table";
      problems.push({ path: [...path, "key"], rule, value: undefined });
    }
  });
  return problems;
}
