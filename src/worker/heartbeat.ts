/**
 * The signs of life of a worker.
 *
 * @module
 */
import type { Share } from "../stats/worker_counts.ts";

// kept from a router that would replace it
const every = setInterval;

/**
 * Shows regularly that the event loop of this thread turns.
 *
 * @param share Where to show it.
 * @param interval Milliseconds.
 */
export function startHeartbeat(share: Share, interval: number): void {
  every(() => share.beat(), interval);
}
