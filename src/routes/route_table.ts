/**
 * A route table as plain data: what is left of the file once it was checked. It
 * is sent to the workers, which compile it into a router.
 *
 * @module
 */
import type { ConnectSettings } from "../decision/keys.ts";
import type { PoolOptions } from "../pool/options.ts";
import type { RedisTableOptions } from "../redis/options.ts";
import type { Match } from "./matchers/match.ts";
import type { ProtocolName } from "./matchers/protocols.ts";

/** Routes in order, and what to do when none wins. */
export interface RouteTable {
  /** The file, as the operator calls it. */
  readonly file: string;
  /** The routes in the order in which they are tried. */
  readonly routes: readonly TableRoute[];
  /** The pools that routes name. */
  readonly pools: readonly TablePool[];
  /** The tables in Redis that routes name. */
  readonly tables: readonly TableOfNames[];
  /** What to do when every route has said no. */
  readonly otherwise: Otherwise;
}

/**
 * What happens to a client that no route is for: an action, or `"router"`: the
 * module that the table names is asked.
 */
export type Otherwise = Action | "router";

/** A pool, as a router makes it. */
export interface TablePool {
  readonly name: string;
  readonly options: PoolOptions;
}

/** A table in Redis, as a router makes it. */
export interface TableOfNames {
  readonly name: string;
  /** In the file, those of `ca` are paths. */
  readonly options: RedisTableOptions;
  /** The file that the password is in, if it is in one. */
  readonly passwordFile: string | undefined;
}

/** One route. */
export interface TableRoute {
  /** What the operator calls it; `undefined` if it has no name. */
  readonly name: string | undefined;
  /** The line in the file, from 1. */
  readonly line: number;
  readonly match: Match;
  readonly action: Action;
}

/** The name of the decision when there is no route for a client. */
export const DEFAULT_ROUTE = "default";

/**
 * Lists what decisions are called in logs and statistics.
 *
 * @returns The names of its routes, in order, then that of the default.
 */
export function routeNames({ routes }: RouteTable): string[] {
  return [
    ...routes.map(({ name }, index) => name ?? `route ${index + 1}`),
    DEFAULT_ROUTE,
  ];
}

/**
 * What a route is called in messages.
 *
 * @param index The number of the route, from 0.
 * @returns Such as `route 3 (web)`.
 */
export function routeTitle(
  routes: readonly TableRoute[],
  index: number,
): string {
  const name = routes[index]?.name;
  return `route ${index + 1}${name === undefined ? "" : ` (${name})`}`;
}

/** What a route does. */
export type Action = RemoteAction | ReplyAction | CloseAction;

/** Connect to a remote, to a member of a pool, or to what a table has. */
export interface RemoteAction extends Readonly<ConnectSettings> {
  readonly kind: "remote";
  /** The name of the pool. */
  readonly pool: string | undefined;
  /** The name of the table; if it has no remote, other routes are tried. */
  readonly table: string | undefined;
  /** For the pool or the table. */
  readonly key: Template | undefined;
  /**
   * `host:port` or `unix:/path`, with variables, in order; none for a pool or a
   * table.
   */
  readonly remotes: readonly Template[];
  /** For the client, before connecting. */
  readonly reply: Content | undefined;
  /** How to speak TLS with the remote. */
  readonly tls: true | TlsAction | undefined;
}

/**
 * Tells whether an action asks a table, which may have no remote.
 *
 * @param action Any action.
 */
export function isLookUp(
  action: Action,
): action is RemoteAction & { readonly table: string } {
  return action.kind === "remote" && action.table !== undefined;
}

/** How to speak TLS with a remote, if not in the plainest way. */
export interface TlsAction {
  readonly serverName: string | undefined;
  /** In the file these are paths, for the workers certificates (PEM). */
  readonly ca: readonly string[];
  readonly alpn: readonly string[] | undefined;
}

/** Answer, drop bytes, and go on routing. */
export interface ReplyAction {
  readonly kind: "reply";
  readonly reply: Content;
  /** How many bytes to drop. */
  readonly consume: number;
}

/** Close, after the last bytes if there are any. */
export interface CloseAction {
  readonly kind: "close";
  readonly content: Content | undefined;
}

/** Bytes, or text with variables that is encoded as UTF-8. */
export type Content = Uint8Array | Template;

/** Text with variables: strings and variables by turns. */
export type Template = readonly (string | Variable)[];

/** A variable in a template, such as `${http.headers.host.1}`. */
export interface Variable {
  /** What stands between the braces. */
  readonly text: string;
  /** A protocol, or `client`, `local` or `bytes`. */
  readonly source: ProtocolName | "client" | "local" | "bytes";
  /** The field; empty for `bytes`. */
  readonly field: string;
  /** The name of a header or parameter. */
  readonly key: string | undefined;
  /** The number or name of a capture. */
  readonly group: string | undefined;
}
