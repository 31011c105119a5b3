/**
 * Operations that fail because the system has nothing left for them.
 *
 * @module
 */

/**
 * Tells whether an operation failed for want of file descriptors or memory for
 * sockets.
 */
export function isExhausted(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "EMFILE" || code === "ENFILE" || code === "ENOBUFS" ||
    code === "ENOMEM";
}
