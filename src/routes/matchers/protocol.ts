/**
 * The matchers of protocols, a key for each: the client speaks it, and its
 * fields have some values.
 *
 * @module
 */
import { Broken } from "../../lib/broken.ts";
import {
  exactly,
  fieldsJson,
  type Kind,
  kind,
  map,
  oneOrMore,
  readFields,
} from "../../lib/kinds.ts";
import { MORE, NO, YES } from "./call.ts";
import type { Matcher, MatchKey } from "./matcher.ts";
import {
  coverPatterns,
  formatPatterns,
  matches,
  parsePattern,
  type Pattern,
  patternsOf,
} from "./pattern.ts";
import {
  type FieldKind,
  normalKey,
  PROTOCOL_NAMES,
  type ProtocolName,
  PROTOCOLS,
  readField,
} from "./protocols.ts";

/** The client speaks a protocol. */
export interface ProtocolMatch {
  readonly kind: "protocol";
  readonly protocol: ProtocolName;
}

/** A field of a protocol has a value that one of the patterns matches. */
export interface FieldMatch {
  readonly kind: "field";
  readonly protocol: ProtocolName;
  readonly field: string;
  /** The name of a header or parameter, if the field is a list of those. */
  readonly key: string | undefined;
  readonly patterns: readonly Pattern[];
}

function keyOf(protocol: ProtocolName): MatchKey<ProtocolMatch | FieldMatch> {
  const fields = Object.fromEntries(
    Object.entries<FieldKind>(PROTOCOLS[protocol].fields).map((
      [field, fieldKind],
    ) => [field, fieldMatches(protocol, field, fieldKind)]),
  );
  const rule = "must be true, or a mapping of its fields";
  return {
    kind: kind(
      rule,
      { anyOf: [{ const: true }, fieldsJson(fields)] },
      (value) => {
        const read = value === true ? {} : readFields(value, fields, rule);
        if (read instanceof Broken) return read;
        const all = Object.keys(value as object)
          .flatMap((field) => read[field] ?? []);
        return all.length > 0 ? all : [{ kind: "protocol", protocol }];
      },
    ),
    help: `The client speaks ${protocol}: true, or its fields.`,
  };
}

/** What a route can ask of a field. */
function fieldMatches(
  protocol: ProtocolName,
  field: string,
  fieldKind: FieldKind,
): Kind<readonly FieldMatch[]> {
  const match = (
    patterns: readonly Pattern[],
    key: string | undefined,
  ): FieldMatch => ({ kind: "field", protocol, field, key, patterns });
  if (fieldKind !== "lookup") {
    return map(patternsIn(fieldKind), (list) => [match(list, undefined)]);
  }
  return map(
    NAMED_PATTERNS,
    (named) =>
      named.map(([name, patterns]) => match(patterns, normalKey(field, name))),
  );
}

const TEXTS = "a text in quotes";

/** The patterns for a field that is no lookup. */
function patternsIn(fieldKind: FieldKind): Kind<readonly Pattern[]> {
  const parse = (value: unknown): Pattern | Broken => {
    const pattern = parsePattern(String(value), fieldKind);
    return typeof pattern === "string" ? new Broken(pattern, value) : pattern;
  };
  switch (fieldKind) {
    case "boolean":
      return map(exactly<boolean>(true, false), (value) => [
        { kind: "exact", text: String(value) },
      ]);
    case "number":
    case "numbers": {
      const one = kind(
        "must be a whole number or a pattern",
        { anyOf: [{ type: "integer" }, { type: "string" }] },
        (value) =>
          typeof value === "string" || Number.isSafeInteger(value)
            ? parse(value)
            : undefined,
      );
      return oneOrMore(one, `${one.rule}, or a list of those`);
    }
    case "host":
      return patternsOf(fieldKind, "a host name");
    default:
      return patternsOf(fieldKind, "a text", TEXTS);
  }
}

const NAMED = patternsOf("text", "a text", TEXTS);

/** Patterns by the name of a header or parameter. */
const NAMED_PATTERNS: Kind<readonly [name: string, readonly Pattern[]][]> =
  kind(
    "must be a mapping of names to patterns",
    {
      type: "object",
      propertyNames: { type: "string" },
      additionalProperties: NAMED.json,
    },
    (value) => {
      if (typeof value !== "object" || value === null) return undefined;
      if (Array.isArray(value)) return undefined;
      const named: [string, readonly Pattern[]][] = [];
      const broken: Broken[] = [];
      for (const [name, one] of Object.entries(value)) {
        const patterns = NAMED.read(one);
        if (patterns instanceof Broken) broken.push(patterns.in(name));
        else named.push([name, patterns]);
      }
      return broken.length > 0 ? Broken.ofAll(broken) : named;
    },
  );

/** The matcher of protocols; its keys make matches of their fields, too. */
export const PROTOCOL: Matcher<ProtocolMatch | FieldMatch> = {
  keys: Object.fromEntries(PROTOCOL_NAMES.map((name) => [name, keyOf(name)])),
  needsBytes: true,
  compile({ protocol }) {
    return (call) => {
      const message = call.parse(protocol);
      return message ? YES : message === null ? NO : MORE;
    };
  },
  describe: ({ protocol }) => protocol,
  covers: (wide, narrow) => wide.protocol === narrow.protocol,
};

/** The matcher of fields. */
export const FIELD: Matcher<FieldMatch> = {
  keys: {},
  needsBytes: true,
  compile({ protocol, field, key, patterns }) {
    return (call) => {
      const message = call.parse(protocol);
      if (!message) return message === null ? NO : MORE;
      const value = readField(message, field, key);
      if (value === undefined) return NO;
      const found = typeof value === "string"
        ? patterns.some((pattern) => matches(pattern, value))
        : value.some((one) =>
          patterns.some((pattern) => matches(pattern, one))
        );
      return found ? YES : NO;
    };
  },
  describe({ protocol, field, key, patterns }) {
    const name = key === undefined ? field : `${field}.${key}`;
    return `${protocol}.${name} ${formatPatterns(patterns)}`;
  },
  covers: (wide, narrow) =>
    narrow.protocol === wide.protocol && narrow.field === wide.field &&
    narrow.key === wide.key && coverPatterns(wide.patterns, narrow.patterns),
};
