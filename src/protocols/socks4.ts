import { ipv4Text } from "./_address.ts";
import { byteClass, bytesOf, Cursor, TEXT, textOf } from "./_bytes.ts";
import { sentName } from "./_loose_host.ts";
import type { Input } from "./types.ts";

const NUL = 0;
const MAX_USER = 255;
const MAX_HOST = 255;
const COMMANDS: ReadonlyMap<number, Socks4Request["command"]> = new Map([
  [1, "connect"],
  [2, "bind"],
  [0xf0, "resolve"],
  [0xf1, "resolvePtr"],
]);
const COMMAND = byteClass((byte) => COMMANDS.has(byte));

/** The request of a SOCKS4 or SOCKS4a client. */
export interface Socks4Request {
  /**
   * What the client wants: a connection, or to wait for one; with Tor's
   * extensions the address of a host, or the name of an address.
   */
  readonly command: "connect" | "bind" | "resolve" | "resolvePtr";
  /**
   * IPv4 address or, from a SOCKS4a client, host name: lower case, no trailing
   * dot, a name in UTF-8 in its ASCII form. One that cannot be a host name is
   * given as it came, in lower case.
   */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /**
   * User name that the client claims, which may be empty; UTF-8, or else one
   * character per byte.
   */
  readonly user: string;
  /** Length of the request in bytes: what a router has to `consume`. */
  readonly length: number;
}

/**
 * Reads the request of a SOCKS4 or SOCKS4a client.
 *
 * Follows "SOCKS: A protocol for TCP proxy across firewalls" and "SOCKS 4A: A
 * Simple Extension to SOCKS 4 Protocol". User and host may have 255 bytes each.
 * Tor's commands RESOLVE (`f0`) and RESOLVE_PTR (`f1`) are read, too. The answer
 * to grant it is `00 5a` and six more bytes.
 *
 * @param data The first bytes of the connection.
 * @returns The request; `null` if this is not SOCKS4; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { socks4 } from "proxymachine/protocols";
 * import { Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const granted = new Uint8Array([0, 0x5a, 0, 0, 0, 0, 0, 0]);
 *
 * const router = {
 *   route(data) {
 *     const request = socks4(data);
 *     if (request === undefined) return { noop: true };
 *     if (!request?.host.endsWith(".example.com")) return { close: true };
 *     return {
 *       remote: `${request.host}:${request.port}`,
 *       data: data.bytes.slice(request.length),
 *       reply: granted,
 *     };
 *   },
 * } satisfies Router;
 *
 * const request = "\x04\x01\0\x50\0\0\0\x01\0a.example.com\0";
 * const data = new Preread(new TextEncoder().encode(request));
 * const decision = router.route(data);
 * assert.equal(decision.remote, "a.example.com:80");
 * ```
 */
export function socks4(data: Input): Socks4Request | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (c.uint(1, 4, 4) < 0) return c.answer;
  if (!c.run(1, COMMAND)) return c.answer;
  const command = COMMANDS.get(c.bytes[1]!)!;
  const port = c.uint(2);
  if (port < 0 || !c.skip(4)) return c.answer;
  const address = c.pos - 4;
  const user = c.pos;
  const userEnd = c.until(NUL, TEXT, MAX_USER);
  if (userEnd < 0) return c.answer;
  const host = isNamed(c.bytes, address)
    ? readHost(c)
    : ipv4Text(c.bytes, address);
  if (host === undefined) return c.answer;
  return {
    command,
    host,
    port,
    user: textOf(c.bytes, user, userEnd),
    length: c.pos,
  };
}

/**
 * Whether the address is one of 0.0.0.1 to 0.0.0.255, behind which a name
 * follows (4a).
 */
function isNamed(bytes: Uint8Array, pos: number): boolean {
  return bytes[pos] === 0 && bytes[pos + 1] === 0 && bytes[pos + 2] === 0 &&
    bytes[pos + 3] !== 0;
}

function readHost(c: Cursor): string | undefined {
  const start = c.pos;
  if (!c.run(1, TEXT)) return undefined; // a name is not empty
  const end = c.until(NUL, TEXT, MAX_HOST - 1);
  return end < 0 ? undefined : sentName(c.bytes, start, end);
}
