/**
 * Parts of a route table that may have mistakes.
 *
 * @module
 */

/** A mapping that may have mistakes. */
export type Rough = Readonly<Record<string, unknown>>;

/** Tells whether a value is a mapping. */
export function isMapping(value: unknown): value is Rough {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
