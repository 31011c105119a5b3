import { byteClass, bytesOf, Cursor, MAX_MESSAGE, textOf } from "./_bytes.ts";
import type { Input } from "./types.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const MAX_ID = 0x7fff_ffff;
const OPERATIONS: ReadonlyMap<number, LdapMessage["operation"]> = new Map([
  [0x60, "bind"],
  [0x63, "search"],
  [0x66, "modify"],
  [0x68, "add"],
  [0x4a, "delete"],
  [0x6c, "modifyDn"],
  [0x6e, "compare"],
  [0x77, "extended"],
]);
const OPERATION = byteClass((byte) => OPERATIONS.has(byte));
/** The name of an extended operation, and the way to authenticate with SASL. */
const CONTEXT_0 = 0x80;
const SASL = 0xa3;
const OCTETS = 0x04;
const START_TLS = "1.3.6.1.4.1.1466.20037";

/** The first message of an LDAP client. */
export interface LdapMessage {
  /** Number that the answer has to repeat. */
  readonly id: number;
  /** What the client wants; most begin with `bind` or `extended`. */
  readonly operation:
    | "bind"
    | "search"
    | "modify"
    | "add"
    | "delete"
    | "modifyDn"
    | "compare"
    | "extended";
  /**
   * Whether this is StartTLS. The server answers with an extended response of
   * the same number, after which the client sends a TLS hello.
   */
  readonly startTls: boolean;
  /**
   * Who the client wants to be, such as `cn=joe,dc=example,dc=com`; empty when
   * it stays anonymous or the authentication says it. `undefined` if the
   * operation is not `bind`.
   */
  readonly name: string | undefined;
  /**
   * Way to authenticate: `simple`, or the mechanism of SASL, such as `EXTERNAL`.
   * `undefined` if the operation is not `bind`.
   */
  readonly authentication: string | undefined;
  /**
   * Object identifier of an extended operation. `undefined` if the operation is
   * not `extended`.
   */
  readonly oid: string | undefined;
  /** Length of the message in bytes: what a router that answers `consume`s. */
  readonly length: number;
}

/**
 * Reads the first message of an LDAP client.
 *
 * Follows RFC 4511 (LDAP version 2 and 3). The message may have 65,536 bytes.
 *
 * @param data The first bytes of the connection.
 * @returns The message; `null` if this is not LDAP; `undefined` while it is
 *   incomplete.
 *
 * @example StartTLS
 * ```ts
 * import { ldap } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const oid = new TextEncoder().encode("1.3.6.1.4.1.1466.20037");
 * const header = [0x30, 29, 2, 1, 1, 0x77, 24, 0x80, 22];
 * const message = ldap(new Uint8Array([...header, ...oid]));
 * assert.equal(message?.startTls, true);
 * assert.equal(message.id, 1);
 * ```
 */
export function ldap(data: Input): LdapMessage | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_MESSAGE);
  if (!enter(c, SEQUENCE)) return c.answer;
  const end = c.limit;
  if (!enter(c, INTEGER)) return c.answer;
  const size = c.limit - c.pos;
  const id = size > 4 ? c.reject() : c.uint(size, 0, MAX_ID);
  if (id < 0) return c.answer;
  c.limit = end;
  if (!c.run(1, OPERATION)) return c.answer;
  const operation = OPERATIONS.get(c.bytes[c.pos - 1]!)!;
  if (!enterLength(c)) return c.answer;
  const bind = operation === "bind" ? readBind(c) : undefined;
  if (operation === "bind" && bind === undefined) return c.answer;
  const oid = operation === "extended" ? readText(c, CONTEXT_0) : undefined;
  if (operation === "extended" && oid === undefined) return c.answer;
  c.limit = end;
  if (!c.skip(end - c.pos)) return c.answer;
  return {
    id,
    operation,
    startTls: oid === START_TLS,
    name: bind?.name,
    authentication: bind?.authentication,
    oid,
    length: end,
  };
}

/** Version, name and way to authenticate; `undefined` on failure. */
function readBind(
  c: Cursor,
): { name: string; authentication: string } | undefined {
  if (c.uint(2, 0x0201, 0x0201) < 0 || c.uint(1, 1, 127) < 0) return undefined;
  const name = readText(c, OCTETS);
  if (name === undefined) return undefined;
  const type = c.uint(1);
  if (type < 0) return undefined;
  if (type === CONTEXT_0) return { name, authentication: "simple" };
  if (type !== SASL) return void c.reject();
  if (!enterLength(c)) return undefined;
  const authentication = readText(c, OCTETS);
  return authentication === undefined ? undefined : { name, authentication };
}

/** A text with this tag; `undefined` on failure. */
function readText(c: Cursor, tag: number): string | undefined {
  const outer = c.limit;
  if (!enter(c, tag)) return undefined;
  const length = c.limit - c.pos;
  if (!c.skip(length)) return undefined;
  c.limit = outer;
  return textOf(c.bytes, c.pos - length, c.pos);
}

/** Goes to the content of an element with this tag, whose end is the limit. */
function enter(c: Cursor, tag: number): boolean {
  return c.uint(1, tag, tag) >= 0 && enterLength(c);
}

/** Reads the length of an element (BER), whose end is the limit from now on. */
function enterLength(c: Cursor): boolean {
  const first = c.uint(1, 0, 0x84);
  if (first < 0) return false;
  if (first === 0x80) return c.no(); // of indefinite length, which LDAP forbids
  const max = c.limit - c.pos - (first & 0x7f);
  const length = first < 0x80
    ? first
    : c.uint(first & 0x7f, 0, Math.max(0, max));
  if (length < 0) return false;
  if (c.pos + length > c.limit) return c.no();
  c.limit = c.pos + length;
  return true;
}
