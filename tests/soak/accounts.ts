/**
 * Whether all adds up: what the clients have done, what the proxy has counted,
 * and what its logs say.
 *
 * @module
 */
import type { Done } from "./clients.ts";
import { LOADS } from "./loads.ts";
import type { Counted } from "./sampler.ts";

/** What has to agree. */
export interface Accounts {
  /** What the clients have done. */
  readonly done: readonly Done[];
  /** Connections of the sampler, which the router has answered. */
  readonly probes: number;
  /** The counters of the proxy, when nothing was open any more. */
  readonly counted: Counted;
  /** The reloads that were asked for. */
  readonly reloads: readonly { readonly good: boolean }[];
  /** The operational log. */
  readonly log: readonly string[];
  /** The access log. */
  readonly access: readonly string[];
}

/** Counters that do not tell how a connection has ended. */
const OTHER_COUNTERS = ["connect-retries", "reloads", "reloads-failed"];

/** Lines of the log that say that all is well. */
const USUAL = [
  / Listening on /,
  / Status page at /,
  / Send \w+ /,
  / Connections: /,
  / Counters: /,
  / Reloading: received HUP signal$/,
  / Reloaded: generation \d+ serves with 2 workers; \d+ connections /,
  / Cannot reload, and go on as before: .*broken/,
  / Retrying connection with 127\.0\.0\.1:1 /,
  / Connect 127\.0\.0\.1:1 failed, trying /,
  / Member 127\.0\.0\.1:1 of pool http is down/,
  / Cannot ask Redis for route:.*: the last known remotes hold until it/,
  / Connected to Redis: /,
  / Received QUIT signal\./,
  / Waiting for \d+ connections to finish\.$/,
];

/** What there is one line of the log for, by how the connection has ended. */
const LINES: readonly (readonly [end: string, line: RegExp])[] = [
  ["connect-failed", / Connect 127\.0\.0\.1:1 failed after 10 retries: /],
  ["remote-left", / closed before it sent a byte /],
  ["inactivity-timeout", / must send a byte within inactivityTimeout: /],
  ["router-error", /current value is "nowhere"|thrown by the router/],
  ["preread-limit", / must decide within --max-preread: /],
  ["preread-timeout", / must decide within --preread-timeout: /],
  ["tls-failed", / TLS /],
];

/**
 * Compares.
 *
 * @returns A sentence for each thing that does not agree.
 */
export function checkAccounts(accounts: Accounts): readonly string[] {
  return [
    ...checkClients(accounts),
    ...checkCounters(accounts),
    ...checkMetrics(accounts),
    ...checkAccessLog(accounts),
    ...checkEnds(accounts),
    ...checkLog(accounts),
  ];
}

function* checkClients({ done }: Accounts): Iterable<string> {
  for (const { name, failures, errors } of done) {
    if (failures > 0) yield `${name}: ${failures} failed: ${errors.join("; ")}`;
  }
}

function* checkCounters(
  { done, probes, counted, reloads }: Accounts,
): Iterable<string> {
  const opened = done.reduce((sum, { connections }) => sum + connections, 0) +
    probes;
  const ended = sum(endsOf(counted).values());
  if (counted.total !== opened) {
    yield `clients have opened ${opened} connections, and the proxy has accepted ${counted.total}`;
  }
  if (ended !== counted.total) {
    yield `${counted.total} connections were accepted, and ${ended} have ended`;
  }
  if (counted.open !== 0 || counted.connected !== 0) {
    yield `${counted.open} connections are open, ${counted.connected} with a remote`;
  }
  const good = reloads.filter(({ good }) => good).length;
  if ((counted.counts.get("reloads") ?? 0) !== good) {
    yield `of ${good} reloads, ${counted.counts.get("reloads")} were counted`;
  }
  const bad = reloads.length - good;
  if ((counted.counts.get("reloads-failed") ?? 0) !== bad) {
    yield `of ${bad} reloads that fail, ${
      counted.counts.get("reloads-failed")
    } were counted`;
  }
}

/** The metrics say what the counters say. */
function* checkMetrics({ counted }: Accounts): Iterable<string> {
  const { metrics, total } = counted;
  const ended = endsOf(counted);
  const expected = [
    ["proxymachine_connections_total", total],
    ["proxymachine_connection_seconds_count", total],
    ["proxymachine_connections", 0],
    ["proxymachine_connections_joined", 0],
    ["proxymachine_generations", 1],
    ...[...ended].map(([reason, count]) =>
      [
        `proxymachine_connections_ended_total{reason="${reason}"}`,
        count,
      ] as const
    ),
  ] as const;
  for (const [name, count] of expected) {
    const told = metrics.get(name);
    if (told !== count) yield `${name} is ${told}, and not ${count}`;
  }
}

/** Each connection has a line, and the lines say what the counters say. */
function* checkAccessLog({ access, counted }: Accounts): Iterable<string> {
  const ids = new Set(access.map((line) => / id=(\d+) /.exec(line)?.[1]));
  if (access.length !== counted.total || ids.size !== counted.total) {
    yield `the access log has ${access.length} lines of ${ids.size} connections, and there were ${counted.total}`;
  }
  const lines = countBy(access, (line) => / end=([\w-]+)$/.exec(line)?.[1]);
  for (const [end, count] of endsOf(counted)) {
    if (lines.get(end) !== count) {
      yield `${count} connections were counted as ${end}, and ${
        lines.get(end) ?? 0
      } have such a line`;
    }
  }
}

/** For each reason, as many connections have ended as the clients explain. */
function* checkEnds({ done, probes, counted }: Accounts): Iterable<string> {
  const least = new Map([["router-close", probes]]);
  const most = new Map(least);
  const add = (to: Map<string, number>, end: string, count: number) =>
    to.set(end, (to.get(end) ?? 0) + count);
  for (const { name, connections } of done) {
    const ends = LOADS.find((load) => load.name === name)?.ends ?? [];
    for (const end of ends) {
      add(most, end, connections);
      if (ends.length === 1) add(least, end, connections);
    }
  }
  const ended = endsOf(counted);
  for (const end of new Set([...ended.keys(), ...most.keys()])) {
    const count = ended.get(end) ?? 0;
    const [from, to] = [least.get(end) ?? 0, most.get(end) ?? 0];
    if (count < from || count > to) {
      yield `${count} connections have ended as ${end}, and the clients account for ${
        from === to ? from : `${from} to ${to}`
      }`;
    }
  }
}

/** Each fault has its line, and there are no others. */
function* checkLog({ log, counted }: Accounts): Iterable<string> {
  const rest = log.filter((line) =>
    !USUAL.some((usual) => usual.test(line)) &&
    !LINES.some(([, pattern]) => pattern.test(line))
  );
  if (rest.length > 0) {
    yield `the log has ${rest.length} lines that were not expected, such as: ${
      rest.slice(0, 3).join(" | ")
    }`;
  }
  for (const [end, pattern] of LINES) {
    const lines = log.filter((line) => pattern.test(line)).length;
    const count = counted.counts.get(end) ?? 0;
    if (lines !== count) {
      yield `${count} connections have ended as ${end}, and the log has ${lines} lines about that`;
    }
  }
}

/** How connections have ended. */
function endsOf({ counts }: Counted): Map<string, number> {
  return new Map(
    [...counts].filter(([name]) => !OTHER_COUNTERS.includes(name)),
  );
}

function countBy<Item, Key>(
  items: Iterable<Item>,
  key: (item: Item) => Key,
): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const item of items) {
    counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  }
  return counts;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((sum, number) => sum + number, 0);
}
