/**
 * Remotes that keep who connects to them waiting.
 *
 * @module
 */
import { formatAddress, type HostPort } from "./address.ts";

/** The most remotes that are known to be slow. */
const MAX_SLOW = 1024;

/**
 * Remotes that have not answered before the client left. A try to connect that
 * has no signal cannot be ended, and one with a signal costs more: only tries
 * to connect to these have one.
 */
export class SlowRemotes {
  readonly #slow = new Set<string>();

  /** Notes that a client has left while the proxy connected for it. */
  add(address: HostPort): void {
    if (this.#slow.size >= MAX_SLOW) this.#slow.clear();
    this.#slow.add(formatAddress(address));
  }

  /** Tells whether a remote is known to be slow. */
  has(address: HostPort): boolean {
    return this.#slow.size > 0 && this.#slow.has(formatAddress(address));
  }

  /** Notes that a remote has answered. */
  delete(address: HostPort): void {
    this.#slow.delete(formatAddress(address));
  }
}
