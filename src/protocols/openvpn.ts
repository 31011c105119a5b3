import { bytesOf, Cursor, oneOf } from "./_bytes.ts";
import type { Input } from "./types.ts";

/** Session of the client, and behind it a list of acknowledgements and a number. */
const SESSION = 8;
const MIN_LENGTH = 1 + SESSION + 1 + 4;
/** With an encrypted key of the client, which may have 1,024 bytes. */
const MAX_LENGTH = 2048;
/** `P_CONTROL_HARD_RESET_CLIENT_V2` and `_V3`, each with the key 0. */
const RESETS = oneOf("\x38\x50");
const RESET_V3 = 0x50;
/** Number and time of a packet that is authenticated. */
const REPLAY = 8;
/** Length of HMAC by algorithm: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512. */
const HMACS = [16, 20, 28, 32, 48, 64];
const TLS_CRYPT_LENGTH = MIN_LENGTH + REPLAY + 32;

/** The first packet of an OpenVPN client over TCP. */
export interface OpenVpnReset {
  /**
   * How the packet is protected: not at all, signed (`tls-auth`), or encrypted
   * with a key that all clients share (`tls-crypt`) or that each has of its own
   * (`tls-crypt-v2`).
   */
  readonly protection: "none" | "tls-auth" | "tls-crypt" | "tls-crypt-v2";
  /** Number that the client chose for the session: 16 hexadecimal digits. */
  readonly sessionId: string;
  /** Length of the packet in bytes, including the two bytes that say it. */
  readonly length: number;
}

/**
 * Reads the first packet of an OpenVPN client over TCP.
 *
 * Follows "OpenVPN Wire Protocol" (version 2 of the key method, since OpenVPN
 * 2.0). The name of the server is not in it: the TLS of OpenVPN is inside of its
 * packets.
 *
 * @param data The first bytes of the connection.
 * @returns The packet; `null` if this is not OpenVPN; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { openvpn } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const session = [1, 2, 3, 4, 5, 6, 7, 8];
 * const packet = new Uint8Array([0, 14, 0x38, ...session, 0, 0, 0, 0, 0]);
 * assert.equal(openvpn(packet)?.sessionId, "0102030405060708");
 * assert.equal(openvpn(packet)?.protection, "none");
 * ```
 */
export function openvpn(data: Input): OpenVpnReset | null | undefined {
  const c = new Cursor(bytesOf(data));
  const length = c.uint(2, MIN_LENGTH, MAX_LENGTH);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  if (!c.run(1, RESETS)) return c.answer;
  const opcode = c.bytes[c.pos - 1]!;
  const isPlausible = opcode === RESET_V3
    ? length > TLS_CRYPT_LENGTH
    : length === MIN_LENGTH ||
      HMACS.includes(length - MIN_LENGTH - REPLAY);
  if (!isPlausible) return null;
  if (!c.skip(SESSION)) return c.answer;
  const sessionId = c.bytes.subarray(c.pos - SESSION, c.pos).toHex();
  const protection = readProtection(c, opcode, length);
  if (protection === undefined) return c.answer;
  return { protection, sessionId, length: c.limit };
}

/** What comes behind the session; `undefined` on failure. */
function readProtection(
  c: Cursor,
  opcode: number,
  length: number,
): OpenVpnReset["protection"] | undefined {
  const start = c.pos;
  // An encrypted packet begins with its number. A client that can negotiate
  // early says so in the first byte of that.
  if (opcode === RESET_V3 || length === TLS_CRYPT_LENGTH) {
    const number = c.uint(4);
    if (number < 0) return undefined;
    if (number === 1 || number === 0x0f00_0001) {
      if (!c.skip(c.limit - c.pos)) return undefined;
      return opcode === RESET_V3 ? "tls-crypt-v2" : "tls-crypt";
    }
    if (opcode === RESET_V3) return void c.reject();
    c.pos = start;
  }
  const isSigned = length > MIN_LENGTH;
  if (isSigned) {
    if (!c.skip(length - MIN_LENGTH - REPLAY)) return undefined;
    if (c.uint(4, 1, 1) < 0 || !c.skip(4)) return undefined;
  }
  // nothing to acknowledge, and the first packet
  if (c.uint(1, 0, 0) < 0 || c.uint(4, 0, 0) < 0) return undefined;
  return isSigned ? "tls-auth" : "none";
}
