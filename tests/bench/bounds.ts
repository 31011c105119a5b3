/**
 * What this proxy has to reach, checked against one run.
 *
 * @module
 */

import { find, median, ratioOf, valuesOf } from "./statistics.ts";
import type { Ratio, Results } from "./statistics.ts";

/** A bound and what the run says of it. */
export interface Verdict {
  bound: string;
  /** `"<="` if the value must not exceed the limit. */
  relation: "<=" | ">=";
  limit: number;
  /** `undefined` if the run lacks a measurement that it takes. */
  value?: number;
  range?: readonly [number, number];
  met?: boolean;
}

interface Bound {
  bound: string;
  /** The case that it is about. */
  workload: string;
  relation: "<=" | ">=";
  limit: number;
  value(results: Results): Ratio | undefined;
}

const bounds: readonly Bound[] = [
  against("new connection + decision, CPU against HAProxy + Lua", "<=", 1.4, {
    workload: "connect",
    other: "haproxy-lua",
  }),
  against("small keep-alive requests, CPU against HAProxy", "<=", 1.4, {
    workload: "keepalive",
    other: "haproxy",
  }),
  ...(["bulk-up", "bulk-down"] as const).flatMap((workload) => [
    against(`${workload}, throughput against nginx stream`, ">=", 1.2, {
      workload,
      other: "nginx",
      metric: "rate",
    }),
    against(`${workload}, throughput against HAProxy`, ">=", 1.2, {
      workload,
      other: "haproxy",
      metric: "rate",
    }),
  ]),
  {
    bound: "memory of an idle connection, KB",
    workload: "idle",
    relation: "<=",
    limit: 12,
    value: (results) => itself(results, "idle", "rss"),
  },
  {
    bound: "small keep-alive requests, CPU of pipeTo against this",
    workload: "keepalive",
    relation: ">=",
    limit: 2.5,
    value: (results) => inverse(results, "keepalive", "naive"),
  },
  {
    bound: "new connections, CPU of pipeTo against this",
    workload: "connect",
    relation: ">=",
    limit: 2,
    value: (results) => inverse(results, "connect", "naive"),
  },
  against("1,000 rules, CPU against HAProxy + Lua", "<=", 0.5, {
    workload: "rules",
    other: "haproxy-lua",
  }),
  against("1,000 rules, CPU against nginx + njs", "<=", 0.5, {
    workload: "rules",
    other: "nginx-njs",
  }),
  {
    bound: "access log on against off, CPU",
    workload: "log",
    relation: "<=",
    limit: 1.08,
    value: (results) =>
      ratioOf(
        find(results, "log", "proxymachine+log"),
        find(results, "log", "proxymachine"),
        "cpu",
      ),
  },
  {
    bound: "admin server on against off, CPU",
    workload: "stats",
    relation: "<=",
    limit: 1.03,
    value: (results) =>
      ratioOf(
        find(results, "stats", "proxymachine+admin"),
        find(results, "stats", "proxymachine"),
        "cpu",
      ),
  },
  {
    bound: "8,000 open connections against 100, CPU per request",
    workload: "open",
    relation: "<=",
    limit: 1.2,
    value: (results) => itself(results, "open", "growth"),
  },
];

/** Checks the bounds of those cases that were run. */
export function verdicts(results: Results): Verdict[] {
  return bounds.filter(({ workload }) => results.has(workload)).map(
    ({ bound, relation, limit, value }) => {
      const ratio = value(results);
      if (ratio === undefined) return { bound, relation, limit };
      const met = relation === "<="
        ? ratio.value <= limit
        : ratio.value >= limit;
      return {
        bound,
        relation,
        limit,
        value: ratio.value,
        range: ratio.range,
        met,
      };
    },
  );
}

/** This proxy's metric divided by a peer's. */
function against(
  bound: string,
  relation: "<=" | ">=",
  limit: number,
  of: { workload: string; other: string; metric?: string },
): Bound {
  return {
    bound,
    workload: of.workload,
    relation,
    limit,
    value: (results) =>
      ratioOf(
        find(results, of.workload, "proxymachine"),
        find(results, of.workload, of.other),
        of.metric ?? "cpu",
      ),
  };
}

/** A peer's CPU time divided by this proxy's. */
function inverse(
  results: Results,
  workload: string,
  other: string,
): Ratio | undefined {
  return ratioOf(
    find(results, workload, other),
    find(results, workload, "proxymachine"),
    "cpu",
  );
}

/** A metric of this proxy that is bounded by itself. */
function itself(
  results: Results,
  workload: string,
  metric: string,
): Ratio | undefined {
  const values = valuesOf(find(results, workload, "proxymachine"), metric);
  if (values.length === 0) return undefined;
  return {
    value: median(values),
    range: [Math.min(...values), Math.max(...values)],
  };
}
