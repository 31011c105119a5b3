/**
 * What the main thread says about itself when it starts, and when it is asked.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { OpenListener } from "./listening.ts";
import { FAST_SHUTDOWN } from "./shutdown.ts";

/** Says where clients are served, and how to stop that. */
export function announceStart(
  log: Log,
  listeners: readonly OpenListener[],
): void {
  for (const { listener, workers } of listeners) {
    log.info(
      workers === 1
        ? "Listening on {listener} with {workers} worker"
        : "Listening on {listener} with {workers} workers",
      { listener, workers },
    );
  }
  log.info("Send QUIT to quit after waiting for all connections to finish.");
  log.info(
    "Send TERM or INT to quit after waiting for up to {seconds} seconds for connections to finish.",
    { seconds: FAST_SHUTDOWN },
  );
}

/** Says how many connections there are, and what was counted. */
export function announceNumbers(log: Log, gauges: Gauges): void {
  log.info(
    "Connections: {connections} (current/maximum/total), {connected} with a remote",
    { connections: String(gauges), connected: gauges.connectedNow },
  );
  const counters = String(gauges.counters);
  if (counters !== "") log.info("Counters: {counters}", { counters });
}
