/**
 * What was read before a remote was connected to is sent to it.
 *
 * @module
 */
import type { Connect } from "../decision/decision.ts";
import type { Socket } from "../net/socket.ts";
import type { Connection } from "./connection.ts";
import { remoteBroke } from "./half_close.ts";

/** What the remote is sent first: what was read, or what is sent in its place. */
export function firstBytes(
  connection: Connection,
  { data }: Connect,
): Uint8Array {
  const { buffer, length, preamble } = connection;
  const read = data ?? buffer.subarray(0, length);
  // in one write, as some remotes want all of the preamble from one read
  return preamble === undefined ? read : concat(preamble, read);
}

function concat(start: Uint8Array, end: Uint8Array): Uint8Array {
  const both = new Uint8Array(start.length + end.length);
  both.set(start);
  both.set(end, start.length);
  return both;
}

/**
 * Goes on after the first write.
 *
 * @param count How many of the `first` bytes were written.
 */
export function firstSent(
  connection: Connection,
  server: Socket,
  first: Uint8Array,
  count: number,
): void {
  const { extra } = connection;
  connection.forwarded += count;
  if (count === first.length && (extra === undefined || extra.length === 0)) {
    return join(connection, server);
  }
  // that may take long, and the remote must be read meanwhile
  const rest = first.subarray(count);
  connection.follow(sendRest(connection, server, rest, extra));
}

/** The first write has failed; what the remote sent before may still be read. */
export function firstFailed(connection: Connection, server: Socket): void {
  if (connection.server === server) remoteBroke(connection);
  join(connection, server);
}

/** Sends what is left of the first bytes, and what the client sent since. */
async function sendRest(
  connection: Connection,
  server: Socket,
  rest: Uint8Array,
  extra: readonly Uint8Array[] = [],
): Promise<void> {
  try {
    await forward(connection, server, rest);
    // what is recorded meanwhile is appended to the same array, and sent, too
    for (const bytes of extra) await forward(connection, server, bytes);
  } catch {
    return firstFailed(connection, server);
  }
  join(connection, server);
}

/** Writes bytes to the remote, and counts what it takes. */
export async function forward(
  connection: Connection,
  server: Socket,
  bytes: Uint8Array,
): Promise<void> {
  connection.isForwarding = true;
  for (let at = 0; at < bytes.length;) {
    const count = await server.write(at === 0 ? bytes : bytes.subarray(at));
    connection.forwarded += count;
    at += count;
  }
  connection.isForwarding = false;
}

/** All was sent: from now on the client's bytes go to the remote at once. */
function join(connection: Connection, server: Socket): void {
  if (connection.server !== server || connection.stage !== "connect") return;
  connection.joins++;
  if (connection.extra === undefined) connection.releasePreread();
  connection.enter("joined");
}
