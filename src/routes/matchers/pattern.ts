/**
 * Patterns for texts: an exact text, a glob in which `*` stands for any run of
 * characters, or a regular expression between slashes.
 *
 * @module
 */
import { messageOf } from "../../lib/errors.ts";
import { type Kind, oneOrMore, parsed } from "../../lib/kinds.ts";
import type { FieldKind } from "./protocols.ts";

/** A rule for a text. */
export type Pattern =
  | { readonly kind: "exact"; readonly text: string }
  /** The text between the stars: one more part than there are stars. */
  | { readonly kind: "glob"; readonly parts: readonly string[] }
  | { readonly kind: "regex"; readonly regex: RegExp };

/** A regular expression between slashes, and its flags. */
const EXPRESSION = /^\/(.+)\/([a-z]*)$/s;

/**
 * Reads a pattern.
 *
 * @param text As it stands in the table.
 * @param kind What is to be matched. In a path only `/^…/` is an expression,
 * as `/api/` is a path; host names are compared in lower case.
 * @returns The pattern, or a text that says which rule it breaks.
 */
export function parsePattern(text: string, kind: FieldKind): Pattern | string {
  const expression = EXPRESSION.exec(text);
  if (expression !== null && (kind !== "path" || text.startsWith("/^"))) {
    return parseExpression(text);
  }
  if (text === "") return "must not be empty";
  if (kind === "host") {
    if (/^[^:]*:\d+$/.test(text)) return "must be a host name without a port";
    if (!/^[^\s/[\]{}]+$/.test(text)) {
      return "must be a host name, a glob such as *.example.com, or a /regex/";
    }
  }
  const cased = kind === "host" ? text.toLowerCase() : text;
  const parts = cased.split("*");
  return parts.length > 1
    ? { kind: "glob", parts }
    : { kind: "exact", text: cased };
}

/**
 * One pattern, or a list of them.
 *
 * @param kind What is to be matched.
 * @param what What one is, such as `a text`.
 * @param listed The same for values that are neither one nor a list.
 */
export function patternsOf(
  kind: FieldKind,
  what: string,
  listed = what,
): Kind<readonly Pattern[]> {
  return oneOrMore(
    parsed(what, (text) => parsePattern(text, kind)),
    `must be ${listed}, or a list of those`,
  );
}

/**
 * Reads a regular expression between slashes.
 *
 * @param text Such as `/^SSH-/i`.
 * @returns The pattern, or a text that says which rule it breaks.
 */
export function parseExpression(
  text: string,
): Extract<Pattern, { kind: "regex" }> | string {
  const [, source, flags] = EXPRESSION.exec(text) ?? [];
  if (source === undefined || flags === undefined) {
    return "must be a regular expression between slashes, such as /^SSH-/i";
  }
  const known = /^(?!.*(.).*\1)[imsuv]*$/;
  if (!known.test(flags)) {
    return "must have no flags but i, m, s, u and v, each once";
  }
  try {
    return { kind: "regex", regex: new RegExp(source, flags) };
  } catch (error) {
    const reason = messageOf(error).replace(/^.*: /s, "");
    return `must be a regular expression (${reason})`;
  }
}

/**
 * Tells whether a pattern matches a text. A glob takes time in proportion to
 * the text times its parts.
 */
export function matches(pattern: Pattern, text: string): boolean {
  switch (pattern.kind) {
    case "exact":
      return pattern.text === text;
    case "glob":
      return globCaptures(pattern.parts, text) !== null;
    case "regex":
      return pattern.regex.test(text);
  }
}

/**
 * Matches a text, and gives what the stars of a glob or the groups of a
 * regular expression have matched.
 *
 * @param group A number from 1, or the name of a group.
 * @returns The part of the text, or `undefined` if there is no match, or the
 * group has no part in it.
 */
export function capture(
  pattern: Pattern,
  text: string,
  group: string,
): string | undefined {
  if (pattern.kind === "exact") return undefined;
  if (pattern.kind === "glob") {
    return globCaptures(pattern.parts, text)?.[Number(group) - 1];
  }
  const match = pattern.regex.exec(text);
  return /^\d+$/.test(group) ? match?.[Number(group)] : match?.groups?.[group];
}

