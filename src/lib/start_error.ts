/**
 * The error of what cannot be started.
 *
 * @module
 */

/** The proxy cannot run, as an address cannot be listened on: exit status 1. */
export class StartError extends Error {
  override readonly name = "StartError";
}
