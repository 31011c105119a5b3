/**
 * Texts with variables, such as `${tls.serverName}:443`.
 *
 * @module
 */
import type { BytesMatch } from "./matchers/bytes.ts";
import type { Match } from "./matchers/match.ts";
import { capture, hasGroup } from "./matchers/pattern.ts";
import type { FieldMatch } from "./matchers/protocol.ts";
import {
  fieldKind,
  isProtocol,
  normalKey,
  PROTOCOLS,
} from "./matchers/protocols.ts";
import type { Template, Variable } from "./route_table.ts";

/** What the connection itself tells, without any byte. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  client: ["address", "port", "serverName", "alpn"],
  local: ["address", "port", "listener"],
};

/**
 * Reads a template. A dollar sign before a brace is written `$${`.
 *
 * @param text As it stands in the table.
 * @returns The template, or a text that says which rule it breaks.
 */
export function parseTemplate(text: string): Template | string {
  const template: (string | Variable)[] = [];
  let plain = "";
  let at = 0;
  for (const match of text.matchAll(/\$\$\{|\$\{([^{}]*)(\})?/g)) {
    plain += text.slice(at, match.index);
    at = match.index + match[0].length;
    if (match[1] === undefined) {
      plain += "${";
      continue;
    }
    if (match[2] === undefined) return "must have a } for each ${";
    const variable = parseVariable(match[1]);
    if (typeof variable === "string") return variable;
    if (plain !== "") template.push(plain);
    plain = "";
    template.push(variable);
  }
  plain += text.slice(at);
  if (plain !== "" || template.length === 0) template.push(plain);
  return template;
}

function parseVariable(text: string): Variable | string {
  const [source = "", ...rest] = text.split(".");
  if (source === "bytes") {
    return rest.length === 1 && rest[0] !== ""
      ? variable(text, source, "", undefined, rest[0])
      : "must name a group of the regex, such as ${bytes.1}";
  }
  const [field = "", ...more] = rest;
  if (source === "client" || source === "local") {
    const known = ADDRESSES[source] ?? [];
    return known.includes(field) && more.length === 0
      ? variable(text, source, field, undefined, undefined)
      : unknown(text, known.map((name) => `${source}.${name}`));
  }
  if (!isProtocol(source)) {
    return unknown(text, ["a protocol and its field", "client.address"]);
  }
  const kind = fieldKind(source, field);
  if (kind === undefined) {
    const fields = Object.keys(PROTOCOLS[source].fields);
    return unknown(text, fields.map((name) => `${source}.${name}`));
  }
  const key = kind === "lookup"
    ? normalKey(field, more.shift() ?? "")
    : undefined;
  const [group, ...none] = more;
  if (none.length > 0 || group === "" || kind === "lookup" && !key) {
    return `must have variables of the form protocol.field, with ".name" behind headers and parameters, and ".group" for a part: \${${text}} is not`;
  }
  if ((kind === "texts" || kind === "numbers") && group === undefined) {
    return `must not use \${${text}}, which has several values`;
  }
  return variable(text, source, field, key, group);
}

function variable(
  text: string,
  source: Variable["source"],
  field: string,
  key: string | undefined,
  group: string | undefined,
): Variable {
  return { text, source, field, key, group };
}

function unknown(text: string, known: readonly string[]): string {
  return `must not use the unknown variable \${${text}} (known are ${
    known.join(", ")
  })`;
}

/** What a match asks for, other than under `not`. */
export interface Mentions {
  /** The protocols. */
  readonly protocols: ReadonlySet<string>;
  readonly fields: readonly FieldMatch[];
  readonly bytes: readonly BytesMatch[];
}

/**
 * Collects what a match asks for, from which variables can be taken.
 *
 * @param match The match; `undefined` for none.
 * @returns All that stands in it, other than under `not`.
 */
export function mentions(match: Match | undefined): Mentions {
  const protocols = new Set<string>();
  const fields: FieldMatch[] = [];
  const bytes: BytesMatch[] = [];
  const visit = (part: Match): void => {
    switch (part.kind) {
      case "all":
      case "any":
        return part.of.forEach(visit);
      case "protocol":
        return void protocols.add(part.protocol);
      case "field":
        protocols.add(part.protocol);
        return void fields.push(part);
      case "bytes":
        return void bytes.push(part);
    }
  };
  if (match !== undefined) visit(match);
  return { protocols, fields, bytes };
}

/**
 * Checks that the variables of a template can be had from a match.
 *
 * @returns A text that says which rule is broken, or `undefined`.
 */
export function checkVariables(
  template: Template,
  known: Mentions,
): string | undefined {
  for (const part of template) {
    if (typeof part === "string") continue;
    const { text, source, group } = part;
    if (source === "client" || source === "local") continue;
    if (source === "bytes") {
      if (group !== undefined && hasBytesGroup(known, group)) continue;
      return `must take \${${text}} from a group of bytes.regex in its match`;
    }
    if (!known.protocols.has(source)) {
      return `must take \${${text}} from its match, which does not ask for ${source}`;
    }
    if (group === undefined) continue;
    if (
      !patternsOf(known, part).some((pattern) => hasGroup(pattern, group))
    ) {
      return `must take \${${text}} from a * or a group in its match`;
    }
  }
  return undefined;
}

function hasBytesGroup(known: Mentions, group: string): boolean {
  return known.bytes.some(({ regex }) =>
    regex !== undefined && hasGroup({ kind: "regex", regex }, group)
  );
}

function patternsOf(
  known: Mentions,
  { source, field, key }: Variable,
): FieldMatch["patterns"] {
  return known.fields.filter((one) =>
    one.protocol === source && one.field === field && one.key === key
  ).flatMap(({ patterns }) => patterns);
}

/**
 * Finds the part of a field that a variable with a group stands for.
 *
 * @param variable The variable; it has a group.
 * @returns The part, or `undefined` if there is none.
 */
export function captureField(
  variable: Variable,
  known: Mentions,
  values: readonly string[],
): string | undefined {
  for (const pattern of patternsOf(known, variable)) {
    for (const value of values) {
      const part = capture(pattern, value, variable.group ?? "");
      if (part !== undefined) return part;
    }
  }
  return undefined;
}

/**
 * Finds the part of the bytes that a variable stands for.
 *
 * @param group The number or name of a group.
 * @param text The bytes, one character per byte.
 * @returns The part, or `undefined` if there is none.
 */
export function captureBytes(
  group: string,
  known: Mentions,
  text: string,
): string | undefined {
  for (const { regex, within } of known.bytes) {
    if (regex === undefined) continue;
    const part = capture(
      { kind: "regex", regex },
      within === undefined ? text : text.slice(0, within),
      group,
    );
    if (part !== undefined) return part;
  }
  return undefined;
}

/** Writes a template as it stands in a table. */
export function formatTemplate(template: Template): string {
  return template.map((part) =>
    typeof part === "string"
      ? part.replaceAll("${", "$$${")
      : `\${${part.text}}`
  ).join("");
}
