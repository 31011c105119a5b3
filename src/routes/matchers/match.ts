/**
 * Which connections a route is for: the matches of all matchers, and `all`,
 * `any` and `not`, which combine three answers as Kleene's logic does.
 *
 * @module
 */
import { Broken } from "../../lib/broken.ts";
import {
  fieldsJson,
  type Kind,
  kind,
  map,
  readFields,
} from "../../lib/kinds.ts";
import { type Matched, MORE, NO, YES } from "./call.ts";
import { matcherOf, MATCHERS, type SimpleMatch } from "./list.ts";
import type { MatchKey, Test } from "./matcher.ts";

/** Which connections a route is for. */
export type Match =
  | { readonly kind: "always" }
  | { readonly kind: "all" | "any"; readonly of: readonly Match[] }
  | { readonly kind: "not"; readonly of: Match }
  | SimpleMatch;

const RULE = "must be a mapping";

/** What editors know the schema of a match by. */
const REFERENCE = { $ref: "#/$defs/match" };

/** A mapping whose keys must all match. */
const MAPPING: Kind<Match> = kind(RULE, REFERENCE, readMapping);

const MAPPINGS: Kind<readonly Match[]> = kind(
  "must be a list of matches",
  { type: "array", minItems: 1, items: REFERENCE },
  (value) => {
    if (!Array.isArray(value)) return undefined;
    if (value.length === 0) {
      return new Broken("must have at least one match", value);
    }
    const of: Match[] = [];
    const broken: Broken[] = [];
    for (const [index, one] of value.entries()) {
      const match = MAPPING.read(one);
      if (match instanceof Broken) broken.push(match.in(index));
      else of.push(match);
    }
    return broken.length > 0 ? Broken.ofAll(broken) : of;
  },
);

const COMBINED: Readonly<Record<string, MatchKey<Match>>> = {
  any: {
    kind: map(MAPPINGS, (of) => [{ kind: "any", of }]),
    help: "At least one of these.",
  },
  all: {
    kind: map(MAPPINGS, (of) => [{ kind: "all", of }]),
    help: "All of these.",
  },
  not: { kind: map(MAPPING, (of) => [{ kind: "not", of }]), help: "Not this." },
};

const { protocol, ...others } = MATCHERS;

/** The keys of a mapping; there are more protocols than all else. */
const KEYS: Readonly<Record<string, MatchKey<Match>>> = {
  ...Object.assign({}, ...Object.values(others).map(({ keys }) => keys)),
  ...COMBINED,
  ...protocol.keys,
};

const FIELDS = Object.fromEntries(
  Object.entries(KEYS).map(([name, { kind }]) => [name, kind]),
);

function readMapping(value: unknown): Match | Broken {
  const fields = readFields(value, FIELDS, RULE);
  if (fields instanceof Broken) return fields;
  // the order is that of the file
  const all = Object.keys(value as object).flatMap((name) =>
    fields[name] ?? []
  );
  const [first] = all;
  if (first === undefined) {
    const rule = "must have at least one key; true matches every client";
    return new Broken(rule, value);
  }
  return all.length === 1 ? first : { kind: "all", of: all };
}

/** What stands in a route as `match`. */
export const MATCH: Kind<Match> = kind(
  "must be a mapping, or true for every client",
  { anyOf: [{ const: true }, REFERENCE] },
  (value) => {
    if (value === true) return { kind: "always" };
    return typeof value !== "object" || value === null || Array.isArray(value)
      ? undefined
      : MAPPING.read(value);
  },
);

/** The schema of a mapping, to which the others refer. */
export const MAPPING_JSON = fieldsJson(
  FIELDS,
  Object.fromEntries(
    Object.entries(KEYS).map(([name, { help }]) => [name, help]),
  ),
);

/** Compiles a match. */
export function compileMatch(match: Match): Test {
  switch (match.kind) {
    case "always":
      return () => YES;
    case "all":
      return all(match.of.map(compileMatch));
    case "any":
      return any(match.of.map(compileMatch));
    case "not": {
      const test = compileMatch(match.of);
      return (call) => 0 - test(call) as Matched;
    }
    default:
      return matcherOf(match).compile(match);
  }
}

function all(tests: readonly Test[]): Test {
  return (call) => {
    let answer: Matched = YES;
    for (const test of tests) {
      const one = test(call);
      if (one === NO) return NO;
      if (one === MORE) answer = MORE;
    }
    return answer;
  };
}

function any(tests: readonly Test[]): Test {
  return (call) => {
    let answer: Matched = NO;
    for (const test of tests) {
      const one = test(call);
      if (one === YES) return YES;
      if (one === MORE) answer = MORE;
    }
    return answer;
  };
}

/** Tells whether a match can only wait before the first byte has come. */
export function needsBytes(match: Match): boolean {
  switch (match.kind) {
    case "always":
      return false;
    case "all":
    case "any":
      return match.of.every(needsBytes);
    case "not":
      return needsBytes(match.of);
    default:
      return matcherOf(match).needsBytes;
  }
}

/**
 * Writes a match on one line.
 *
 * @returns Such as `tls.serverName *.example.com and not client 10.0.0.0/8`.
 */
export function describeMatch(match: Match): string {
  switch (match.kind) {
    case "always":
      return "every client";
    case "all":
    case "any":
      return match.of.map(inBrackets)
        .join(match.kind === "all" ? " and " : " or ");
    case "not":
      return `not ${inBrackets(match.of)}`;
    default:
      return matcherOf(match).describe(match);
  }
}

function inBrackets(match: Match): string {
  const text = describeMatch(match);
  return match.kind === "all" || match.kind === "any" ? `(${text})` : text;
}

/**
 * Tells whether one match is for all clients of another, as far as that is
 * obvious.
 *
 * @param wide The match that may be for more.
 * @param narrow The other one.
 */
export function covers(wide: Match, narrow: Match): boolean {
  if (wide.kind === "always") return true;
  if (narrow.kind === "any") return narrow.of.every((one) => covers(wide, one));
  if (wide.kind === "all") return wide.of.every((one) => covers(one, narrow));
  if (wide.kind === "any") {
    return wide.of.some((one) => covers(one, narrow)) ||
      narrow.kind === "all" && narrow.of.some((one) => covers(wide, one));
  }
  if (narrow.kind === "all") return narrow.of.some((one) => covers(wide, one));
  if (wide.kind === "not") {
    return narrow.kind === "not" && covers(narrow.of, wide.of);
  }
  if (narrow.kind === "always" || narrow.kind === "not") return false;
  // a field of a protocol has the clients of the protocol
  return wide.kind === narrow.kind ||
      wide.kind === "protocol" && narrow.kind === "field"
    ? matcherOf(wide).covers(wide, narrow)
    : false;
}
