/**
 * Counting things in a sentence.
 *
 * @module
 */

/**
 * Writes how many there are of something.
 *
 * @param one What one is called; more have an `s` behind it.
 * @returns Such as `1 worker`, `2 workers`.
 */
export function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
