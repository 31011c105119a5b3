import { bytesOf, Cursor, NOT_NUL, utf8, VISIBLE } from "./_bytes.ts";
import type { Input } from "./types.ts";

const NUL = 0;
/** PostgreSQL's own limit, in bytes. */
const MAX_LENGTH = 10_000;
const CANCEL = 80_877_102;
const SSL = 80_877_103;
const GSS = 80_877_104;
/** Since version 3.2 the key may have up to 256 bytes. */
const CANCEL_MAX = 12 + 256;
/** Startup with a user of one character; cancel with a key of four bytes. */
const MIN_LENGTH = 16;

/** A request for encryption, before the real first message. */
export interface PostgresEncryptionRequest {
  /**
   * `ssl`: TLS is asked for; `gss`: GSSAPI. The answer is one byte: `S` or `G`,
   * or `N` for no.
   */
  readonly kind: "ssl" | "gss";
  /**
   * Length of the message in bytes: what a router that answers has to
   * `consume`.
   */
  readonly length: number;
}

/** A request to cancel the query of another connection. */
export interface PostgresCancelRequest {
  /** Kind of the message. */
  readonly kind: "cancel";
  /** Process that the server named to the other connection. */
  readonly processId: number;
  /** Key that the server gave to the other connection; a copy. */
  readonly secretKey: Uint8Array;
  /** Length of the message in bytes. */
  readonly length: number;
}

/** The message that begins a session. */
export interface PostgresStartup {
  /** Kind of the message. */
  readonly kind: "startup";
  /** Version of the protocol, such as `3.0`. */
  readonly version: string;
  /** User. */
  readonly user: string;
  /** Database; when the client names none, the user, as PostgreSQL does. */
  readonly database: string;
  /** All parameters by name, such as `application_name`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Length of the message in bytes. */
  readonly length: number;
}

/** The first message of a PostgreSQL client. */
export type PostgresMessage =
  | PostgresEncryptionRequest
  | PostgresCancelRequest
  | PostgresStartup;

/**
 * Reads the first message of a PostgreSQL client.
 *
 * Follows "Frontend/Backend Protocol", versions 3.0 to 3.2, of PostgreSQL. A
 * message may have 10,000 bytes. A client that wants encryption asks for it
 * first and sends its startup message after the answer.
 *
 * @param data The first bytes of the connection.
 * @returns The message; `null` if this is not PostgreSQL; `undefined` while it
 *   is incomplete.
 *
 * @example By database; TLS is refused
 * ```ts
 * import { postgres } from "proxymachine/protocols";
 * import { Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const router = {
 *   route(data) {
 *     const message = postgres(data);
 *     if (message === undefined) return { noop: true };
 *     switch (message?.kind) {
 *       case "ssl":
 *       case "gss":
 *         return { reply: "N", consume: message.length };
 *       case "startup":
 *         return { remote: `${message.database}.internal:5432` };
 *       default:
 *         return { close: true };
 *     }
 *   },
 * } satisfies Router;
 *
 * const sslRequest = new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
 * const answer = router.route(new Preread(sslRequest));
 * assert.deepEqual(answer, { reply: "N", consume: 8 });
 * ```
 */
export function postgres(data: Input): PostgresMessage | null | undefined {
  const c = new Cursor(bytesOf(data));
  const length = c.uint(4, 8, MAX_LENGTH);
  if (length < 0) return c.answer;
  c.limit = length;
  if (length === 8) {
    const code = c.uint(4, SSL, GSS);
    return code < 0 ? c.answer : { kind: code === SSL ? "ssl" : "gss", length };
  }
  if (length < MIN_LENGTH) return null;
  const version = c.uint(4, 0x0003_0000, 0x0003_ffff);
  if (version >= 0) return startup(c, version & 0xffff);
  const mayBeCancel = c.answer === null && length <= CANCEL_MAX;
  return mayBeCancel ? cancel(c) : c.answer;
}

function cancel(c: Cursor): PostgresCancelRequest | null | undefined {
  if (c.uint(4, CANCEL, CANCEL) < 0) return c.answer;
  const processId = c.uint(4);
  if (processId < 0) return c.answer;
  const key = c.pos;
  if (!c.skip(c.limit - key)) return c.answer;
  const secretKey = c.bytes.slice(key, c.pos);
  return { kind: "cancel", processId, secretKey, length: c.limit };
}

function startup(c: Cursor, minor: number): PostgresStartup | null | undefined {
  const parameters = new Map<string, string>();
  while (c.bytes[c.pos] !== NUL) {
    const name = c.pos;
    const nameEnd = c.until(NUL, VISIBLE, MAX_LENGTH);
    if (nameEnd < 0) return c.answer;
    const value = c.pos;
    const valueEnd = c.until(NUL, NOT_NUL, MAX_LENGTH);
    if (valueEnd < 0) return c.answer;
    parameters.set(
      utf8(c.bytes, name, nameEnd),
      utf8(c.bytes, value, valueEnd),
    );
  }
  const user = parameters.get("user");
  if (c.pos !== c.limit - 1 || user === undefined || user === "") return null;
  const database = parameters.get("database") || user;
  const version = `3.${minor}`;
  return {
    kind: "startup",
    version,
    user,
    database,
    parameters,
    length: c.limit,
  };
}
