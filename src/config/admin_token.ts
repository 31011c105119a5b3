/**
 * The token that requests to the admin server must have.
 *
 * @module
 */
import { ConfigError } from "../lib/config_error.ts";
import { whyUnreadable } from "../lib/errors.ts";
import { formatAddress } from "../net/address.ts";
import { type AdminOptions, isLoopback } from "../options/admin.ts";

/** The fewest and the most characters of a token. */
const TOKEN_LENGTH = [16, 1024] as const;

/**
 * Makes sure that nobody uses the server who is not to.
 *
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
