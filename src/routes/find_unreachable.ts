/**
 * Finding routes that can never win, as an earlier one takes all their clients.
 * Only what is obvious is found.
 *
 * @module
 */
import { fieldOf, indexable, NameIndex, suffixOf } from "./name_index.ts";
import { covers, type Match } from "./matchers/match.ts";
import { formatPattern } from "./matchers/pattern.ts";
import type { FieldMatch } from "./matchers/protocol.ts";
import { isLookUp, type TableRoute } from "./route_table.ts";

/** A route that can never win. */
export interface Shadowed {
  /** Its number, counted from 0. */
  readonly route: number;
  /** The numbers of the routes that take its clients. */
  readonly by: readonly number[];
}

/** What was found. */
export interface Finding {
  /** The routes that can never win, in order, and by which routes. */
  readonly shadowed: readonly Shadowed[];
  /**
   * How many routes, the first ones, were compared with all above them; the
   * others only with names.
   */
  readonly compared: number;
}

/**
 * How many pairs of routes are compared, at most, which takes about a second:
 * those of 2800 routes that are no plain names.
 */
const MOST_PAIRS = 4_000_000;

/**
 * Finds the routes that can never win.
 *
 * @param routes All routes in order.
 */
export function findShadowed(routes: readonly TableRoute[]): Finding {
  const shadowed: Shadowed[] = [];
  const names = new Map<string, NameIndex>();
  const others: { readonly match: Match; readonly route: number }[] = [];
  let pairs = 0;
  let compared = routes.length;
  routes.forEach(({ match, action }, route) => {
    let by = coveredByNames(match, names);
    if (by === undefined) {
      pairs += others.length;
      if (pairs > MOST_PAIRS) compared = Math.min(compared, route);
      else {
        const other = others.find((other) => covers(other.match, match));
        if (other !== undefined) by = [other.route];
      }
    }
    if (by !== undefined) shadowed.push({ route, by });
    const field = indexable(match);
    // the table may have no remote
    if (isLookUp(action)) return;
    // thousands of names are looked up, the rest is compared one by one
    if (field === undefined) others.push({ match, route });
    else addNames(field, route, names);
  });
  return { shadowed, compared };
}

function addNames(
  match: FieldMatch,
  route: number,
  names: Map<string, NameIndex>,
): void {
  const field = fieldOf(match);
  const index = names.get(field) ?? new NameIndex();
  names.set(field, index);
  for (const pattern of match.patterns) index.add(pattern, route);
}

/** The routes that have all names of a match, if there are such. */
function coveredByNames(
  match: Match,
  names: ReadonlyMap<string, NameIndex>,
): number[] | undefined {
  if (match.kind === "all") {
    for (const part of match.of) {
      const by = coveredByNames(part, names);
      if (by !== undefined) return by;
    }
    return undefined;
  }
  if (match.kind !== "field") return undefined;
  const index = names.get(fieldOf(match));
  if (index === undefined) return undefined;
  const by = new Set<number>();
  for (const pattern of match.patterns) {
    const suffix = suffixOf(pattern);
    if (pattern.kind !== "exact" && suffix === undefined) return undefined;
    const found = suffix === undefined
      ? index.find(formatPattern(pattern))
      : index.findSuffix(suffix);
    if (found === Infinity) return undefined;
    by.add(found);
  }
  return [...by];
}
