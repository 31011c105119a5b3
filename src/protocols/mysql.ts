import { byteClass, bytesOf, Cursor, encode, textOf } from "./_bytes.ts";
import type { Input } from "./types.ts";

const CLIENT_CONNECT_WITH_DB = 0x0000_0008;
const CLIENT_PROTOCOL_41 = 0x0000_0200;
const CLIENT_SSL = 0x0000_0800;
const CLIENT_TRANSACTIONS = 0x0000_2000;
const CLIENT_SECURE_CONNECTION = 0x0000_8000;
const CLIENT_PLUGIN_AUTH = 0x0008_0000;
const CLIENT_LENENC_DATA = 0x0020_0000;
/** Capabilities, size of packets, character set, and what is reserved. */
const FIXED = 4 + 4 + 1 + 23;
const MAX_LENGTH = 65_535;
const NUL = 0;
const NOT_NUL = byteClass((byte) => byte !== NUL);
const CHALLENGE = 20;
const UTF8MB4 = 45;
const PLUGIN = "mysql_native_password";

/** What a client of MySQL or MariaDB answers to the server's greeting. */
export interface MysqlResponse {
  /**
   * `ssl`: the client asks for TLS and sends a hello of TLS next, after which the
   * same message comes again, encrypted; `login`: who it is.
   */
  readonly kind: "ssl" | "login";
  /** Capabilities of the client: bits of the protocol. */
  readonly capabilities: number;
  /** User, which may be empty; `undefined` when the client asks for TLS. */
  readonly user: string | undefined;
  /** Database; `undefined` when the client names none, or asks for TLS. */
  readonly database: string | undefined;
  /** Length of the message in bytes: what a router has to `consume`. */
  readonly length: number;
}

/**
 * Reads what a client of MySQL or MariaDB answers to the server's greeting.
 *
 * Follows "Connection Phase" of the MySQL Client/Server Protocol
 * (`HandshakeResponse41` and `SSLRequest`). The server speaks first: a router can
 * use this only behind a greeting of its own, such as {@linkcode
 * mysqlGreeting}'s. It is not meant for guessing.
 *
 * @param data What the client has sent.
 * @returns The message; `null` if this is no such message; `undefined` while it
 *   is incomplete.
 *
 * @example
 * ```ts
 * import { mysqlResponse } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const sslRequest = new Uint8Array(36);
 * sslRequest.set([32, 0, 0, 1, 0x00, 0x8a, 0x0f, 0x00]);
 * assert.equal(mysqlResponse(sslRequest)?.kind, "ssl");
 * ```
 */
export function mysqlResponse(data: Input): MysqlResponse | null | undefined {
  const c = new Cursor(bytesOf(data));
  const length = littleEndian(c, 3);
  if (length < 0) return c.answer;
  if (length < FIXED || length > MAX_LENGTH) return null;
  if (c.uint(1, 1, 2) < 0) return c.answer;
  c.limit = c.pos + length;
  const capabilities = littleEndian(c, 4);
  if (capabilities < 0) return c.answer;
  const has = (bit: number) => (capabilities & bit) !== 0;
  if (!has(CLIENT_PROTOCOL_41)) return null;
  if (!c.skip(FIXED - 4)) return c.answer;
  if (c.pos === c.limit) {
    return has(CLIENT_SSL)
      ? message("ssl", capabilities, undefined, undefined, c)
      : null;
  }
  const user = readText(c);
  if (user === undefined || !skipPassword(c, has)) return c.answer;
  const database = has(CLIENT_CONNECT_WITH_DB) ? readText(c) : undefined;
  if (has(CLIENT_CONNECT_WITH_DB) && database === undefined) return c.answer;
  if (!c.skip(c.limit - c.pos)) return c.answer;
  return message("login", capabilities, user, database || undefined, c);
}

function message(
  kind: MysqlResponse["kind"],
  capabilities: number,
  user: string | undefined,
  database: string | undefined,
  c: Cursor,
): MysqlResponse {
  return { kind, capabilities, user, database, length: c.limit };
}

/** Goes over the answer to the challenge, in one of its three forms. */
function skipPassword(c: Cursor, has: (bit: number) => boolean): boolean {
  const isCounted = has(CLIENT_LENENC_DATA) || has(CLIENT_SECURE_CONNECTION);
  if (!isCounted) return readText(c) !== undefined;
  // One that is longer than 250 bytes does not come in this place.
  const length = c.uint(1, 0, has(CLIENT_LENENC_DATA) ? 250 : 255);
  return length >= 0 && c.skip(length);
}

/** A text up to a NUL or the end of the message; `undefined` on failure. */
function readText(c: Cursor): string | undefined {
  const start = c.pos;
  if (start === c.limit) return "";
  const end = c.until(NUL, NOT_NUL, c.limit - start);
  if (end >= 0) return textOf(c.bytes, start, end);
  if (c.answer === undefined) return undefined;
  c.pos = c.limit;
  return textOf(c.bytes, start, c.limit);
}

/** An unsigned integer, least significant byte first, or -1. */
function littleEndian(c: Cursor, size: number): number {
  if (!c.skip(size)) return -1;
  let value = 0;
  for (let i = 1; i <= size; i++) value = value * 256 + c.bytes[c.pos - i]!;
  return value;
}

/** What a greeting of MySQL says. */
export interface MysqlGreetingOptions {
  /**
   * Version of the server that clients are told.
   *
   * @default "8.0.0-proxymachine"
   */
  version?: string | undefined;
}

/**
 * Makes a greeting with which a server of MySQL begins, so that the client
 * answers: with `SSLRequest` if it wants TLS, whose hello may then name the
 * server.
 *
 * The challenge in it is random and of no use: the remote sends one of its own,
 * and has to ask the client to authenticate again (`AuthSwitchRequest`).
 *
 * @param options What it says.
 * @returns The bytes for `reply`.
 *
 * @example
 * ```ts
 * import { mysqlGreeting } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * assert.equal(mysqlGreeting()[4], 10); // the version of the protocol
 * ```
 */
export function mysqlGreeting(
  options: MysqlGreetingOptions = {},
): Uint8Array<ArrayBuffer> {
  const { version = "8.0.0-proxymachine" } = options;
  const capabilities = CLIENT_CONNECT_WITH_DB | CLIENT_PROTOCOL_41 |
    CLIENT_SSL | CLIENT_TRANSACTIONS | CLIENT_SECURE_CONNECTION |
    CLIENT_PLUGIN_AUTH;
  const challenge = crypto.getRandomValues(new Uint8Array(CHALLENGE))
    .map((byte) => byte % 94 + 33); // no NUL
  const payload = [
    10,
    ...encode(version.replaceAll("\0", "")),
    NUL,
    ...[1, 0, 0, 0], // the number of the connection
    ...challenge.subarray(0, 8),
    NUL,
    capabilities & 0xff,
    capabilities >> 8 & 0xff,
    UTF8MB4,
    ...[2, 0], // autocommit
    capabilities >> 16 & 0xff,
    capabilities >> 24 & 0xff,
    CHALLENGE + 1,
    ...new Array<number>(10).fill(0),
    ...challenge.subarray(8),
    NUL,
    ...encode(PLUGIN),
    NUL,
  ];
  return new Uint8Array([
    payload.length,
    payload.length >> 8,
    0,
    0,
    ...payload,
  ]);
}
