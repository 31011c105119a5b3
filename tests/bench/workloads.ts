/**
 * The cases: which peers each compares, what it does to them, and what it counts.
 *
 * @module
 */

import { bulkLoad, holdConnections, httpLoad } from "./load.ts";
import type { HttpOptions } from "./load.ts";
import {
  cpuMicros,
  descriptorLimit,
  machineTime,
  timeWaitSockets,
} from "./proc.ts";
import type { Peer, Running, Setup } from "./peers.ts";
import type { Routing } from "./peers/routers.ts";
import type { Stage } from "./stage.ts";

/** One measurement: the values of a case's metrics, and of those that every case has. */
export type Sample = Record<string, number>;

/** A number that a case finds for each of its entries. */
export interface Metric {
  key: string;
  /** Heading of its column, with the unit. */
  label: string;
  digits: number;
}

/** One line of a case's table: a peer, perhaps with options of its own. */
export interface Entry {
  name: string;
  label: string;
  peer: Peer;
  setup?: Partial<Setup>;
}

/** A started entry, ready to be measured. */
export interface Target {
  stage: Stage;
  running: Running;
  /** Port of the server behind it. */
  serverPort: number;
  /** Length of one measurement. */
  seconds: number;
}

/** One case of the benchmark. */
export interface Workload {
  name: string;
  title: string;
  routing: Routing;
  /** The first one is what ratios are made of. */
  metrics: readonly Metric[];
  /** Start every entry anew for each round. @default false */
  fresh?: boolean;
  entries(peers: readonly Peer[]): Entry[];
  /** Warms an entry up; what it returns makes one measurement. */
  begin(target: Target): Promise<() => Promise<Sample>>;
}

/** Connections made in one measurement, at most: they cost a local port each for a minute. */
const MAX_CONNECTIONS = 20_000;
/** Clients at the same time, where the case does not say otherwise. */
const CLIENTS = 32;
/** Seconds in which a just-in-time compiler gets to see the work before anything is measured. */
const WARM_UP = 2;
/** Idle connections of the `idle` case, on top of the first few that grow what all of them share. */
const IDLE = 5_000;
const IDLE_BASE = 500;
/** Open connections of the `open` case; a proxy needs two descriptors for each. */
const FEW_OPEN = 100;
const MANY_OPEN = Math.min(8_000, Math.floor((descriptorLimit() - 500) / 2));

const perRequest: Metric = { key: "cpu", label: "CPU µs/request", digits: 1 };
const perConnection: Metric = {
  key: "cpu",
  label: "CPU µs/connection",
  digits: 1,
};

