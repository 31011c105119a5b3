import { bytesOf, Cursor, MAX_MESSAGE, oneOf, textOf } from "./_bytes.ts";
import { sentName } from "./_loose_host.ts";
import type { Input } from "./types.ts";

const MIN_LENGTH = 7;
const MAX_LENGTH = MAX_MESSAGE - 3;
/** Port and state. */
const AFTER_HOST = 2 + 1;
/** Bytes that no host has and that begin what proxies and mods append to it. */
const SUFFIX_START = oneOf("\0/\\");
/** How clients before 1.7 ask for the status: `FE 01`. */
const LEGACY_PING = [0xfe, 0x01] as const;
const STATES = ["status", "login", "transfer"] as const;

/** The handshake of a Minecraft client. */
export interface MinecraftHandshake {
  /**
   * Version of the protocol, such as 765 for 1.20.4; -1 when the client does
   * not know it yet. `undefined` in a ping of a client before 1.7.
   */
  readonly version: number | undefined;
  /**
   * Host that the player typed: lower case, no trailing dot, without what mods
   * and proxies append to it. One that cannot be a host name is given as it
   * came, in lower case, and may be empty. `undefined` in a ping of a client
   * before 1.7.
   */
  readonly host: string | undefined;
  /**
   * What mods and proxies append to the host, from the first NUL, slash or
   * backslash on: `\0FML\0`, `///203.0.113.7:51000`, BungeeCord's forwarding
   * with the address of the player; UTF-8, or else one character per byte. Empty
   * when there is nothing.
   */
  readonly suffix: string;
  /** Port that the player typed; `undefined` in a ping of a client before 1.7. */
  readonly port: number | undefined;
  /**
   * What the client wants: the server's status, to play, or to play on, coming
   * from another server.
   */
  readonly state: "status" | "login" | "transfer";
  /** Length of the handshake in bytes. */
  readonly length: number;
}

/**
 * Reads the handshake of a Minecraft client (Java Edition).
 *
 * Follows "Java Edition protocol" of the Minecraft Wiki. A handshake may have
 * 65,536 bytes. The ping of clients before 1.7, `FE 01`, is a request for the
 * status; what 1.6 sends behind these two bytes is not read. A later handshake
 * of 254 bytes begins with the same bytes and is taken for such a ping.
 *
 * @param data The first bytes of the connection.
 * @returns The handshake; `null` if this is not Minecraft; `undefined` while it
 *   is incomplete.
 *
 * @example
 * ```ts
 * import { minecraft } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const text = new TextEncoder().encode("play.example.com");
 * const packet = [23, 0, 0xfd, 0x05, 16, ...text, 0x63, 0xdd, 2];
 * const handshake = minecraft(new Uint8Array(packet));
 * assert.equal(handshake?.host, "play.example.com");
 * assert.equal(handshake.port, 25565);
 * ```
 */
export function minecraft(data: Input): MinecraftHandshake | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (c.bytes[0] === LEGACY_PING[0] && c.bytes[1] === LEGACY_PING[1]) {
    return legacyPing();
  }
  const length = c.varint(3, MIN_LENGTH, MAX_LENGTH);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  if (c.uint(1, 0, 0) < 0) return c.answer;
  const version = readVersion(c);
  if (version === undefined) return c.answer;
  const size = c.varint(3, 0, MAX_LENGTH);
  if (size < 0) return c.answer;
  if (c.pos + size + AFTER_HOST !== c.limit) return null;
  if (!c.skip(size)) return c.answer;
  const hostStart = c.pos - size;
  const hostEnd = c.pos;
  const port = c.uint(2);
  if (port < 0) return c.answer;
  const state = c.uint(1, 1, STATES.length);
  if (state < 0) return c.answer;
  if (c.pos !== c.limit) return null;
  let suffix = hostStart;
  while (suffix < hostEnd && SUFFIX_START[c.bytes[suffix]!] === 0) suffix++;
  return {
    version,
    host: sentName(c.bytes, hostStart, suffix),
    suffix: textOf(c.bytes, suffix, hostEnd),
    port,
    state: STATES[state - 1]!,
    length: c.limit,
  };
}

function legacyPing(): MinecraftHandshake {
  return {
    version: undefined,
    host: undefined,
    suffix: "",
    port: undefined,
    state: "status",
    length: 2,
  };
}

/** A signed integer of 32 bits; `undefined` on failure. */
function readVersion(c: Cursor): number | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = c.uint(1, 0, i < 4 ? 0xff : 0x0f);
    if (byte < 0) return undefined;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) break;
  }
  return value;
}
