/**
 * The connections of a worker that are open, for the status page.
 *
 * @module
 */
import { formatAddress } from "../net/address.ts";
import type { Client } from "../router/contract.ts";

/** What the connections can be sorted by. */
export const SORT_KEYS = [
  "id",
  "worker",
  "listener",
  "client",
  "remote",
  "route",
  "stage",
  "seconds",
  "in",
  "out",
] as const;

/** One of {@linkcode SORT_KEYS}. */
export type SortKey = typeof SORT_KEYS[number];

/** Which connections are wanted. */
export interface ConnectionQuery {
  /** What one of the texts of a connection has; small letters; empty for all. */
  readonly search: string;
  readonly sort: SortKey;
  readonly descending: boolean;
  /** How many, at most. */
  readonly limit: number;
  /** Up to when ages are counted, in milliseconds of Unix time. */
  readonly now: number;
}

/** A connection. */
export interface ConnectionRow {
  readonly id: number;
  readonly listener: string;
  readonly client: string;
  readonly remote: string | null;
  readonly route: string | null;
  readonly stage: string;
  /** Since accept. */
  readonly seconds: number;
  /** Bytes received from the client. */
  readonly in: number;
  /** Bytes sent to the client. */
  readonly out: number;
}

/** The connections of a worker. */
export interface ConnectionList {
  /** How many match. */
  readonly total: number;
  /** The first of them. */
  readonly rows: readonly ConnectionRow[];
}

/** A connection, as the list sees it. */
export interface ListedConnection {
  readonly info: Pick<Client, "id" | "listener" | "remoteAddr">;
  /** The client's address. */
  readonly peer: string;
  readonly remote: string | undefined;
  readonly route: string | undefined;
  readonly stage: string;
  /** `performance.now()` at accept. */
  readonly started: number;
  /** Bytes received from the client. */
  readonly received: number;
  /** Bytes sent to the client. */
  readonly sent: number;
  isClosed(): boolean;
}

/** Connections that are looked at before others get a turn. */
const SLICE = 1000;

/**
 * Lists connections. Takes turns with what the worker has to do otherwise.
 *
 * @param connections Those that are open, as they change.
 * @param query Which of them are wanted.
 */
export async function listConnections(
  connections: Iterable<ListedConnection>,
  query: ConnectionQuery,
): Promise<ConnectionList> {
  const { search, sort, limit } = query;
  const order = comparing(query, (item: Found) => item.key);
  let found: Found[] = [];
  let total = 0;
  let looked = 0;
  for (const connection of connections) {
    if (++looked % SLICE === 0) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (connection.isClosed() || !matches(connection, search)) continue;
    total++;
    found.push({ connection, key: keyOf(connection, sort) });
    if (found.length >= 2 * limit + SLICE) {
      found = found.sort(order).slice(0, limit);
    }
  }
  const rows = found.sort(order).slice(0, limit)
    .map(({ connection }) => rowOf(connection, query.now));
  return { total, rows };
}

interface Found {
  readonly connection: ListedConnection;
  readonly key: string | number;
}

/**
 * Compares by a key, as a query says.
 *
 * @param keyOf Gives the key of an item.
 * @returns For `sort`.
 */
export function comparing<T>(
  { descending }: Pick<ConnectionQuery, "descending">,
  keyOf: (item: T) => string | number,
): (a: T, b: T) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [first, second] = [keyOf(a), keyOf(b)];
    return first < second ? -sign : first > second ? sign : 0;
  };
}

function matches(connection: ListedConnection, search: string): boolean {
  if (search === "") return true;
  const { info, remote, route, stage } = connection;
  const texts = [
    String(info.id),
    info.listener,
    connection.peer,
    remote,
    route,
    stage,
  ];
  return texts.some((text) => text?.toLowerCase().includes(search));
}

function keyOf(connection: ListedConnection, sort: SortKey): string | number {
  switch (sort) {
    case "id":
      return connection.info.id;
    case "worker":
      return 0; // that of one worker
    case "listener":
      return connection.info.listener;
    case "client":
      return connection.peer;
    case "remote":
    case "route":
      return connection[sort] ?? "";
    case "stage":
      return connection.stage;
    case "seconds":
      return -connection.started;
    case "in":
      return connection.received;
    case "out":
      return connection.sent;
  }
}

/**
 * Describes a connection. Workers are asked one by one, and have a clock each:
 * their ages are comparable only if they are of the same moment.
 */
function rowOf(connection: ListedConnection, now: number): ConnectionRow {
  const { info, remote = null, route = null, stage } = connection;
  const age = now - performance.timeOrigin - connection.started;
  return {
    id: info.id,
    listener: info.listener,
    client: formatAddress(info.remoteAddr),
    remote,
    route,
    stage,
    seconds: Math.max(0, Math.round(age)) / 1000,
    in: connection.received,
    out: connection.sent,
  };
}
