/**
 * Finding routes that can never win, as an earlier one takes all their clients.
 * Only what is obvious is found.
 *
 * @module
 */
import { contains } from "../net/cidr.ts";
import { fieldOf, indexable, NameIndex, suffixOf } from "./name_index.ts";
import { formatPattern, matches } from "./pattern.ts";
import {
  type FieldMatch,
  isLookUp,
  type Match,
  type Pattern,
  type TableRoute,
} from "./route_table.ts";

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

/**
 * Tells whether one match is for all clients of another, as far as that is
 * obvious.
 *
 * @param wide The match that may be for more.
 * @param narrow The other one.
 */
function covers(wide: Match, narrow: Match): boolean {
  if (wide.kind === "always") return true;
  if (narrow.kind === "any") return narrow.of.every((one) => covers(wide, one));
  if (wide.kind === "all") return wide.of.every((one) => covers(one, narrow));
  if (wide.kind === "any" && wide.of.some((one) => covers(one, narrow))) {
    return true;
  }
  if (narrow.kind === "all") return narrow.of.some((one) => covers(wide, one));
  switch (wide.kind) {
    case "not":
      return narrow.kind === "not" && covers(narrow.of, wide.of);
    case "protocol":
      return (narrow.kind === "protocol" || narrow.kind === "field") &&
        narrow.protocol === wide.protocol;
    case "field":
      return narrow.kind === "field" && narrow.protocol === wide.protocol &&
        narrow.field === wide.field && narrow.key === wide.key &&
        narrow.patterns.every((one) => coversPattern(wide.patterns, one));
    case "agreed":
      return narrow.kind === "agreed" && narrow.field === wide.field &&
        narrow.patterns.every((one) => coversPattern(wide.patterns, one));
    case "listener":
      return narrow.kind === "listener" &&
        narrow.patterns.every((one) => coversPattern(wide.patterns, one));
    case "client":
      return narrow.kind === "client" &&
        narrow.networks.every((one) =>
          wide.networks.some((network) =>
            network.bits <= one.bits && contains(network, one.address)
          )
        );
    case "localPort":
      return narrow.kind === "localPort" &&
        narrow.ports.every((port) => wide.ports.includes(port));
    case "bytes": {
      if (narrow.kind !== "bytes") return false;
      const { prefix = new Uint8Array(0), regex, within } = wide;
      const sameRegex = regex === undefined ||
        String(regex) === String(narrow.regex) && within === narrow.within;
      return sameRegex &&
        prefix.every((byte, i) => byte === narrow.prefix?.[i]);
    }
    default:
      return false;
  }
}

function isSame(one: Pattern, other: Pattern): boolean {
  if (one.kind === "glob") {
    return other.kind === "glob" && one.parts.length === other.parts.length &&
      one.parts.every((part, i) => part === other.parts[i]);
  }
  return one.kind === other.kind &&
    formatPattern(one) === formatPattern(other);
}

function coversPattern(wide: readonly Pattern[], narrow: Pattern): boolean {
  return wide.some((pattern) => {
    if (isSame(pattern, narrow)) return true;
    if (narrow.kind === "exact") return matches(pattern, narrow.text);
    if (pattern.kind !== "glob") return false;
    if (pattern.parts.every((part) => part === "")) return true;
    // *.example.com is for all that *.a.example.com is for
    return pattern.parts.length === 2 && pattern.parts[0] === "" &&
      narrow.kind === "glob" &&
      (narrow.parts.at(-1) ?? "").endsWith(pattern.parts[1] ?? "");
  });
}
