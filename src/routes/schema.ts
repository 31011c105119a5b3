/**
 * The schema of a route table: which keys there are, and the rule of each. For
 * the main thread only.
 *
 * @module
 */
import { z } from "zod";
import { isRouteName, ROUTE_NAME_RULE } from "../decision/route_name.ts";
import { MAPPING_JSON, MATCH } from "./matchers/match.ts";
import { ACTION_KEYS } from "./action.ts";
import {
  checkedBy,
  fromKind,
  mapping,
  nonEmpty,
  oneOrMore,
  rule,
  text,
} from "./schema_parts.ts";
import { admin, listener } from "./schema_listen.ts";
import { options } from "./schema_options.ts";
import { pools } from "./schema_pools.ts";
import { tables } from "./schema_tables.ts";

/** The keys of an action, read as `ActionValues`. */
const action = Object.fromEntries(
  [...ACTION_KEYS].map(([name, { kind, help, isSetting }]) => {
    const read = isSetting ? checkedBy(kind) : fromKind(kind);
    return [name, read.optional().describe(help)];
  }),
);

const route = mapping({
  name: text(
    "a text",
    (value) => isRouteName(value) ? undefined : ROUTE_NAME_RULE,
  ).optional().describe("For logs, statistics and --dry-run."),
  match: fromKind(MATCH).describe(
    "Which clients the route is for: all keys have to match.",
  ),
  ...action,
});

/** What stands in a route table. */
export const tableSchema = mapping({
  listen: oneOrMore(
    listener,
    `"host:port", "unix:/path", a port, or a mapping`,
  ).optional()
    .describe("Where to listen; the command line's -h and -p win."),
  ...options,
  admin: admin.optional().describe("Where the admin server listens."),
  router: nonEmpty("the path of a module").optional()
    .describe("A module that serves what no route is for."),
  pools: pools.optional().describe("Pools of remotes, by name."),
  tables: tables.optional().describe("Tables of remotes in Redis, by name."),
  routes: z.array(route, rule("must be a list of routes")).optional()
    .describe("Tried in order: the first that matches wins."),
  default: mapping(action).optional()
    .describe("What to do when no route matches; default: close."),
});

/** A route table as it stands in the file. */
export type TableInput = z.infer<typeof tableSchema>;

/** The JSON Schema of a route table, for editors. */
export function jsonSchema(): string {
  const schema = {
    ...z.toJSONSchema(tableSchema, { io: "input" }),
    $defs: { match: MAPPING_JSON },
    title: "proxymachine route table",
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
