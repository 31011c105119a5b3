/**
 * An index of names: a run of routes that each ask for values of the same field
 * takes about as long as one of them. Exact values and suffixes such as
 * `*.example.com` are looked up; of other globs and regular expressions only
 * those are tried whose plain characters the value contains.
 *
 * @module
 */
import { type Filtered, LiteralFilter } from "../router/literal_filter.ts";
import { requiredLiterals } from "../router/literals.ts";
import type { Call } from "./matchers/call.ts";
import type { Match } from "./matchers/match.ts";
import { matches, type Pattern } from "./matchers/pattern.ts";
import type { FieldMatch } from "./matchers/protocol.ts";
import { readField } from "./matchers/protocols.ts";
import type { TableRoute } from "./route_table.ts";

/**
 * Finds the first route that is for a connection.
 *
 * @returns The number of the route, counted from 0; `"no"`: none of them is;
 * `"more"`: only more bytes can tell.
 */
export type Finder = (call: Call) => number | "no" | "more";

/**
 * Tells whether a match is for names only, which can be compared with others.
 *
 * @returns The match, if it asks for exact values and suffixes of one field.
 */
export function indexable(match: Match): FieldMatch | undefined {
  return match.kind === "field" && match.patterns.every(isName)
    ? match
    : undefined;
}

function isName(pattern: Pattern): boolean {
  return pattern.kind === "exact" || suffixOf(pattern) !== undefined;
}

/**
 * The suffix of a glob that is a star, and a suffix that begins with a dot.
 *
 * @returns Such as `.example.com`, or `undefined`.
 */
export function suffixOf(pattern: Pattern): string | undefined {
  if (pattern.kind !== "glob" || pattern.parts.length !== 2) return undefined;
  const [before, suffix] = pattern.parts;
  return before === "" && suffix?.startsWith(".") ? suffix : undefined;
}

/** Names the field of a match. */
export function fieldOf({ protocol, field, key }: FieldMatch): string {
  return key === undefined
    ? `${protocol}.${field}`
    : `${protocol}.${field}.${key}`;
}

/** Values and suffixes, and the first route for each. */
export class NameIndex {
  readonly #exact = new Map<string, number>();
  readonly #suffixes = new Map<string, number>();

  /**
   * Adds a route, unless an earlier one has the name.
   *
   * @param pattern An exact value or a suffix.
   * @param route The number of the route; they are added in order.
   */
  add(pattern: Pattern, route: number): void {
    const suffix = suffixOf(pattern);
    const [map, name] = suffix !== undefined
      ? [this.#suffixes, suffix] as const
      : pattern.kind === "exact"
      ? [this.#exact, pattern.text] as const
      : [undefined, ""] as const;
    if (map !== undefined && !map.has(name)) map.set(name, route);
  }

  /**
   * Finds a value.
   *
   * @returns The number of the first route for it; `Infinity` if there is none.
   */
  find(value: string): number {
    const exact = this.#exact.get(value) ?? Infinity;
    return this.#suffixes.size === 0
      ? exact
      : Math.min(exact, this.findSuffix(value));
  }

  /**
   * Finds a suffix that a text ends with.
   *
   * @param value What the client sent, or a suffix itself.
   * @returns The number of the first route for it; `Infinity` if there is none.
   */
  findSuffix(value: string): number {
    let first = Infinity;
    for (
      let dot = value.indexOf(".");
      dot >= 0;
      dot = value.indexOf(".", dot + 1)
    ) {
      first = Math.min(
        first,
        this.#suffixes.get(value.slice(dot)) ?? Infinity,
      );
    }
    return first;
  }
}

/** Patterns that are no names, and the route of each. */
class PatternIndex {
  readonly #patterns: readonly (readonly [pattern: Pattern, route: number])[];
  readonly #filter: LiteralFilter;

  /** @param patterns The patterns, in the order of their routes. */
  constructor(
    patterns: readonly (readonly [pattern: Pattern, route: number])[],
  ) {
    this.#patterns = patterns;
    this.#filter = new LiteralFilter(
      patterns.map(([pattern]) => filteredBy(pattern)),
    );
  }

  /** Finds the first route for a value; `Infinity` if there is none. */
  find(value: string): number {
    const patterns = this.#patterns;
    const place = this.#filter.first(
      value,
      (place) =>
        matches((patterns[place] as readonly [Pattern, number])[0], value),
      patterns.length,
    );
    return patterns[place]?.[1] ?? Infinity;
  }
}

function filteredBy(pattern: Pattern): Filtered {
  switch (pattern.kind) {
    case "exact":
      return { literals: [pattern.text], ignoreCase: false };
    case "glob":
      return { literals: pattern.parts, ignoreCase: false };
    case "regex":
      return {
        literals: requiredLiterals(pattern.regex),
        ignoreCase: pattern.regex.ignoreCase,
      };
  }
}

/**
 * Compiles a run of routes.
 *
 * @param from The number of the first one of the run.
 * @param to The number behind the last one.
 * @returns A function that finds the first of them that is for a connection.
 */
export function indexRoutes(
  routes: readonly TableRoute[],
  from: number,
  to: number,
): Finder {
  const names = new NameIndex();
  const others: [Pattern, number][] = [];
  const first = routes[from]?.match as FieldMatch;
  for (let i = from; i < to; i++) {
    for (const pattern of (routes[i]?.match as FieldMatch).patterns) {
      if (isName(pattern)) names.add(pattern, i);
      else others.push([pattern, i]);
    }
  }
  const patterns = others.length === 0 ? undefined : new PatternIndex(others);
  const find = (value: string) =>
    patterns === undefined
      ? names.find(value)
      : Math.min(names.find(value), patterns.find(value));
  const { protocol, field, key } = first;
  return (call) => {
    const message = call.parse(protocol);
    if (!message) return message === null ? "no" : "more";
    const value = readField(message, field, key);
    if (value === undefined) return "no";
    const found = typeof value === "string"
      ? find(value)
      : Math.min(...value.map(find));
    return found === Infinity ? "no" : found;
  };
}
