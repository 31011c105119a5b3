/**
 * Where the admin server listens, and who may use it.
 *
 * @module
 */
import { broken, ConfigError, unusable } from "../lib/config_error.ts";
import {
  formatAddress,
  type HostPort,
  parseBindAddress,
} from "../net/address.ts";
import { whyUnreadable } from "../lib/errors.ts";

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
