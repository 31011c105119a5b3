/**
 * How a router says that a remote is spoken to with TLS.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import { type Kind, kind, readFields, text } from "../lib/kinds.ts";
import type { TlsToRemote } from "./tls_client.ts";

const PLAIN: TlsToRemote = { serverName: undefined, ca: [], alpn: undefined };

/** The name that a certificate must have. */
export const SERVER_NAME: Kind<string> = text(
  "must be a host name or an IP address",
  isServerName,
);

const CERTIFICATES = kind(
  "must be certificates in PEM, as text or a list of texts",
  {},
  (value) => {
    const list = toList(value);
    return list.every(isCertificate) ? list : undefined;
  },
);

const PROTOCOLS = kind(
  "must be protocols of 1 to 255 ASCII characters",
  {},
  (value) => {
    const list = toList(value);
    return isAlpn(list) ? list : undefined;
  },
);

const FIELDS = { serverName: SERVER_NAME, ca: CERTIFICATES, alpn: PROTOCOLS };

const RULE = "must be true or an object";

/** `true`, `false` or how; `undefined` for no TLS. */
export const REMOTE_TLS: Kind<TlsToRemote | undefined> = {
  rule: RULE,
  json: {},
  read: readTls,
  parse: readTls,
};

function readTls(value: unknown): TlsToRemote | undefined | Broken {
  if (value === false) return undefined;
  if (value === true) return PLAIN;
  const fields = readFields(value, FIELDS, RULE);
  if (fields instanceof Broken) return fields;
  const { serverName, ca = [], alpn } = fields;
  return { serverName, ca, alpn };
}

/**
 * Tells whether a text can be a server's name: a host name, or an IP address
 * without brackets.
 */
export function isServerName(name: string): boolean {
  return /^[\w.-]{1,253}$/.test(name) ||
    name.includes(":") && URL.canParse(`http://[${name}]/`);
}

/**
 * Tells whether a list can be that of ALPN (RFC 7301).
 *
 * @param list Anything in a list.
 */
export function isAlpn(list: readonly unknown[]): list is readonly string[] {
  return list.length > 0 &&
    list.every((protocol) =>
      typeof protocol === "string" && /^[\x21-\x7e]{1,255}$/.test(protocol)
    );
}

function isCertificate(value: unknown): value is string {
  return typeof value === "string" &&
    value.includes("-----BEGIN CERTIFICATE-----");
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
