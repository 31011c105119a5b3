/**
 * Writing as much as there is.
 *
 * @module
 */

/**
 * Writes all bytes, in however many writes that takes.
 *
 * @param to Where to; not closed.
 */
export async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await to.write(at === 0 ? bytes : bytes.subarray(at));
  }
}
