import { bytesOf, Cursor, encode, MAX_MESSAGE, textOf } from "./_bytes.ts";
import type { Input } from "./types.ts";

const CONNECT = 0x10;
const MIN_LENGTH = 12;
const MQTT = encode("\0\x04MQTT");
const MQISDP = encode("\0\x06MQIsdp");
/** A bridge between brokers sets this bit of the level. */
const BRIDGE = 0x80;
const CLEAN = 0x02;
const WILL = 0x04;
const WILL_DETAILS = 0x38;
const PASSWORD = 0x40;
const USERNAME = 0x80;

/** The CONNECT packet of an MQTT client. */
export interface MqttConnect {
  /** Level of the protocol: 3 = MQTT 3.1, 4 = 3.1.1, 5 = 5.0. */
  readonly level: number;
  /**
   * Client identifier; empty when the server is to choose one. UTF-8, or else
   * one character per byte.
   */
  readonly clientId: string;
  /** User name, in the same form; `undefined` when the client names none. */
  readonly username: string | undefined;
  /** Whether the client wants to begin without an earlier session. */
  readonly cleanStart: boolean;
  /** Longest time between two packets of the client in seconds; 0 = any. */
  readonly keepAlive: number;
  /** Length of the packet in bytes. */
  readonly length: number;
}

/**
 * Reads the CONNECT packet of an MQTT client.
 *
 * Follows MQTT 5.0, 3.1.1 (OASIS) and 3.1. The packet may have 65,536 bytes.
 * What brokers let pass is read: a password without a user name, texts that are
 * not UTF-8, bytes of the packet behind its last field.
 *
 * @param data The first bytes of the connection.
 * @returns The packet; `null` if this is not MQTT; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { mqtt } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const packet = "\x10\x11\0\x04MQTT\x04\x02\0\x3c\0\x05pump1";
 * assert.equal(mqtt(new TextEncoder().encode(packet))?.clientId, "pump1");
 * ```
 */
export function mqtt(data: Input): MqttConnect | null | undefined {
  const c = new Cursor(bytesOf(data));
  if (c.uint(1, CONNECT, CONNECT) < 0) return c.answer;
  const length = c.varint(4, MIN_LENGTH, MAX_MESSAGE - 4);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  const level = readLevel(c);
  if (level < 0) return c.answer;
  const flags = readFlags(c);
  if (flags < 0) return c.answer;
  const keepAlive = c.uint(2);
  if (keepAlive < 0 || level === 5 && !skipProperties(c)) return c.answer;
  const clientId = readString(c);
  if (clientId === undefined) return c.answer;
  if ((flags & WILL) !== 0 && !skipWill(c, level)) return c.answer;
  const username = (flags & USERNAME) !== 0 ? readString(c) : undefined;
  if ((flags & USERNAME) !== 0 && username === undefined) return c.answer;
  if ((flags & PASSWORD) !== 0 && !skipBinary(c)) return c.answer;
  if (!c.skip(c.limit - c.pos)) return c.answer;
  return {
    level,
    clientId,
    username,
    cleanStart: (flags & CLEAN) !== 0,
    keepAlive,
    length: c.limit,
  };
}

/** The name of the protocol and its level, or -1. */
function readLevel(c: Cursor): number {
  const isNew = c.literal(MQTT);
  if (!isNew && (c.answer === undefined || !c.literal(MQISDP))) return -1;
  const first = c.bytes[c.pos] ?? 0;
  const bridge = first & BRIDGE;
  const level = isNew
    ? c.uint(1, bridge | 4, bridge | 5)
    : c.uint(1, bridge | 3, bridge | 3);
  return level < 0 ? -1 : level & ~BRIDGE;
}

/** The connect flags, or -1 when they contradict each other. */
function readFlags(c: Cursor): number {
  const flags = c.uint(1);
  if (flags < 0) return -1;
  const isReserved = (flags & 0x01) !== 0;
  const hasStrayWill = (flags & WILL) === 0 && (flags & WILL_DETAILS) !== 0;
  const hasBadQos = (flags & 0x18) === 0x18;
  return isReserved || hasStrayWill || hasBadQos ? c.reject() : flags;
}

/** A string behind its length; `undefined` on failure. */
function readString(c: Cursor): string | undefined {
  const length = c.sizeOf(2);
  if (length < 0 || !c.skip(length)) return undefined;
  return textOf(c.bytes, c.pos - length, c.pos);
}

function skipBinary(c: Cursor): boolean {
  const length = c.sizeOf(2);
  return length >= 0 && c.skip(length);
}

function skipProperties(c: Cursor): boolean {
  const length = c.varint(4, 0, MAX_MESSAGE);
  return length >= 0 && c.skip(length);
}

function skipWill(c: Cursor, level: number): boolean {
  if (level === 5 && !skipProperties(c)) return false;
  return readString(c) !== undefined && skipBinary(c);
}
