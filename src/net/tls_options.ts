/**
 * The `tls` of a decision.
 *
 * @module
 */
import type { TlsToRemote } from "./tls_client.ts";

/** Which rule a value breaks. */
export interface Broken {
  readonly rule: string;
  readonly value: unknown;
}

const KEYS = ["serverName", "ca", "alpn"];

const PLAIN: TlsToRemote = { serverName: undefined, ca: [], alpn: undefined };

/**
 * Reads how to speak TLS with a remote.
 *
 * @param value Anything, as the router may be JavaScript.
 * @returns What to do, `undefined` for no TLS, or the rule that it breaks.
 */
export function parseTls(value: unknown): TlsToRemote | Broken | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return PLAIN;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { rule: `"tls" must be true or an object`, value };
  }
  for (const [key, field] of Object.entries(value)) {
    if (KEYS.includes(key)) continue;
    const known = KEYS.map((name) => `"tls.${name}"`).join(", ");
    return { rule: `"tls.${key}" is not one of ${known}`, value: field };
  }
  const { serverName, ca, alpn } = value as Record<string, unknown>;
  if (serverName !== undefined && !isServerName(serverName)) {
    return {
      rule: `"tls.serverName" must be a host name or an IP address`,
      value: serverName,
    };
  }
  const authorities = toList(ca);
  if (!authorities.every(isCertificate)) {
    return {
      rule: `"tls.ca" must be certificates in PEM, as text or a list of texts`,
      value: ca,
    };
  }
  const protocols = alpn === undefined ? undefined : toList(alpn);
  if (protocols !== undefined && !isAlpn(protocols)) {
    return {
      rule: `"tls.alpn" must be protocols of 1 to 255 ASCII characters`,
      value: alpn,
    };
  }
  return { serverName, ca: authorities, alpn: protocols };
}

/**
 * Tells whether a value can be a server's name: a host name, or an IP address
 * without brackets.
 *
 * @param value Anything.
 */
export function isServerName(value: unknown): value is string {
  return typeof value === "string" &&
    (/^[\w.-]{1,253}$/.test(value) ||
      value.includes(":") && URL.canParse(`http://[${value}]/`));
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
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
