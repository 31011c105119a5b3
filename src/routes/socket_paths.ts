/**
 * The socket files that a route table connects to.
 *
 * @module
 */
import { isUnix, parseSocketPath } from "../net/address.ts";
import type { Action, RouteTable, Template } from "./route_table.ts";

/**
 * Finds the socket files that a table names. Those that a variable makes are
 * not among them, as a client may choose its value.
 *
 * @returns Their paths, each once.
 */
export function tableSockets(table: RouteTable): string[] {
  const actions = table.routes.map(({ action }) => action);
  if (table.otherwise !== "router") actions.push(table.otherwise);
  const members = table.pools.flatMap(({ options }) => options.members);
  const remotes = members.map((one) =>
    typeof one === "string" ? one : one.remote
  );
  return [
    ...new Set([
      ...actions.flatMap(socketsOf),
      ...remotes.flatMap((remote) => socketOf([remote])),
    ]),
  ];
}

function socketsOf(action: Action): string[] {
  if (action.kind !== "remote") return [];
  return action.remotes.flatMap(socketOf);
}

function socketOf([text, ...more]: Template): string[] {
  if (typeof text !== "string" || more.length > 0 || !isUnix(text)) return [];
  const parsed = parseSocketPath(text);
  return typeof parsed === "string" ? [] : [parsed.path];
}
