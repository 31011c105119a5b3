/**
 * Bytes as a router writes them.
 *
 * @module
 */

/**
 * Bytes in a decision: a `Uint8Array`, or a string that is encoded as UTF-8.
 * For a string in which each character stands for one byte, use `latin1`.
 */
export type Bytes = Uint8Array | string;
