/**
 * The name of a route: who has decided, for logs and statistics.
 *
 * @module
 */

/** The most characters of a name. */
const MAX_ROUTE_NAME = 64;

/** The rule of a name. */
export const ROUTE_NAME_RULE =
  `must be a text of 1 to ${MAX_ROUTE_NAME} printable characters`;

/** Tells whether a value can be the name of a route. */
export function isRouteName(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 &&
    value.length <= MAX_ROUTE_NAME && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value);
}
