/**
 * Addresses in their text form, `host:port`.
 *
 * @module
 */

/** Where a connection goes. */
export interface HostPort {
  /** A host name or an IP address; IPv6 without brackets. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** How many parsed remotes are remembered; a router has a few, or very many. */
const CACHE_SIZE = 4096;
const cache = new Map<string, HostPort>();

/**
 * Parses a remote. The result is remembered, as a router names the same few
 * remotes for most connections.
 *
 * @param remote `"host:port"`, with IPv6 as `"[::1]:80"`.
 * @returns The two parts, or a text that says what the rule is.
 */
export function parseRemote(remote: string): HostPort | string {
  const known = cache.get(remote);
  if (known !== undefined) return known;
  const parsed = parseHostPort(remote);
  if (typeof parsed === "string") return parsed;
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(remote, parsed);
  return parsed;
}

function parseHostPort(remote: string): HostPort | string {
  const colon = remote.lastIndexOf(":");
  if (colon <= 0) return `must be "host:port"`;
  const port = parsePort(remote.slice(colon + 1), 1);
  if (port === undefined) return "must end in a port from 1 to 65535";
  let hostname = remote.slice(0, colon);
  if (hostname.startsWith("[") && hostname.endsWith("]")) {
    hostname = hostname.slice(1, -1);
    if (!isIPv6(hostname)) return "has no IPv6 address between its brackets";
  } else if (hostname.includes(":")) {
    return `must have an IPv6 address in brackets, as in "[::1]:80"`;
  } else if (!/^[\w.-]{1,253}$/.test(hostname)) {
    return "must begin with a host name or an IP address";
  }
  return { hostname, port };
}

/**
 * Parses a port number in decimal digits.
 *
 * @param text The digits.
 * @param least The smallest port that is allowed: 0 for listeners, otherwise 1.
 * @returns The port, or `undefined` if it is not one.
 */
export function parsePort(text: string, least: 0 | 1): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= least && port <= 65535 ? port : undefined;
}

/**
 * Writes an address as `host:port`, IPv6 in brackets.
 *
 * @param address The host (IPv6 without brackets) and the port.
 * @returns For example `127.0.0.1:80` or `[::1]:80`.
 */
export function formatAddress(address: HostPort): string {
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

function isIPv6(text: string): boolean {
  const bare = text.replace(/%[\w.-]+$/, "");
  return bare.includes(":") && URL.canParse(`http://[${bare}]/`);
}