/** Tells whether a pattern has a star or a group of this number or name. */
export function hasGroup(pattern: Pattern, group: string): boolean {
  if (pattern.kind === "exact") return false;
  const number = /^[1-9]\d*$/.test(group) ? Number(group) : undefined;
  if (pattern.kind === "glob") {
    return number !== undefined && number < pattern.parts.length;
  }
  const { source, flags } = pattern.regex;
  // with an empty alternative it matches always, and tells its groups
  const match = new RegExp(`${source}|`, flags).exec("");
  return number === undefined
    ? match?.groups !== undefined && group in match.groups
    : match !== null && number < match.length;
}

/** What each star has matched, each as little as possible; or `null`. */
function globCaptures(
  parts: readonly string[],
  text: string,
): string[] | null {
  const [first = ""] = parts;
  const last = parts[parts.length - 1] ?? "";
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) {
    return null;
  }
  const captures: string[] = [];
  let at = first.length;
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i] ?? "";
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return null;
    captures.push(text.slice(at, found));
    at = found + part.length;
  }
  captures.push(text.slice(at, end));
  return captures;
}

/**
 * Finds the text with which all matches of a regular expression begin, so that
 * "no" can be said at the first byte that differs.
 *
 * @returns The text; empty if it does not begin with `^` and plain characters.
 */
export function literalPrefix(regex: RegExp): string {
  const { source, flags } = regex;
  if (!source.startsWith("^") || /[im]/.test(flags) || source.includes("|")) {
    return "";
  }
  let prefix = "";
  for (let at = 1; at < source.length;) {
    const [token, character] = literalAt(source, at);
    if (character === undefined) break;
    at += token.length;
    // what may come no times at all is not part of it
    if (/^[*?{]/.test(source.slice(at))) break;
    prefix += character;
    if (source[at] === "+") break;
  }
  return prefix;
}

/** The token at a place, and the character that it stands for. */
function literalAt(
  source: string,
  at: number,
): [token: string, character: string | undefined] {
  const escape = /^\\(?:x([0-9a-fA-F]{2})|([rnt0])(?!\d)|([^\w\s]))/
    .exec(source.slice(at, at + 4));
  if (escape !== null) {
    const [token, hex, letter, other] = escape;
    if (hex !== undefined) {
      return [token, String.fromCharCode(parseInt(hex, 16))];
    }
    const letters: Readonly<Record<string, string>> = {
      r: "\r",
      n: "\n",
      t: "\t",
      0: "\0",
    };
    return [token, letter === undefined ? other : letters[letter]];
  }
  const character = source[at] ?? "";
  return /[\\^$.*+?()[\]{}|]/.test(character)
    ? [character, undefined]
    : [character, character];
}

/** Writes a pattern as it stands in a table. */
export function formatPattern(pattern: Pattern): string {
  switch (pattern.kind) {
    case "exact":
      return pattern.text;
    case "glob":
      return pattern.parts.join("*");
    case "regex":
      return String(pattern.regex);
  }
}

/** Writes patterns of which one has to match. */
export function formatPatterns(patterns: readonly Pattern[]): string {
  return patterns.map(formatPattern).join(" | ");
}

function isSame(one: Pattern, other: Pattern): boolean {
  if (one.kind === "glob") {
    return other.kind === "glob" && one.parts.length === other.parts.length &&
      one.parts.every((part, i) => part === other.parts[i]);
  }
  return one.kind === other.kind &&
    formatPattern(one) === formatPattern(other);
}

/** Tells whether all that some patterns match is matched by others, too. */
export function coverPatterns(
  wide: readonly Pattern[],
  narrow: readonly Pattern[],
): boolean {
  return narrow.every((one) => coverPattern(wide, one));
}

function coverPattern(wide: readonly Pattern[], narrow: Pattern): boolean {
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
