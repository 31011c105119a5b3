/**
 * Where the router of a run comes from.
 *
 * @module
 */
import type { RouteTable } from "../routes/route_table.ts";

/** The router that a worker loads: a module, a route table, or both. */
export interface RouterSource {
  /**
   * The module as a `file:` or `data:` URL; `undefined` for a table that does
   * without.
   */
  readonly url: string | undefined;
  /** What the operator calls the module, or the table if there is none. */
  readonly name: string;
  /** The table; with a module, that serves what no route is for. */
  readonly table?: RouteTable | undefined;
}
