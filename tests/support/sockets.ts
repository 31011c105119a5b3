/**
 * Reading and writing sockets.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Writes all of a text or of bytes. */
export async function send(
  socket: Deno.Conn,
  data: string | Uint8Array,
): Promise<void> {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  for (let at = 0; at < bytes.length;) {
    at += await socket.write(bytes.subarray(at));
  }
}

/** Reads until EOF; the result is text of one character per byte. */
export async function receiveAll(socket: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return text;
    text += String.fromCharCode(...buffer.subarray(0, count));
  }
}

/** Reads exactly so many bytes, as text of one character per byte. */
export async function receive(
  socket: Deno.Conn,
  length: number,
): Promise<string> {
  const buffer = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await socket.read(buffer.subarray(at));
    if (count === null) {
      throw new Error(`EOF after ${at} of ${length} bytes`);
    }
    at += count;
  }
  return String.fromCharCode(...buffer);
}

/** What a bulk transfer consisted of. */
export interface Digest {
  readonly length: number;
  readonly sha256: string;
}

/** Sends so many bytes, which differ all along, and tells their hash. */
export async function sendBulk(
  socket: Deno.Conn,
  length: number,
): Promise<Digest> {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(262_144);
  for (let at = 0; at < chunk.length; at += 65_536) {
    crypto.getRandomValues(chunk.subarray(at, at + 65_536));
  }
  for (let sent = 0; sent < length;) {
    new DataView(chunk.buffer).setFloat64(0, sent);
    const part = chunk.subarray(0, Math.min(chunk.length, length - sent));
    hash.update(part);
    await send(socket, part);
    sent += part.length;
  }
  return { length, sha256: hash.digest("hex") };
}

/** Reads until EOF and tells the hash of what came. */
export async function receiveBulk(socket: Deno.Conn): Promise<Digest> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(262_144);
  let length = 0;
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return { length, sha256: hash.digest("hex") };
    hash.update(buffer.subarray(0, count));
    length += count;
  }
}
