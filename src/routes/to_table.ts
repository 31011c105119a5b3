/**
 * From a route table as it stands in the file, and has been checked, to plain
 * data.
 *
 * @module
 */
import { type ConnectSettings, settingsOf } from "../decision/keys.ts";
import { parseNetwork } from "../net/cidr.ts";
import type { CheckOptions, PoolOptions } from "../pool/options.ts";
import type { Bytes } from "../router/bytes.ts";
import { latin1 } from "../router/latin1.ts";
import { parseExpression, parsePattern } from "./pattern.ts";
import {
  type FieldKind,
  fieldKind,
  isProtocol,
  normalKey,
} from "./protocols.ts";
import type {
  Action,
  BytesMatch,
  Content,
  Match,
  Pattern,
  TlsAction,
} from "./route_table.ts";
import { parseTemplate } from "./template.ts";

/** One value, or a list of them. */
type OneOrMore<T> = T | readonly T[];

/** Bytes, or a text with variables, as it stands in the file. */
type ContentInput = string | { readonly hex: string };

/** An action as it stands in the file. */
export interface ActionInput extends Readonly<ConnectSettings> {
  readonly remote?: OneOrMore<string> | undefined;
  readonly pool?: string | undefined;
  readonly table?: string | undefined;
  readonly key?: string | undefined;
  readonly reply?: ContentInput | undefined;
  readonly consume?: number | undefined;
  readonly close?: true | ContentInput | undefined;
  readonly tls?: boolean | TlsInput | undefined;
}

/** How to speak TLS with a remote as it stands in the file. */
export interface TlsInput {
  readonly serverName?: string | undefined;
  readonly ca?: OneOrMore<string> | undefined;
  readonly alpn?: OneOrMore<string> | undefined;
}

/** The keys of a match that are no protocols. */
interface MatchInput {
  readonly client?: OneOrMore<string>;
  readonly localPort?: OneOrMore<number>;
  readonly listener?: OneOrMore<string>;
  readonly serverName?: OneOrMore<string>;
  readonly alpn?: OneOrMore<string>;
  readonly bytes?: {
    readonly prefix?: string;
    readonly hex?: string;
    readonly regex?: string;
    readonly within?: number;
  };
  readonly any?: readonly unknown[];
  readonly all?: readonly unknown[];
  readonly not?: unknown;
}

/** A value of a field: a text, a number, or a truth value. */
type FieldInput = OneOrMore<string | number | boolean>;

/**
 * Makes a match.
 *
 * @param input What stands in the file and has been checked.
 * @returns The match; several keys are one `all`.
 * @throws {TypeError} If it has not been checked.
 */
export function toMatch(input: unknown): Match {
  if (input === true) return { kind: "always" };
  const parts: Match[] = [];
  const entries = Object.entries(input as Readonly<Record<string, unknown>>);
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    if (isProtocol(key)) parts.push(...protocolMatches(key, value));
    else parts.push(otherMatch(key, input as MatchInput));
  }
  const [first] = parts;
  return first !== undefined && parts.length === 1
    ? first
    : { kind: "all", of: parts };
}

function otherMatch(key: string, input: MatchInput): Match {
  switch (key) {
    case "client":
      return {
        kind: "client",
        networks: list(input.client).map((one) => parsed(parseNetwork(one))),
      };
    case "localPort":
      return { kind: "localPort", ports: list(input.localPort) };
    case "listener":
      return { kind: "listener", patterns: patterns(input.listener, "text") };
    case "serverName":
      return {
        kind: "agreed",
        field: key,
        patterns: patterns(input.serverName, "host"),
      };
    case "alpn":
      return {
        kind: "agreed",
        field: key,
        patterns: patterns(input.alpn, "text"),
      };
    case "bytes":
      return bytesMatch(input.bytes ?? {});
    case "any":
    case "all":
      return { kind: key, of: (input[key] ?? []).map(toMatch) };
    case "not":
      return { kind: "not", of: toMatch(input.not) };
  }
  throw new TypeError(`unknown key ${key}`);
}

