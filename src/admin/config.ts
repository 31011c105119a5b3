/**
 * The configuration in use, for `/api/config`.
 *
 * @module
 */
import { describeAction } from "../routes/describe.ts";
import { describeMatch } from "../routes/matchers/match.ts";
import { routeNames } from "../routes/route_table.ts";
import { describeConfiguration } from "../config/describe.ts";
import type { ConfigurationInUse } from "./json_types.ts";
import type { Source } from "./program.ts";

/**
 * Describes the configuration. It has no secrets: neither keys nor tokens.
 *
 * @returns Plain data.
 */
export function configurationOf(
  { configuration, hooks, pools }: Source,
): ConfigurationInUse {
  const { options, router, files } = configuration;
  const { table } = router;
  const names = table === undefined ? [] : routeNames(table);
  return {
    files,
    lines: describeConfiguration(
      options,
      router,
      hooks,
      pools.map(({ report }) => report),
    ),
    routes: (table?.routes ?? []).map(({ line, match, action }, index) => ({
      name: names[index] ?? "",
      line,
      match: describeMatch(match),
      action: describeAction(action),
    })),
  };
}
