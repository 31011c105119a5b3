/**
 * The cases: which peers each compares, what it does to them, and what it
 * counts.
 *
 * @module
 */

import {
  bulkCase,
  CLIENTS,
  FEW_OPEN,
  httpCase,
  IDLE,
  IDLE_BASE,
  idleCase,
  MANY_OPEN,
  openCase,
} from "./measure.ts";
import type { Sample, Target } from "./measure.ts";
import type { Peer, Setup } from "./peers.ts";
import { RULES } from "./peers/routers.ts";
import type { Routing } from "./peers/routers.ts";

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

const perRequest: Metric = { key: "cpu", label: "CPU µs/request", digits: 1 };
const perConnection: Metric = { ...perRequest, label: "CPU µs/connection" };
const requests: Metric = { key: "rate", label: "requests/s", digits: 0 };
const connections: Metric = { ...requests, label: "connections/s" };

/** All cases, in the order in which they run. */
export const workloads: readonly Workload[] = [
  {
    name: "keepalive",
    title: `Small requests over ${CLIENTS} lasting connections`,
    routing: "host",
    metrics: [perRequest, requests],
    entries: (peers) => allEntries(peers),
    begin: (target) => httpCase(target, { connections: CLIENTS }),
  },
  {
    name: "connect",
    title: "One connection per request",
    routing: "host",
    metrics: [perConnection, connections],
    entries: (peers) => allEntries(peers),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
  {
    name: "rules",
    title: `One connection per request, ${RULES} rules tried in order`,
    routing: "rules",
    metrics: [perConnection, connections],
    entries: (peers) => [
      ...allEntries(peers.filter((peer) => peer.programmable)),
      ...ownEntries(peers, [["+loop", "a loop", { routing: "loop" }]]),
    ],
    // Fewer clients: njs spends megabytes per connection on this, and thrashes
    // with 32.
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
    begin: (target) => Promise.resolve(() => idleCase(target)),
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
    begin: openCase,
  },
  {
    name: "log",
    title: "One connection per request, access log off and on",
    routing: "host",
    metrics: [perConnection, connections],
    entries: (peers) =>
      ownEntries(peers, [
        ["", "log off", {}],
        ["+log", "log on", { accessLog: true }],
      ]),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
  {
    name: "stats",
    title: "One connection per request, admin server off and on",
    routing: "host",
    metrics: [perConnection, connections],
    entries: (peers) =>
      ownEntries(peers, [
        ["", "admin off", {}],
        ["+admin", "admin on", { admin: true }],
      ]),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
  {
    name: "workers",
    title: "One connection per request, one worker and two",
    routing: "host",
    metrics: [connections, perConnection],
    entries: (peers) =>
      ownEntries(peers, [
        ["", "1 worker", {}],
        ["+worker", "2 workers", { workers: 2 }],
      ]),
    begin: (target) => httpCase(target, { connections: CLIENTS, close: true }),
  },
];

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
    begin: (target) => bulkCase(target, reverse),
  };
}

/** Without the floor, which is there for what its operations cost. */
function plainEntries(peers: readonly Peer[]): Entry[] {
  return allEntries(peers.filter((peer) => peer.name !== "floor"));
}

function allEntries(peers: readonly Peer[]): Entry[] {
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
