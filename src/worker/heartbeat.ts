/**
 * The heartbeat of a worker.
 *
 * @module
 */
import type { Share } from "../stats/worker_counts.ts";

// taken before a router could replace it
const every = setInterval;

/**
 * Shows regularly that the event loop of this thread runs.
 *
 * @param interval Milliseconds.
 */
export function startHeartbeat(share: Share, interval: number): void {
  every(() => share.beat(), interval);
}
