import { ipv4Text, ipv6Text } from "./_address.ts";
import { byteClass, bytesOf, Cursor, textOf } from "./_bytes.ts";
import { sentName } from "./_loose_host.ts";
import type { Input } from "./types.ts";

const COMMANDS: ReadonlyMap<number, Socks5Request["command"]> = new Map([
  [1, "connect"],
  [2, "bind"],
  [3, "udpAssociate"],
  [0xf0, "resolve"],
  [0xf1, "resolvePtr"],
]);
const COMMAND = byteClass((byte) => COMMANDS.has(byte));
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** A SOCKS5 client's first message. */
export interface Socks5Greeting {
  /**
   * Ways to authenticate in the client's order: 0 = none, 1 = GSSAPI, 2 = user
   * and password.
   */
  readonly methods: readonly number[];
  /** Length of the message in bytes: what a router has to `consume`. */
  readonly length: number;
}

/** A SOCKS5 client's user name and password. */
export interface Socks5Credentials {
  /** User name, which may be empty; UTF-8, or else one character per byte. */
  readonly user: string;
  /** Password, which may be empty; UTF-8, or else one character per byte. */
  readonly password: string;
  /** Length of the message in bytes: what a router has to `consume`. */
  readonly length: number;
}

/** A SOCKS5 client's request. */
export interface Socks5Request {
  /**
   * What the client wants: a connection, to wait for one, or to send datagrams;
   * with Tor's extensions the address of a host, or the name of an address.
   */
  readonly command:
    | "connect"
    | "bind"
    | "udpAssociate"
    | "resolve"
    | "resolvePtr";
  /**
   * IP address, or host name: lower case, no trailing dot, a name in UTF-8 in
   * its ASCII form (`xn--bcher-kva.example`). One that cannot be a host name is
   * given as it came, in lower case.
   */
  readonly host: string;
  /** Port. */
  readonly port: number;
  /** Length of the message in bytes: what a router has to `consume`. */
  readonly length: number;
}

/**
 * Reads a SOCKS5 client's first message, the list of methods.
 *
 * Follows RFC 1928 section 3. The server answers `05` and the method that it
 * chose; `00` = no authentication, after which {@linkcode socks5Request} comes.
 *
 * @param data The first bytes of the connection.
 * @returns The greeting; `null` if this is not SOCKS5; `undefined` while it is
 *   incomplete.
 *
 * @example A SOCKS5 server that connects to one domain
 * ```ts
 * import { socks5, socks5Request } from "proxymachine/protocols";
 * import type { Client, Router } from "proxymachine";
 *
 * const noAuthentication = new Uint8Array([5, 0]);
 * const succeeded = new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
 * const greeted = new WeakSet<Client>();
 *
 * const router = {
 *   route(data, client) {
 *     if (!greeted.has(client)) {
 *       const greeting = socks5(data);
 *       if (greeting === undefined) return { noop: true };
 *       if (!greeting?.methods.includes(0)) return { close: true };
 *       greeted.add(client);
 *       return { reply: noAuthentication, consume: greeting.length };
 *     }
 *     const request = socks5Request(data);
 *     if (request === undefined) return { noop: true };
 *     if (!request?.host.endsWith(".example.com")) return { close: true };
 *     return {
 *       remote: `${request.host}:${request.port}`,
 *       data: data.bytes.slice(request.length),
 *       reply: succeeded,
 *     };
 *   },
 * } satisfies Router;
 * export default router;
 * ```
 */
export function socks5(data: Input): Socks5Greeting | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (c.uint(1, 5, 5) < 0) return c.answer;
  const count = c.uint(1, 1, 255);
  if (count < 0 || !c.skip(count)) return c.answer;
  const methods: number[] = [];
  for (let i = c.pos - count; i < c.pos; i++) methods.push(c.bytes[i]!);
  return { methods, length: c.pos };
}

/**
 * Reads a SOCKS5 client's user name and password, which come after the server
 * has chosen method 2.
 *
 * Follows RFC 1929, but user and password may be empty, as curl sends them. The
 * server answers `01 00` when they are right.
 *
 * @param data What the client has sent behind its greeting.
 * @returns User and password; `null` if this is not such a message; `undefined`
 *   while it is incomplete.
 *
 * @example
 * ```ts
 * import { socks5Credentials } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const message = new TextEncoder().encode("\x01\x03joe\x06secret");
 * assert.equal(socks5Credentials(message)?.user, "joe");
 * ```
 */
export function socks5Credentials(
  data: Input,
): Socks5Credentials | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (c.uint(1, 1, 1) < 0) return c.answer;
  const user = c.uint(1);
  if (user < 0 || !c.skip(user)) return c.answer;
  const userEnd = c.pos;
  const password = c.uint(1);
  if (password < 0 || !c.skip(password)) return c.answer;
  return {
    user: textOf(c.bytes, userEnd - user, userEnd),
    password: textOf(c.bytes, c.pos - password, c.pos),
    length: c.pos,
  };
}

/**
 * Reads a SOCKS5 client's request, which comes after the server's answer to
 * the greeting and, if it asked for them, the credentials.
 *
 * Follows RFC 1928 sections 4 and 5, with Tor's commands RESOLVE (`f0`) and
 * RESOLVE_PTR (`f1`). The answer to grant it is `05 00 00 01` and six more
 * bytes.
 *
 * @param data What the client has sent behind its greeting.
 * @returns The request; `null` if this is not such a request; `undefined` while
 *   it is incomplete.
 *
 * @example
 * ```ts
 * import { socks5Request } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const bytes = new Uint8Array([5, 1, 0, 1, 10, 0, 0, 1, 0, 80]);
 * const request = socks5Request(bytes);
 * assert.equal(request?.host, "10.0.0.1");
 * assert.equal(request.port, 80);
 * ```
 */
export function socks5Request(data: Input): Socks5Request | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (c.uint(1, 5, 5) < 0) return c.answer;
  if (!c.run(1, COMMAND) || c.uint(1, 0, 0) < 0) return c.answer;
  const command = COMMANDS.get(c.bytes[1]!)!;
  const host = readAddress(c);
  if (host === undefined) return c.answer;
  const port = c.uint(2);
  if (port < 0) return c.answer;
  return { command, host, port, length: c.pos };
}

/** Type and address; `undefined` on failure. */
function readAddress(c: Cursor): string | undefined {
  const type = c.uint(1, IPV4, IPV6);
  if (type < 0) return undefined;
  if (type === IPV4) {
    return c.skip(4) ? ipv4Text(c.bytes, c.pos - 4) : undefined;
  }
  if (type === IPV6) {
    return c.skip(16) ? ipv6Text(c.bytes, c.pos - 16) : undefined;
  }
  if (type !== NAME) return void c.reject();
  const length = c.uint(1, 1, 255);
  if (length < 0 || !c.skip(length)) return undefined;
  return sentName(c.bytes, c.pos - length, c.pos);
}
