// @ts-check
/// <reference lib="dom" />
/** @import { Listener, LogEntry, Member, RemoteEntry, RouteEntry, Worker } from "../json_types.ts" */
import { address, faults, number, state, when, word } from "./columns.js";
import { bytes, count, duration } from "./format.js";
import { Table } from "./table.js";

/**
 * A name and how often.
 *
 * @typedef {object} Counted
 * @property {string} name
 * @property {number} count
 */

/** Rows that are shown at first of what there may be hundreds. */
const LIMIT = 15;

/** @returns {Table<Worker>} The workers of all generations. */
export function workersTable() {
  return new Table({
    caption: "Workers",
    id: ({ id }) => String(id),
    empty: "No worker runs.",
    sort: "id",
    columns: [
      word("id", "Worker"),
      word("generation", "Generation"),
      state("state", "State"),
      number("connections", "Open"),
      number("eventLoopLag", "Lag", duration),
      number("heapUsed", "Heap", bytes),
    ],
  });
}

/** @returns {Table<Listener>} Where clients connect to. */
export function listenersTable() {
  return new Table({
    caption: "Listeners",
    id: ({ name, address }) => `${name} ${address}`,
    empty: "Nothing listens.",
    columns: [
      address("address", "Address"),
      word("name", "Name"),
      {
        key: "tls",
        label: "TLS",
        text: ({ tls }) => tls ? "yes" : "no",
      },
      {
        key: "proxy",
        label: "PROXY header",
        text: ({ acceptProxy }) => acceptProxy ? "asked for" : "no",
      },
    ],
  });
}

/**
 * @param {string} caption What is counted.
 * @param {string} label What the names are.
 * @param {string} empty What is said if there is nothing.
 * @returns {Table<Counted>} Names and how often each happened.
 */
export function countsTable(caption, label, empty) {
  return new Table({
    caption,
    id: ({ name }) => name,
    empty,
    sort: "count",
    limit: LIMIT,
    columns: [word("name", label), number("count", "Times")],
  });
}

/**
 * @param {(member: Member & { pool: string }, drain: boolean) => void} change
 * Drains a member, or ends that.
 * @returns {Table<Member & { pool: string, policy: string }>} Members of pools.
 */
export function poolsTable(change) {
  return new Table({
    caption: "Pools",
    id: ({ pool, remote }) => `${pool} ${remote}`,
    empty: "The configuration has no pools.",
    sort: "pool",
    columns: [
      address("remote", "Member"),
      word("pool", "Pool"),
      word("policy", "Policy"),
      state("state", "State"),
      when("since", "Since"),
      number("weight", "Weight"),
      number("connections", "Open"),
      number("picks", "Picks"),
      faults("failures", "Failures"),
      {
        key: "drain",
        label: "Change",
        text: () => "",
        action(member) {
          const { remote, pool, state, weight } = member;
          // the configuration keeps it out of use
          if (weight === 0) return undefined;
          const drained = state === "draining";
          const label = drained ? "Undrain" : "Drain";
          return {
            label,
            title: `${label} ${remote} of ${pool}`,
            run: () => change(member, !drained),
          };
        },
      },
    ],
  });
}

/** @returns {Table<RouteEntry>} Routes and how many connections they got. */
export function routesTable() {
  return new Table({
    caption: "Routes",
    id: ({ name }) => name,
    empty: "No connection had a route yet.",
    sort: "hits",
    limit: LIMIT,
    columns: [
      word("name", "Route"),
      number("hits", "Hits"),
      faults("failed", "Failed"),
      number("in", "In", bytes),
      number("out", "Out", bytes),
    ],
  });
}

/** @returns {Table<RemoteEntry>} Remotes and what went wrong with them. */
export function remotesTable() {
  return new Table({
    caption: "Remotes",
    id: ({ remote }) => remote,
    empty: "No connection had a remote yet.",
    sort: "connections",
    limit: LIMIT,
    columns: [
      address("remote", "Remote"),
      number("open", "Open"),
      number("connections", "Total"),
      number("connectSeconds", "Connect", duration),
      faults("failed", "Failed"),
      {
        key: "errors",
        label: "Errors",
        text: ({ errors }) =>
          Object.entries(errors)
            .map(([name, times]) => `${name} ${count(times)}`)
            .join(", ") || "none",
      },
    ],
  });
}

/** @returns {Table<LogEntry>} Warnings and errors of the log. */
export function errorsTable() {
  return new Table({
    caption: "Last warnings and errors",
    id: ({ time, message }) => `${time} ${message}`,
    empty: "The log has no warnings or errors.",
    sort: "time",
    limit: LIMIT,
    columns: [
      when("time", "Time"),
      state("level", "Level"),
      number("count", "Times"),
      word("message", "Message"),
    ],
  });
}
