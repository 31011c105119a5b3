/**
 * The matcher `bytes`: how the client begins, whatever the protocol.
 *
 * @module
 */
import { Broken } from "../../lib/broken.ts";
import {
  fieldsJson,
  type Kind,
  kind,
  map,
  parsed,
  readFields,
  whole,
} from "../../lib/kinds.ts";
import { MAX_PREREAD } from "../../options/rows.ts";
import { latin1 } from "../../router/latin1.ts";
import { type Matched, MORE, NO, YES } from "./call.ts";
import { HEX } from "./hex.ts";
import type { Matcher } from "./matcher.ts";
import { literalPrefix, parseExpression } from "./pattern.ts";

/** The first bytes of the client, whatever the protocol. */
export interface BytesMatch {
  readonly kind: "bytes";
  /** They begin with these. */
  readonly prefix: Uint8Array | undefined;
  /** They match this, one character per byte. */
  readonly regex: RegExp | undefined;
  /** The regex is to match within so many bytes; `undefined`: no limit. */
  readonly within: number | undefined;
}

const FIELDS = {
  prefix: parsed("a text of one character per byte", parsePrefix),
  hex: HEX,
  regex: map(
    parsed("a regular expression between slashes", parseExpression),
    ({ regex }) => regex,
  ),
  within: whole(1, MAX_PREREAD),
};

const RULE = "must be a mapping";

const BYTES_MATCH: Kind<readonly BytesMatch[]> = kind(
  RULE,
  fieldsJson(FIELDS, {
    prefix: "The first bytes, one character per byte.",
    hex: "The first bytes as hexadecimal digits.",
    regex: "A /regex/ for the first bytes, one character per byte.",
    within: "The regex is to match within so many bytes; then it says no.",
  }),
  (value) => {
    const fields = readFields(value, FIELDS, RULE);
    if (fields instanceof Broken) return fields;
    const broken = rulesBetween(fields);
    if (broken.length > 0) return Broken.ofAll(broken);
    const { prefix, hex, regex, within } = fields;
    return [{ kind: "bytes", prefix: prefix ?? hex, regex, within }];
  },
);

function rulesBetween(
  { prefix, hex, regex, within }: {
    readonly [Name in keyof typeof FIELDS]: unknown;
  },
): Broken[] {
  const broken: Broken[] = [];
  if ([prefix, hex, regex].every((value) => value === undefined)) {
    broken.push(new Broken("must have one of prefix, hex, regex", undefined));
  }
  if (prefix !== undefined && hex !== undefined) {
    broken.push(new Broken("cannot stand beside prefix", hex, ["hex"]));
  }
  if (within !== undefined && regex === undefined) {
    broken.push(new Broken("must stand beside regex", within, ["within"]));
  }
  return broken;
}

function parsePrefix(text: string): Uint8Array | string {
  if (text === "") return "must not be empty";
  return /^[\0-\xff]+$/.test(text)
    ? latin1(text)
    : "must have characters up to U+00FF only, as each stands for one byte";
}

/** The matcher of bytes. */
export const BYTES: Matcher<BytesMatch> = {
  keys: {
    bytes: {
      kind: BYTES_MATCH,
      help:
        "The first bytes, whatever the protocol; all that is given has to match.",
    },
  },
  needsBytes: true,
  compile({ prefix = new Uint8Array(0), regex, within }) {
    if (regex === undefined) {
      return ({ data }) => startsWith(data.bytes, prefix);
    }
    const literal = Uint8Array.from(
      literalPrefix(regex),
      (character) => character.charCodeAt(0),
    );
    return ({ data }) => {
      const begun = startsWith(data.bytes, prefix);
      if (begun === NO || startsWith(data.bytes, literal) === NO) return NO;
      const text = within === undefined
        ? data.text
        : data.text.slice(0, within);
      if (regex.test(text)) return begun;
      return within !== undefined && data.length >= within ? NO : MORE;
    };
  },
  describe({ prefix, regex, within }) {
    const parts: string[] = [];
    if (prefix !== undefined) parts.push(`bytes ${prefix.toHex()}`);
    if (regex !== undefined) parts.push(`bytes ${regex}`);
    if (within !== undefined) parts.push(`within ${within}`);
    return parts.join(" ");
  },
  covers({ prefix = new Uint8Array(0), regex, within }, narrow) {
    const sameRegex = regex === undefined ||
      String(regex) === String(narrow.regex) && within === narrow.within;
    return sameRegex &&
      prefix.every((byte, i) => byte === narrow.prefix?.[i]);
  },
};

function startsWith(bytes: Uint8Array, prefix: Uint8Array): Matched {
  const length = Math.min(bytes.length, prefix.length);
  for (let i = 0; i < length; i++) {
    if (bytes[i] !== prefix[i]) return NO;
  }
  return length === prefix.length ? YES : MORE;
}
