import { bytesOf, Cursor } from "./_bytes.ts";
import { HOST_BYTES, hostName } from "./_host.ts";
import type { Input } from "./types.ts";

/** Of the 255 characters that a host may have each may take 3 bytes. */
const MAX_HOST = 255 * 3;
const MIN_LENGTH = 8;
const MAX_LENGTH = 1 + 5 + 2 + MAX_HOST + 2 + 1;
const STATES = ["status", "login", "transfer"] as const;

/** The handshake of a Minecraft client. */
export interface MinecraftHandshake {
  /**
   * Version of the protocol, such as 765 for 1.20.4; -1 when the client does
   * not know it yet.
   */
  readonly version: number;
  /**
   * Host that the player typed: lower case, no trailing dot, without what mods
   * append to it.
   */
  readonly host: string;
  /** Port that the player typed. */
  readonly port: number;
  /**
   * What the client wants: the server's status, to play, or to play on, coming
   * from another server.
   */
  readonly state: "status" | "login" | "transfer";
  /** Length of the handshake in bytes. */
  readonly length: number;
}

/**
 * Reads the handshake of a Minecraft client (Java Edition, 1.7 and later).
 *
 * Follows "Java Edition protocol" of the Minecraft Wiki. What Forge and others
 * append to the host, behind a NUL, is left out.
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
  const length = c.varint(3, MIN_LENGTH, MAX_LENGTH);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  if (c.uint(1, 0, 0) < 0) return c.answer;
  const version = readVersion(c);
  if (version === undefined) return c.answer;
  const host = readHost(c);
  if (host === undefined) return c.answer;
  const port = c.uint(2);
  if (port < 0) return c.answer;
  const state = c.uint(1, 1, STATES.length);
  if (state < 0) return c.answer;
  if (c.pos !== c.limit) return null;
  return { version, host, port, state: STATES[state - 1]!, length: c.limit };
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

function readHost(c: Cursor): string | undefined {
  const afterHost = 2 + 1;
  const size = c.varint(2, 1, MAX_HOST);
  if (size < 0) return undefined;
  if (c.pos + size + afterHost !== c.limit) return void c.reject();
  const nul = c.bytes.subarray(c.pos, c.pos + size).indexOf(0);
  const length = nul < 0 ? size : nul; // without what mods append
  const start = c.pos;
  if (!c.run(length, HOST_BYTES) || !c.skip(size - length)) return undefined;
  return hostName(c.bytes, start, start + length) ?? void c.reject();
}
