/**
 * TLS with clients: the proxy is the server, and what comes after the handshake
 * is routed.
 *
 * @module
 */
import { messageOf } from "../lib/errors.ts";
import { tls, type TlsClientHello } from "../protocols/tls.ts";
import { writeAll } from "../lib/write_all.ts";
import type { Close } from "../decision/decision.ts";
import type { Connection } from "./connection.ts";
import type { Certificate, ListenTls } from "../net/listen.ts";
import { type KeyPair, TlsEngine } from "../net/tls_engine.ts";
import { TlsServerSocket } from "../net/tls_socket.ts";

/** Bytes that a ClientHello may have, in all its records. */
const MAX_HELLO = 16_384;

/**
 * Performs the handshake with a client. What it has sent before is in the
 * buffer.
 *
 * @returns `true` if the handshake succeeded: then `client` has the plain bytes,
 * the buffer is empty, and `info` tells what was agreed on. Otherwise that is
 * logged, and the connection has ended, or the client is to get an alert.
 */
export async function acceptTls(
  connection: Connection,
  options: ListenTls,
): Promise<boolean | Close> {
  const { prereadTimeout } = connection.context.options;
  connection.onStageTimeout = timedOut;
  connection.clocks.start(prereadTimeout);
  let engine: TlsEngine | undefined;
  let hello: TlsClientHello | null | undefined;
  try {
    hello = await readHello(connection);
    if (connection.isClosed()) return false;
    const { pair } = choose(options.certificates, hello?.serverName);
    engine = new TlsEngine(pair as KeyPair, options.alpn);
    await handshake(connection, engine);
    if (connection.isClosed()) return false;
    connection.info.tls = engine.agreed();
    connection.client = new TlsServerSocket(connection.client, engine);
    connection.received = 0; // from now on only plain bytes count
    engine = undefined;
    return true;
  } catch (error) {
    if (connection.isClosed()) return false;
    const alert = engine?.output() ?? new Uint8Array(0);
    const reason = messageOf(error);
    logFailure(
      connection,
      hello === null ? `it must begin with a TLS hello: ${reason}` : reason,
    );
    connection.endReason = "tls-failed";
    if (!connection.clientEnded && alert.length > 0) {
      return { kind: "close", data: alert, route: undefined };
    }
    connection.end("tls-failed");
    return false;
  } finally {
    engine?.close();
  }
}

/**
 * Reads into the buffer until the hello is whole.
 *
 * @returns The hello; `null` if it is none: the handshake will say so, too;
 * `undefined` if the connection has ended.
 */
async function readHello(
  connection: Connection,
): Promise<TlsClientHello | null | undefined> {
  for (;;) {
    const bytes = connection.buffer.subarray(0, connection.length);
    const hello = tls(bytes);
    if (hello !== undefined) return hello;
    if (bytes.length >= MAX_HELLO) {
      throw new Error(`the hello is longer than ${MAX_HELLO} bytes`);
    }
    if (await read(connection) === 0) return undefined;
  }
}

/** Feeds the engine until the handshake is done. */
async function handshake(
  connection: Connection,
  engine: TlsEngine,
): Promise<void> {
  for (;;) {
    engine.receive(connection.buffer.subarray(0, connection.length));
    connection.length = 0;
    if (engine.error !== undefined) throw new Error(explain(engine.error));
    const output = engine.output();
    if (output.length > 0) await writeAll(connection.client, output);
    if (connection.isClosed() || engine.established) return;
    if (await read(connection) === 0) return;
  }
}

/**
 * Reads into the buffer.
 *
 * @returns How many bytes; 0 if the connection has ended.
 * @throws {Error} If the client has left in the middle.
 */
async function read(connection: Connection): Promise<number> {
  const space = connection.freeSpace(MAX_HELLO);
  let count = 0;
  try {
    count = await connection.client.read(space);
  } catch {
    if (connection.isClosed()) return 0;
    if (connection.received > 0) throw new Error("the client has left");
    connection.end("client-reset");
    return 0;
  }
  if (connection.isClosed()) return 0;
  if (count === 0) {
    connection.clientEnded = true;
    if (connection.received > 0) throw new Error("the client has left");
    // a check whether the port is open sends nothing
    connection.end("client-left");
    return 0;
  }
  connection.received += count;
  connection.length += count;
  return count;
}

/** Finds the certificate for a name: an exact one wins over one with a star. */
function choose(
  certificates: readonly Certificate[],
  name: string | undefined,
): Certificate {
  const [first] = certificates;
  const parent = name?.replace(/^[^.]+/, "*");
  const has = (wanted: string | undefined) =>
    wanted === undefined || certificates.length === 1
      ? undefined
      : certificates.find(({ names }) => names.includes(wanted));
  return has(name) ?? has(parent) ?? first as Certificate;
}

/** Leaves out what the runtime adds to its messages to look like OpenSSL. */
function explain(error: Error): string {
  return error.message.replace(/ \(SSL routines:.*\)$/, "");
}

/** The one line about a handshake that has failed. */
function logFailure(
  { context: { log }, who }: Connection,
  error: string,
): void {
  log.warn(
    "Cannot accept TLS from {client} as the handshake failed: {error}",
    { ...who, error },
  );
}

function timedOut(connection: Connection): void {
  const { prereadTimeout } = connection.context.options;
  logFailure(
    connection,
    `it must be done within ${prereadTimeout / 1000} seconds`,
  );
  connection.end("tls-failed");
}
