/**
 * TLS to a remote: the proxy is the client.
 *
 * @module
 */
import { messageOf } from "../lib/errors.ts";
import { type Socket, takeSocket } from "./socket.ts";
import { shakeHands } from "./tls_handshake.ts";

/** How to speak TLS with a remote; its certificate is always verified. */
export interface TlsToRemote {
  /** The name to ask for and to verify; `undefined` for that of the remote. */
  readonly serverName: string | undefined;
  /** Certificates (PEM) that are trusted beside those that the runtime knows. */
  readonly ca: readonly string[];
  /** Application protocols to offer, the best first; `undefined` for none. */
  readonly alpn: readonly string[] | undefined;
}

/** Who wants a connection with a remote. */
export interface Wanting {
  /** Aborted when it is not wanted any more. */
  connecting: AbortController | undefined;
  /** Tells whether it is not wanted any more. */
  isClosed(): boolean;
}

/** The TLS handshake with a remote has failed; trying again would not help. */
export class TlsError extends Error {
  override readonly name = "TlsError";
}

/** Milliseconds for connecting and the handshake, if there is no other limit. */
const TIMEOUT = 30_000;

/**
 * Performs a TLS handshake as the client.
 *
 * @param conn A connected socket, which is closed if the handshake fails.
 * @param hostname The host of the remote: the name to verify, unless `tls` has
 * another one.
 * @param started `performance.now()` when connecting was begun.
 * @param timeout Milliseconds that both may take together.
 * @returns A socket with the plain bytes, which the caller closes. An EOF of the
 * remote is one, with a TLS `close_notify` before it or not.
 * @throws {TlsError} If the handshake fails, or takes too long.
 */
export async function startTls(
  wanting: Wanting,
  conn: Deno.TcpConn,
  hostname: string,
  { serverName = hostname, ca, alpn }: TlsToRemote,
  started: number,
  timeout: number = TIMEOUT,
): Promise<Socket> {
  const controller = wanting.connecting = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Error(`it took over ${timeout / 1000} seconds`)),
    Math.max(0, started + timeout - performance.now()),
  );
  try {
    if (wanting.isClosed()) controller.abort();
    const secured = await shakeHands(conn, {
      hostname: serverName,
      caCerts: [...ca],
      ...alpn === undefined ? {} : { alpnProtocols: [...alpn] },
    }, controller.signal);
    return new TlsClientSocket(takeSocket(secured));
  } catch (error) {
    throw new TlsError(`the TLS handshake failed: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    wanting.connecting = undefined;
  }
}

/** A socket of the runtime that speaks TLS. */
class TlsClientSocket implements Socket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async read(buffer: Uint8Array): Promise<number> {
    try {
      return await this.#socket.read(buffer);
    } catch (error) {
      // many servers close without a close_notify; the protocol inside says
      // itself whether it is complete
      if (error instanceof Deno.errors.UnexpectedEof) return 0;
      throw error;
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#socket.write(bytes);
  }

  shutdown(): Promise<void> {
    return this.#socket.shutdown();
  }

  close(): void {
    this.#socket.close();
  }

  settle(): void {
    // it has been before the handshake
  }
}
