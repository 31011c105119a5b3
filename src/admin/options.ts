/**
 * Where the admin server listens, and who may use it.
 *
 * @module
 */
import { ConfigError, unusable } from "../config_error.ts";
import { formatAddress, type HostPort } from "../connection/address.ts";
import { parseHostPort, parsePort } from "../connection/address.ts";
import { whyUnreadable } from "../errors.ts";

/** Connections to it that may be open; one more ends that which waits longest. */
export const MAX_ADMIN_CONNECTIONS = 64;

/** The options of the admin server. */
export interface AdminOptions extends HostPort {
  /** The path of a file with the token; `undefined`: no token is needed. */
  readonly tokenFile: string | undefined;
}

/** The fewest and the most characters of a token. */
const TOKEN_LENGTH = [16, 1024] as const;

/**
 * Reads an address of the admin server.
 *
 * @param text `host:port`, with IPv6 as `[::1]:9901`; port 0 is any.
 * @returns The address, or a text that says which rule it breaks.
 */
export function parseAdminAddress(text: string): HostPort | string {
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
 * Puts together what the command line and a route table say.
 *
 * @param address That of the command line, or `off`.
 * @param tokenFile That of the command line; it means nothing without an
 * address.
 * @param settings What the table says.
 * @returns The options; `undefined` for no admin server.
 * @throws {ConfigError} If a value breaks its rule.
 */
export function adminOptions(
  address: string | undefined,
  tokenFile: string | undefined,
  settings: AdminOptions | undefined,
): AdminOptions | undefined {
  if (tokenFile === "") {
    throw unusable("--admin-token-file", "be not empty", "");
  }
  if (address === "off") return undefined;
  const place = address === undefined ? settings : parseAddress(address);
  return place && {
    hostname: place.hostname,
    port: place.port,
    tokenFile: tokenFile ?? settings?.tokenFile,
  };
}

/**
 * Makes sure that nobody uses the server who is not to.
 *
 * @param options Where it listens.
 * @returns The token that requests must have, if there is one.
 * @throws {ConfigError} If others than this machine could connect, and there is
 * no token; if the token cannot be read.
 */
export async function requireToken(
  options: AdminOptions | undefined,
): Promise<string | undefined> {
  if (options === undefined) return undefined;
  if (options.tokenFile !== undefined) {
    return await readToken(options.tokenFile);
  }
  if (isLoopback(options.hostname)) return undefined;
  throw new ConfigError(
    `Cannot use --admin as an address that other machines can reach needs --admin-token-file: current value is ${
      JSON.stringify(formatAddress(options))
    }`,
  );
}

function parseAddress(text: string): HostPort {
  const address = parseAdminAddress(text);
  if (typeof address !== "string") return address;
  throw new ConfigError(
    `Cannot use --admin as it ${address}, or "off": current value is ${
      JSON.stringify(text)
    }`,
  );
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

/** Reads a token, which is never part of a message. */
async function readToken(path: string): Promise<string> {
  let token: string;
  try {
    token = (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new ConfigError(
      `Cannot read --admin-token-file ${path}: ${whyUnreadable(error)}`,
      { cause: error },
    );
  }
  const [least, most] = TOKEN_LENGTH;
  if (
    /^[\x21-\x7e]+$/.test(token) && token.length >= least &&
    token.length <= most
  ) {
    return token;
  }
  throw new ConfigError(
    `Cannot use --admin-token-file ${path} as its token must be ${least} to ${most} printable ASCII characters without spaces: it has ${token.length}`,
  );
}
