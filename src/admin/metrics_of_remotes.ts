/**
 * The metrics by route, remote and pool.
 *
 * @module
 */
import { FAILURES } from "../stats/statistics.ts";
import { readPools } from "../pool/main_thread.ts";
import type { MetricSet } from "./metric_set.ts";
import { openByRemote } from "./remotes.ts";
import type { Source } from "./program.ts";

/** The states of a member of a pool. */
const MEMBER_STATES = [
  "up",
  "down",
  "probing",
  "checked-down",
  "draining",
] as const;

/** Adds what has become of the connections of each route. */
export function addRoutes(metrics: MetricSet, source: Source): void {
  const { routes } = source.totals;
  metrics.counter(
    "proxymachine_route_decisions_total",
    "Decisions, by route.",
    ["route"],
    () => [...routes].map(([route, { hits }]) => [{ route }, hits]),
  );
  metrics.counter(
    "proxymachine_route_failures_total",
    "Connections that the router or the remote failed, by route.",
    ["route"],
    () => [...routes].map(([route, { failed }]) => [{ route }, failed]),
  );
  metrics.counter(
    "proxymachine_route_bytes_total",
    "Bytes received from clients (in) and sent to them (out), by route.",
    ["route", "direction"],
    () =>
      [...routes].flatMap(([route, { received, sent }]) => [
        [{ route, direction: "in" }, received],
        [{ route, direction: "out" }, sent],
      ]),
  );
}

/** Adds what has become of the connections to each remote. */
export function addRemotes(metrics: MetricSet, source: Source): void {
  const { remotes } = source.totals;
  metrics.gauge(
    "proxymachine_remote_connections",
    "Connections to a remote that are open.",
    ["remote"],
    () =>
      [...openByRemote(source)]
        .map(([remote, open]) => [{ remote }, open]),
  );
  metrics.counter(
    "proxymachine_remote_connections_total",
    "Connections to a remote that were made.",
    ["remote"],
    () =>
      [...remotes]
        .map(([remote, { connections }]) => [{ remote }, connections]),
  );
  metrics.counter(
    "proxymachine_remote_connect_seconds_total",
    "Time that it took to make them.",
    ["remote"],
    () =>
      [...remotes].map((
        [remote, { connectSeconds }],
      ) => [{ remote }, connectSeconds]),
  );
  metrics.counter(
    "proxymachine_remote_failures_total",
    "Failures of a remote, each try to connect counted, by reason.",
    ["remote", "reason"],
    () =>
      [...remotes].flatMap(([remote, { failures }]) =>
        FAILURES.map((reason, index) =>
          [{ remote, reason }, failures[index] ?? 0] as const
        )
      ),
  );
}

/** Adds the members of the pools. */
export function addPools(metrics: MetricSet, source: Source): void {
  const members = () =>
    readPools(source.pools).flatMap(({ name, members }) =>
      members.map((member) =>
        [{ pool: name, remote: member.remote }, member] as const
      )
    );
  metrics.gauge(
    "proxymachine_pool_member_state",
    "1 for the state that a member of a pool is in.",
    ["pool", "remote", "state"],
    () =>
      members().flatMap(([labels, member]) =>
        MEMBER_STATES.map((state) =>
          [{ ...labels, state }, Number(member.state === state)] as const
        )
      ),
  );
  metrics.gauge(
    "proxymachine_pool_member_connections",
    "Connections that a member of a pool has.",
    ["pool", "remote"],
    () => members().map(([labels, { active }]) => [labels, active]),
  );
  metrics.counter(
    "proxymachine_pool_member_picks_total",
    "How often a member of a pool was chosen.",
    ["pool", "remote"],
    () => members().map(([labels, { picks }]) => [labels, picks]),
  );
  metrics.counter(
    "proxymachine_pool_member_failures_total",
    "How often it has failed before a byte came.",
    ["pool", "remote"],
    () => members().map(([labels, { failed }]) => [labels, failed]),
  );
}
