import { isDigit } from "./_address.ts";
import {
  byteClass,
  bytesOf,
  Cursor,
  encode,
  latin1,
  PRINTABLE,
  VISIBLE,
} from "./_bytes.ts";
import type { Input } from "./types.ts";

const DASH = 0x2d;
const MAX_LINE = 255;
const MAX_PROTOCOL = 8;
const MAGIC = encode("SSH-");
const PROTOCOL = byteClass((byte) => isDigit(byte) || byte === 0x2e);

/** The line with which an SSH client says what it is. */
export interface SshIdentification {
  /** The line without its end, such as `SSH-2.0-OpenSSH_9.2p1 Debian-2`. */
  readonly version: string;
  /** Version of the protocol, such as `2.0`. */
  readonly protocol: string;
  /** Name and version of the program, such as `OpenSSH_9.2p1`. */
  readonly software: string;
  /** What comes behind the first space, such as `Debian-2`. */
  readonly comments: string | undefined;
}

/**
 * Reads an SSH client's identification line.
 *
 * Follows RFC 4253 section 4.2: at most 255 bytes with the end of the line,
 * printable US-ASCII. A bare LF ends it too. Most clients send this line at
 * once; one that waits for the server's line cannot be told apart.
 *
 * @param data The first bytes of the connection.
 * @returns What the client is; `null` if this is not SSH; `undefined` while the
 *   line is incomplete.
 *
 * @example
 * ```ts
 * import { ssh } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const line = new TextEncoder().encode("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
 * assert.equal(ssh(line)?.software, "OpenSSH_9.2p1");
 * assert.equal(ssh(line.subarray(0, 9)), undefined);
 * ```
 */
export function ssh(data: Input): SshIdentification | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_LINE);
  if (!c.literal(MAGIC)) return c.answer;
  const protocolStart = c.pos;
  const protocolEnd = c.until(DASH, PROTOCOL, MAX_PROTOCOL);
  if (protocolEnd < 0) return c.answer;
  if (protocolEnd === protocolStart) return null;
  const softwareStart = c.pos;
  if (!c.run(1, VISIBLE)) return c.answer;
  const lineEnd = c.over(PRINTABLE, MAX_LINE);
  if (lineEnd < 0 || !c.endOfLine()) return c.answer;
  const version = latin1(c.bytes, 0, lineEnd);
  const space = version.indexOf(" ", softwareStart);
  return {
    version,
    protocol: version.slice(protocolStart, protocolEnd),
    software: version.slice(softwareStart, space < 0 ? lineEnd : space),
    comments: space < 0 ? undefined : version.slice(space + 1),
  };
}
