/**
 * The protocols that a route table knows, and the fields of each that a route
 * can ask for.
 *
 * @module
 */
import { amqp } from "../../protocols/amqp.ts";
import { dns } from "../../protocols/dns.ts";
import { git } from "../../protocols/git.ts";
import { http } from "../../protocols/http.ts";
import { http2 } from "../../protocols/http2.ts";
import { ldap } from "../../protocols/ldap.ts";
import { minecraft } from "../../protocols/minecraft.ts";
import { mqtt } from "../../protocols/mqtt.ts";
import { openvpn } from "../../protocols/openvpn.ts";
import { postgres } from "../../protocols/postgres.ts";
import { rdp } from "../../protocols/rdp.ts";
import { redis } from "../../protocols/redis.ts";
import { socks4 } from "../../protocols/socks4.ts";
import { socks5 } from "../../protocols/socks5.ts";
import { ssh } from "../../protocols/ssh.ts";
import { tls } from "../../protocols/tls.ts";
import { xmpp } from "../../protocols/xmpp.ts";
import type { Parser } from "../../protocols/types.ts";

/**
 * What a field holds:
 *
 * - `host`: a host name or IP address, in lower case;
 * - `path`: a text that begins with a slash;
 * - `text`, `number`, `boolean`: one such value;
 * - `texts`, `numbers`: several, of which one has to match;
 * - `lookup`: texts by name, such as headers.
 */
export type FieldKind =
  | "host"
  | "path"
  | "text"
  | "number"
  | "boolean"
  | "texts"
  | "numbers"
  | "lookup";

/** A protocol: its parser, and its fields. */
export interface Protocol {
  readonly parse: Parser<object>;
  readonly fields: Readonly<Record<string, FieldKind>>;
}

/**
 * Pairs a parser with the fields of its value, so that the compiler finds a
 * field that there is not.
 */
function protocol<Value extends object>(
  parse: Parser<Value>,
  fields: Readonly<Partial<Record<KeyOf<Value>, FieldKind>>>,
): Protocol {
  return { parse, fields: fields as Readonly<Record<string, FieldKind>> };
}

type KeyOf<Value> = Value extends unknown ? keyof Value : never;

/** The protocols that can be told by the first bytes of a client. */
export const PROTOCOLS = {
  amqp: protocol(amqp, { version: "text", layer: "text" }),
  dns: protocol(dns, { names: "texts", types: "texts" }),
  git: protocol(git, {
    service: "text",
    path: "path",
    host: "host",
    port: "number",
    version: "number",
  }),
  http: protocol(http, {
    method: "text",
    host: "host",
    port: "number",
    path: "path",
    normalizedPath: "path",
    target: "path",
    version: "text",
    headers: "lookup",
  }),
  http2: protocol(http2, {
    method: "text",
    scheme: "text",
    authority: "text",
    host: "host",
    port: "number",
    path: "path",
    normalizedPath: "path",
    headers: "lookup",
  }),
  ldap: protocol(ldap, {
    operation: "text",
    startTls: "boolean",
    name: "text",
    authentication: "text",
    oid: "text",
  }),
  minecraft: protocol(minecraft, {
    host: "host",
    suffix: "text",
    port: "number",
    version: "number",
    state: "text",
  }),
  mqtt: protocol(mqtt, {
    clientId: "text",
    username: "text",
    level: "number",
    cleanStart: "boolean",
    keepAlive: "number",
  }),
  openvpn: protocol(openvpn, {
    protection: "text",
    sessionId: "text",
  }),
  postgres: protocol(postgres, {
    kind: "text",
    user: "text",
    database: "text",
    version: "text",
    parameters: "lookup",
  }),
  rdp: protocol(rdp, {
    cookie: "text",
    routingToken: "text",
    requestedProtocols: "texts",
  }),
  redis: protocol(redis, { command: "text", arguments: "texts" }),
  socks4: protocol(socks4, {
    command: "text",
    host: "host",
    port: "number",
    user: "text",
  }),
  socks5: protocol(socks5, { methods: "numbers" }),
  ssh: protocol(ssh, {
    version: "text",
    protocol: "text",
    software: "text",
    comments: "text",
  }),
  tls: protocol(tls, {
    serverName: "host",
    rawServerName: "text",
    alpn: "texts",
    versions: "texts",
  }),
  xmpp: protocol(xmpp, { to: "host", namespace: "text" }),
} satisfies Record<string, Protocol>;

/** The name of a protocol. */
export type ProtocolName = keyof typeof PROTOCOLS;

/** The names of all protocols. */
export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as ProtocolName[];

/**
 * Tells what a field holds.
 *
 * @param protocol The name of a protocol.
 * @param field The name of a field.
 * @returns Its kind, or `undefined` if there is no such protocol or field.
 */
export function fieldKind(
  protocol: string,
  field: string,
): FieldKind | undefined {
  if (!isProtocol(protocol)) return undefined;
  const { fields }: Protocol = PROTOCOLS[protocol];
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

/** Tells whether there is a protocol of this name. */
export function isProtocol(name: string): name is ProtocolName {
  return Object.hasOwn(PROTOCOLS, name);
}

/**
 * The form in which the name of a header or parameter is compared: the names of
 * headers have no case.
 *
 * @param field The field that has it.
 * @param key The name.
 */
export function normalKey(field: string, key: string): string {
  return field === "headers" ? key.toLowerCase() : key;
}

/** Things that have values by name: `Headers`-like, or a map. */
interface Lookup {
  get(name: string): string | null | undefined;
}

/**
 * Reads a field of a parsed message.
 *
 * @param message What a parser has returned.
 * @param field The name of the field.
 * @param key The name of a header or parameter, if the field is a `lookup`.
 * @returns Its value, or its values; `undefined` if the client did not say.
 */
export function readField(
  message: object,
  field: string,
  key: string | undefined,
): string | readonly string[] | undefined {
  let value = (message as Readonly<Record<string, unknown>>)[field];
  if (key !== undefined) value = (value as Lookup | undefined)?.get(key);
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.map(String) : String(value);
}