/** All cases, in the order in which they run. */
export const workloads: readonly Workload[] = [
  {
    name: "keepalive",
    title: `Small requests over ${CLIENTS} lasting connections`,
    routing: "host",
    metrics: [perRequest, { key: "rate", label: "requests/s", digits: 0 }],
    entries: (peers) => plainEntries(peers),
    begin: (target) => httpCase(target, { connections: CLIENTS }),
  },
  {
    name: "connect",
    title: "One connection per request",
    routing: "host",
    metrics: [perConnection, {
      key: "rate",
      label: "connections/s",
      digits: 0,
    }],
    entries: (peers) => plainEntries(peers),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
  {
    name: "rules",
    title: "One connection per request, 1,000 rules tried in order",
    routing: "rules",
    metrics: [perConnection, {
      key: "rate",
      label: "connections/s",
      digits: 0,
    }],
    entries: (peers) => plainEntries(peers.filter((peer) => peer.programmable)),
    // Fewer clients: njs spends megabytes per connection on this, and thrashes with 32.
    begin: (target) => httpCase(target, { connections: 8, close: true }),
  },
  bulk("bulk-up", "Bulk, one connection, client to server", false),
  bulk("bulk-down", "Bulk, one connection, server to client", true),
  {
    name: "pingpong",
    title: "Ping-pong over one connection, 100-byte requests",
    routing: "host",
    metrics: [
      { key: "p50", label: "p50 µs", digits: 0 },
      { key: "p99", label: "p99 µs", digits: 0 },
    ],
    entries: (peers) => plainEntries(peers),
    begin: (target) => httpCase(target, { connections: 1, size: 100 }),
  },
  {
    name: "idle",
    title: `Memory of ${IDLE.toLocaleString("en")} idle connections`,
    routing: "host",
    metrics: [
      { key: "rss", label: "KB/connection", digits: 1 },
      { key: "anon", label: "of it anonymous", digits: 1 },
      { key: "base", label: `MB with ${IDLE_BASE}`, digits: 1 },
    ],
    fresh: true,
    entries: (peers) => proxies(peers),
    begin: (target) => Promise.resolve(() => idle(target)),
  },
  {
    name: "open",
    title: `Requests beside ${
      MANY_OPEN.toLocaleString("en")
    } idle connections and beside ${FEW_OPEN}`,
    routing: "host",
    metrics: [
      { key: "growth", label: "ratio", digits: 2 },
      { key: "few", label: `CPU µs/request, ${FEW_OPEN}`, digits: 1 },
      { key: "many", label: `CPU µs/request, ${MANY_OPEN}`, digits: 1 },
    ],
    entries: (peers) => proxies(peers.filter((peer) => peer.name !== "naive")),
    begin: (target) => Promise.resolve(() => open(target)),
  },
  {
    name: "log",
    title: "One connection per request, access log off and on",
    routing: "host",
    metrics: [perConnection, {
      key: "rate",
      label: "connections/s",
      digits: 0,
    }],
    entries: (peers) =>
      ownEntries(peers, [["", "log off", {}], ["+log", "log on", {
        accessLog: true,
      }]]),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
  {
    name: "workers",
    title: "One connection per request, one worker and two",
    routing: "host",
    metrics: [
      { key: "rate", label: "connections/s", digits: 0 },
      perConnection,
    ],
    entries: (peers) =>
      ownEntries(peers, [["", "1 worker", {}], ["+worker", "2 workers", {
        workers: 2,
      }]]),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
];

/** Requests by wrk: CPU time for each, and how many there were in a second. */
async function httpCase(
  target: Target,
  options: Omit<HttpOptions, "seconds">,
): Promise<() => Promise<Sample>> {
  const { stage, running } = target;
  const warm = await httpLoad(stage, running.port, {
    ...options,
    seconds: WARM_UP,
  });
  let { seconds } = target;
  if (options.close === true) {
    const most = Math.floor(MAX_CONNECTIONS / (warm.requests / warm.seconds));
    seconds = Math.max(1, Math.min(seconds, most));
  }
  return async () => {
    const { result, sample } = await measured(
      target,
      () => httpLoad(stage, running.port, { ...options, seconds }),
      ({ requests }) => requests,
    );
    return {
      ...sample,
      rate: result.requests / result.seconds,
      p50: result.p50Micros,
      p99: result.p99Micros,
    };
  };
}

function bulk(name: string, title: string, reverse: boolean): Workload {
  return {
    name,
    title,
    routing: "iperf",
    metrics: [
      { key: "rate", label: "Gbit/s", digits: 2 },
      { key: "cpu", label: "CPU ms/GB", digits: 0 },
    ],
    entries: (peers) => plainEntries(peers),
    async begin(target) {
      const run = (seconds: number) =>
        bulkLoad(target.stage, target.running.port, target.serverPort, {
          seconds,
          reverse,
        });
      await run(1);
      return async () => {
        const { result, sample } = await measured(
          target,
          () => run(target.seconds),
          // 10^9 bytes cost so many ms: the same as 10^6 bytes and µs.
          ({ bytes }) => bytes / 1e6,
        );
        return { ...sample, rate: result.bitsPerSecond / 1e9 };
      };
    },
  };
}

/** Memory that each of many idle connections holds, once the first ones have paid for the rest. */
async function idle({ stage, running }: Target): Promise<Sample> {
  const held = holdConnections(stage, running.port);
  try {
    await held.set(IDLE_BASE);
    await sleep(1);
    const before = running.memory();
    await held.set(IDLE_BASE + IDLE);
    await sleep(3);
    const after = running.memory();
    await held.check();
    return {
      rss: (after.rss - before.rss) / IDLE / 1024,
      anon: (after.anon - before.anon) / IDLE / 1024,
      base: before.rss / 1024 / 1024,
    };
  } finally {
    await held.release();
  }
}

/** What a request costs beside few idle connections and beside many. */
async function open(target: Target): Promise<Sample> {
  const { stage, running } = target;
  const held = holdConnections(stage, running.port);
  const options = { connections: CLIENTS, seconds: target.seconds };
  const beside = async (count: number) => {
    await held.set(count);
    await httpLoad(stage, running.port, { ...options, seconds: 1 });
    const { sample } = await measured(
      target,
      () => httpLoad(stage, running.port, options),
      ({ requests }) => requests,
    );
    await held.check();
    return sample;
  };
  try {
    const few = await beside(FEW_OPEN);
    const many = await beside(MANY_OPEN);
    const [fewCost = NaN, manyCost = NaN] = [few["cpu"], many["cpu"]];
    return {
      few: fewCost,
      many: manyCost,
      growth: manyCost / fewCost,
      others: Math.max(few["others"] ?? 0, many["others"] ?? 0),
      stolen: Math.max(few["stolen"] ?? 0, many["stolen"] ?? 0),
    };
  } finally {
    await held.release();
  }
}

/**
 * Does some work and finds what it cost the proxy, per unit, and how much of the machine others had
 * in the meantime.
 *
 * @param units How many requests, connections or megabytes the work was.
 */
async function measured<T>(
  target: Target,
  work: () => Promise<T>,
  units: (result: T) => number,
): Promise<{ result: T; sample: Sample }> {
  const { running } = target;
  const start = performance.now();
  const [proxy, ours, machine] = [running.cpu(), ownTime(), machineTime()];
  const result = await work();
  // Let the last connections be closed: that is part of the work.
  await sleep(0.05);
  const cpu = running.cpu() - proxy;
  const own = ownTime() - ours;
  const { busy, stolen } = machineTime();
  const cores = (performance.now() - start) * 1e3 *
    navigator.hardwareConcurrency;
  return {
    result,
    sample: {
      ...(cpu > 0 ? { cpu: cpu / units(result) } : {}),
      others: Math.max(0, busy - machine.busy - own) / cores,
      stolen: (stolen - machine.stolen) / cores,
      timeWait: timeWaitSockets(),
    },
  };
}

/** CPU time of this benchmark and of all that it has started. */
function ownTime(): number {
  return cpuMicros(Deno.pid, { reaped: true });
}

function plainEntries(peers: readonly Peer[]): Entry[] {
  return peers.map((peer) => ({ name: peer.name, label: peer.label, peer }));
}

function proxies(peers: readonly Peer[]): Entry[] {
  return plainEntries(peers.filter((peer) => peer.name !== "direct"));
}

/** This proxy, once with each of several options. */
function ownEntries(
  peers: readonly Peer[],
  variants: readonly [suffix: string, label: string, setup: Partial<Setup>][],
): Entry[] {
  return peers.filter((peer) => ["proxymachine", "other"].includes(peer.name))
    .flatMap((peer) =>
      variants.map(([suffix, label, setup]) => ({
        name: peer.name + suffix,
        label: `${peer.label}, ${label}`,
        peer,
        setup,
      }))
    );
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
