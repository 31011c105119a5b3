/**
 * Telling promises from other values.
 *
 * @module
 */

/** Tells whether a value can be waited for. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
