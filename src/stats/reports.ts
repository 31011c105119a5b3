/**
 * Sending what a worker has counted to the main thread.
 *
 * @module
 */
import type { Report, Statistics } from "./statistics.ts";

/** Milliseconds between two reports. */
const INTERVAL = 1000;

/** Milliseconds between two looks at how late the event loop is. */
const LOOK = 250;

// kept from a router that would replace them
const every = setInterval;
const stop = clearInterval;

/** Sends reports. */
export interface Reports {
  /** Sends what is left, and no more after that. */
  end(): void;
}

/**
 * Sends a report once per second.
 *
 * @param send Takes a report to the main thread.
 */
export function startReports(
  statistics: Statistics,
  send: (report: Report) => void,
): Reports {
  let due = performance.now() + LOOK;
  let sent = performance.now();
  let lag = 0;
  const timer = every(() => {
    const now = performance.now();
    lag = Math.max(lag, now - due);
    due = now + LOOK;
    if (now - sent < INTERVAL - LOOK / 2) return;
    sent = now;
    send(statistics.collect(lag / 1000));
    lag = 0;
  }, LOOK);
  return {
    end() {
      stop(timer);
      send(statistics.collect(lag / 1000));
    },
  };
}