function protocolMatches(
  protocol: Extract<Match, { kind: "protocol" }>["protocol"],
  input: unknown,
): Match[] {
  const fields = input === true ? [] : Object.entries(input as object)
    .filter(([, value]) => value !== undefined);
  if (fields.length === 0) return [{ kind: "protocol", protocol }];
  return fields.flatMap(([field, value]): Match[] => {
    const kind = fieldKind(protocol, field) ?? "text";
    if (kind !== "lookup") {
      const key = undefined;
      return [{
        kind: "field",
        protocol,
        field,
        key,
        patterns: patterns(value as FieldInput, kind),
      }];
    }
    const named = Object.entries(value as Readonly<Record<string, FieldInput>>);
    return named.map(([name, one]) => ({
      kind: "field",
      protocol,
      field,
      key: normalKey(field, name),
      patterns: patterns(one, kind),
    }));
  });
}

function bytesMatch(input: NonNullable<MatchInput["bytes"]>): BytesMatch {
  const prefixes = [
    ...input.prefix === undefined ? [] : [latin1(input.prefix)],
    ...input.hex === undefined ? [] : [fromHex(input.hex)],
  ];
  const regex = input.regex === undefined
    ? undefined
    : parsed(parseExpression(input.regex)).regex;
  return {
    kind: "bytes",
    prefix: prefixes[0],
    regex,
    within: input.within,
  };
}

function patterns(
  input: FieldInput | undefined,
  kind: FieldKind,
): Pattern[] {
  return list(input).map((one) => parsed(parsePattern(String(one), kind)));
}

function list<T extends string | number | boolean>(
  input: OneOrMore<T> | undefined,
): readonly T[] {
  if (input === undefined) return [];
  return Array.isArray(input) ? input : [input as T];
}

/**
 * Makes an action.
 *
 * @param input What stands in the file and has been checked.
 * @throws {TypeError} If it has not been checked.
 */
export function toAction(input: ActionInput): Action {
  const { remote, pool, table, key, reply, consume, close } = input;
  if ((remote ?? pool ?? table) !== undefined) {
    return {
      kind: "remote",
      pool,
      table,
      key: key === undefined ? undefined : parsed(parseTemplate(key)),
      remotes: list(remote).map((one) => parsed(parseTemplate(one))),
      reply: reply === undefined ? undefined : toContent(reply),
      ...settingsOf(input),
      tls: toTls(input.tls),
    };
  }
  if (reply !== undefined) {
    return { kind: "reply", reply: toContent(reply), consume: consume ?? 0 };
  }
  return {
    kind: "close",
    content: close === undefined || close === true
      ? undefined
      : toContent(close),
  };
}

function toTls(
  input: boolean | TlsInput | undefined,
): true | TlsAction | undefined {
  if (typeof input !== "object") return input || undefined;
  const { serverName, ca, alpn } = input;
  return {
    serverName,
    ca: list(ca),
    alpn: alpn === undefined ? undefined : list(alpn),
  };
}

function toContent(input: ContentInput): Content {
  return typeof input === "string"
    ? parsed(parseTemplate(input))
    : fromHex(input.hex);
}

/** A pool as it stands in the file. */
export interface PoolInput extends Omit<PoolOptions, "members" | "check"> {
  readonly members: OneOrMore<PoolOptions["members"][number]>;
  readonly check?:
    | Omit<CheckOptions, "tls" | "send" | "expect"> & {
      readonly tls?: boolean | TlsInput | undefined;
      readonly send?: ContentInput | undefined;
      readonly expect?: ContentInput | undefined;
    }
    | undefined;
}

/**
 * Makes the options of a pool.
 *
 * @param input What stands in the file and has been checked.
 * @returns The options, as a router has them, but that `check.tls.ca` are paths.
 */
export function toPool(input: PoolInput): PoolOptions {
  const { members, check, ...rest } = input;
  return {
    ...rest,
    members: Array.isArray(members) ? members : [members],
    check: check && {
      ...check,
      tls: toTls(check.tls),
      send: toBytes(check.send),
      expect: typeof check.expect === "string" && check.expect.startsWith("/")
        ? parsed(parseExpression(check.expect)).regex
        : toBytes(check.expect),
    },
  };
}

function toBytes(input: ContentInput | undefined): Bytes | undefined {
  return typeof input === "object" ? fromHex(input.hex) : input;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
}

function parsed<T extends object>(result: T | string): T {
  if (typeof result === "string") throw new TypeError(result);
  return result;
}
