/**
 * Addresses in their text form: `host:port`, or `unix:/path` for a socket file.
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

/** A socket file: one end of a connection within the machine. */
export interface SocketPath {
  /** An absolute path; empty for an end that has none. */
  readonly path: string;
}

/** The most bytes that the path of a socket file may have (unix(7)). */
const MAX_SOCKET_PATH = 107;

/** The folder beside a socket file in which it is made; x is any digit. */
export const PRIVATE_FOLDER = ".pm-xxxxxx";

/** What one may have that is listened on, as it is made in another folder. */
export const MAX_LISTEN_PATH: number = MAX_SOCKET_PATH -
  `${PRIVATE_FOLDER}/`.length;

const encoder = new TextEncoder();

/**
 * Parses a remote.
 *
 * @param remote `"host:port"`, with IPv6 as `"[::1]:80"`, or `"unix:/path"`.
 * @returns Its parts, or a text that says what the rule is.
 */
export function parseRemote(remote: string): HostPort | SocketPath | string {
  return isUnix(remote) ? parseSocketPath(remote) : parseHostPort(remote);
}

/**
 * Tells whether an address is that of a socket file.
 *
 * @param text The address; a host may be called `unix`, too.
 */
export function isUnix(text: string): boolean {
  return text.startsWith("unix:") && !/^unix:\d*$/.test(text);
}

/**
 * Parses the address of a socket file.
 *
 * @param text `"unix:/path"`.
 * @param most The most bytes that the path may have.
 * @returns The path, or a text that says what the rule is.
 */
export function parseSocketPath(
  text: string,
  most: number = MAX_SOCKET_PATH,
): SocketPath | string {
  const path = text.slice("unix:".length);
  if (!path.startsWith("/") || path.endsWith("/")) {
    return `must have the absolute path of a socket file, as in "unix:/run/app.sock"`;
  }
  // spaces and line breaks would be taken for another field of a log
  if (/[\s\p{Cc}]/u.test(path)) {
    return "must have a path without spaces and control characters";
  }
  if (encoder.encode(path).length > most) {
    return `must have a path of at most ${most} bytes`;
  }
  return { path };
}

/**
 * Parses a host and a port.
 *
 * @param remote `"host:port"`, with IPv6 as `"[::1]:80"`.
 * @returns The two parts, or a text that says what the rule is.
 */
export function parseHostPort(remote: string): HostPort | string {
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
 * Parses a host and a port to listen on.
 *
 * @param text `"host:port"`, with IPv6 as `"[::1]:80"`; port 0 is any.
 * @returns The two parts, or a text that says what the rule is.
 */
export function parseBindAddress(text: string): HostPort | string {
  const colon = text.lastIndexOf(":");
  const port = parsePort(text.slice(colon + 1), 0);
  if (colon < 0 || port === undefined) {
    return `must be "host:port" with a port from 0 to 65535`;
  }
  // a remote has no port 0
  const parsed = parseHostPort(`${text.slice(0, colon)}:1`);
  return typeof parsed === "string" ? parsed : { ...parsed, port };
}

/**
 * Takes an IPv6 address out of its brackets, in which a URL has it.
 *
 * @param host Any host.
 */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/**
 * Parses a port number in decimal digits.
 *
 * @param least The smallest port that is allowed: 0 for listeners, otherwise 1.
 * @returns The port, or `undefined` if it is not one.
 */
export function parsePort(text: string, least: 0 | 1): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= least && port <= 65535 ? port : undefined;
}

/**
 * Writes an address as `host:port`, IPv6 in brackets, or as `unix:/path`.
 *
 * @param address The host (IPv6 without brackets) and the port, or the path.
 * @returns For example `127.0.0.1:80`, `[::1]:80` or `unix:/run/app.sock`;
 * `unix:` alone for an end that has no path.
 */
export function formatAddress(address: HostPort | SocketPath): string {
  if ("path" in address) return `unix:${address.path}`;
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

/**
 * Tells an IP address from a name.
 *
 * @param hostname As in {@linkcode HostPort}. A name has a letter in what is
 * behind its last dot; numbers in other bases count as addresses, too.
 */
export function isIp(hostname: string): boolean {
  const last = hostname.charCodeAt(hostname.length - 1);
  if (last >= 0x30 && last <= 0x39) {
    return IPV4.test(hostname) || hostname.includes(":");
  }
  return hostname.includes(":");
}

/** What inet_aton(3) takes: one to four numbers, also in octal and hexadecimal. */
const IPV4 = /^(?:(?:0x[\da-f]+|\d+)(?:\.|$)){1,4}$/i;

function isIPv6(text: string): boolean {
  const bare = text.replace(/%[\w.-]+$/, "");
  return bare.includes(":") && URL.canParse(`http://[${bare}]/`);
}
