/**
 * The state of the program, for `/api/status`.
 *
 * @module
 */
import { formatAddress } from "../net/address.ts";
import { VERSION } from "../lib/version.ts";
import {
  type Counter,
  type Counts,
  LIMIT_COUNTERS,
} from "../stats/counters.ts";
import { END_REASONS } from "../stats/end_reason.ts";
import type { Listener, Status } from "./json_types.ts";
import type { Source } from "./program.ts";
import { shownState } from "./program_status.ts";

/**
 * Describes the state of the program.
 *
 * @returns Plain data: times as in RFC 3339, durations in seconds, sizes in
 * bytes.
 */
export function statusOf(source: Source): Status {
  const { status, gauges, reloads, totals, workers } = source;
  const { open, maximum, connected, limit, counts } = gauges.snapshot();
  const counted = new Map(workers.map((worker) => [worker.name, worker]));
  return {
    version: VERSION,
    runtime: `Deno ${Deno.version.deno}`,
    startedAt: status.started,
    uptime: (Date.now() - Date.parse(status.started)) / 1000,
    state: shownState(status.state),
    reloads,
    listeners: listenersOf(source),
    workers: status.generations.flatMap(({ id: generation, workers }) =>
      workers.flatMap(({ name, state, connections }) =>
        state === "ended" ? [] : [{
          id: name,
          generation,
          state: shownState(state),
          connections,
          eventLoopLag: counted.get(name)?.lag ?? 0,
          heapUsed: counted.get(name)?.report?.heapUsed ?? 0,
        }]
      )
    ),
    stuck: status.stuck,
    connections: {
      current: open,
      maximum,
      total: totals.connections(gauges.total),
      connected,
      // JSON has no Infinity
      limit: Number.isFinite(limit) ? limit : null,
    },
    ended: pick(counts, END_REASONS),
    limits: pick(counts, LIMIT_COUNTERS),
    bytes: { in: totals.received, out: totals.sent },
    memory: { rss: Deno.memoryUsage().rss },
  };
}

function listenersOf({ configuration, addresses }: Source): Listener[] {
  return configuration.options.listen.map((listener, index) => ({
    name: listener.name,
    address: addresses[index] ?? formatAddress(listener),
    tls: listener.tls !== undefined,
    acceptProxy: listener.acceptProxy !== undefined,
  }));
}

/** The counters of some names. */
function pick(
  counts: Counts,
  names: readonly Counter[],
): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, counts[name]]));
}
