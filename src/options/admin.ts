/**
 * The options of the admin server: where it listens, and who may use it.
 *
 * @module
 */
import { broken } from "../lib/config_error.ts";
import { type HostPort, parseBindAddress } from "../net/address.ts";

/** Connections to it that may be open; one more ends that which waits longest. */
export const MAX_ADMIN_CONNECTIONS = 64;

/** The options of the admin server. */
export interface AdminOptions extends HostPort {
  /** The path of a file with the token; `undefined`: no token is needed. */
  readonly tokenFile: string | undefined;
}

/**
 * Puts together what the command line and a route table say.
 *
 * @param address That of the command line, or `off`.
 * @param tokenFile That of the command line; it means nothing without an
 * address.
 * @returns The options; `undefined` for no admin server.
 * @throws {ConfigError} If a value breaks its rule.
 */
export function adminOptions(
  address: string | undefined,
  tokenFile: string | undefined,
  settings: AdminOptions | undefined,
): AdminOptions | undefined {
  if (tokenFile === "") {
    throw broken("--admin-token-file", "must not be empty", "");
  }
  if (address === "off") return undefined;
  const place = address === undefined ? settings : parseAddress(address);
  return place && {
    hostname: place.hostname,
    port: place.port,
    tokenFile: tokenFile ?? settings?.tokenFile,
  };
}

function parseAddress(text: string): HostPort {
  const address = parseBindAddress(text);
  if (typeof address !== "string") return address;
  throw broken("--admin", `${address}, or "off"`, text);
}

/**
 * Tells whether only this machine can connect to a host.
 *
 * @param hostname A name, or an IP address without brackets.
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:[\w-]+\.)*localhost$/i.test(hostname) ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === "::1";
}
