/**
 * A route table as text, the way it was understood.
 *
 * @module
 */
import { SETTINGS } from "../decision/keys.ts";
import { planTable } from "../redis/checked_options.ts";
import { findShadowed } from "./find_unreachable.ts";
import { describeMatch } from "./matchers/match.ts";
import type { Action, Content, RouteTable, TlsAction } from "./route_table.ts";
import { formatTemplate } from "./template.ts";

/** The most characters of a match or an action on a line. */
const MAX_WIDTH = 200;

/**
 * Writes a table, a line for each route: number, line in the file, name, match
 * and action; then the routes that can never win.
 *
 * @param router What the operator calls the module for the rest, if there is
 * one.
 */
export function describeTable(
  table: RouteTable,
  router: string | undefined,
): string[] {
  const lines = table.routes.map(({ name, line, match, action }, index) => {
    const title = name === undefined ? "" : ` (${name})`;
    return `route ${index + 1}, line ${line}${title}: ${
      shorten(describeMatch(match))
    } -> ${shorten(describeAction(action))}`;
  });
  lines.push(
    table.otherwise === "router"
      ? `default: the router ${router}`
      : `default: ${shorten(describeAction(table.otherwise))}`,
  );
  for (const { name, options } of table.tables) {
    lines.push(`table ${name}: ${planTable(options).title}`);
  }
  const { shadowed, compared } = findShadowed(table.routes);
  for (const { route, by } of shadowed) {
    const line = table.routes[route]?.line;
    const routes = by.map((number) => number + 1).join(", ");
    lines.push(
      `unreachable: route ${route + 1}, line ${line}: its clients are all for ${
        by.length === 1 ? "route" : "routes"
      } ${routes}`,
    );
  }
  if (compared < table.routes.length) {
    lines.push(
      `unreachable: from route ${
        compared + 1
      } on, looked for among names only, as there are so many routes`,
    );
  }
  return lines;
}

function shorten(text: string): string {
  return text.length > MAX_WIDTH ? `${text.slice(0, MAX_WIDTH)}…` : text;
}

/**
 * Writes an action on one line.
 *
 * @returns Such as `remote 10.0.0.1:80, connectTimeout 2`.
 */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case "close":
      return action.content === undefined
        ? "close"
        : `close after ${describeContent(action.content)}`;
    case "reply":
      return `reply ${
        describeContent(action.reply)
      }, consume ${action.consume}, and go on routing`;
    case "remote": {
      const { remotes, pool, table, key, reply, tls } = action;
      const parts = pool !== undefined
        ? [`pool ${pool}`]
        : table !== undefined
        ? [`table ${table}`]
        : [`remote ${remotes.map(formatTemplate).join(" | ")}`];
      if (key !== undefined) {
        parts.push(`key ${JSON.stringify(formatTemplate(key))}`);
      }
      if (reply !== undefined) parts.push(`reply ${describeContent(reply)}`);
      for (const key of SETTINGS) {
        if (action[key] !== undefined) parts.push(`${key} ${action[key]}`);
      }
      if (tls !== undefined) parts.push(describeTls(tls));
      return parts.join(", ");
    }
  }
}

function describeTls(tls: true | TlsAction): string {
  if (tls === true) return "tls";
  const { serverName, ca, alpn } = tls;
  const parts: string[] = [];
  if (serverName !== undefined) parts.push(`serverName ${serverName}`);
  if (ca.length > 0) parts.push("ca of its own");
  if (alpn !== undefined) parts.push(`alpn ${alpn.join(" ")}`);
  return `tls with ${parts.join(", ")}`;
}

function describeContent(content: Content): string {
  return content instanceof Uint8Array
    ? `hex ${content.toHex()}`
    : JSON.stringify(formatTemplate(content));
}
