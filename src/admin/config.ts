/**
 * The configuration in use, for `/api/config`.
 *
 * @module
 */
import { describeAction, describeMatch } from "../config/describe.ts";
import { routeNames } from "../config/table.ts";
import { describeConfiguration } from "../describe.ts";
import type { ConfigurationInUse } from "./shapes.ts";
import type { Source } from "./source.ts";

/**
 * Describes the configuration. It has no secrets: neither keys nor tokens.
 *
 * @param source What runs.
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
