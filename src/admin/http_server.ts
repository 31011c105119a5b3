/**
 * Serves HTTP to a bounded number of clients, for a bounded time each.
 *
 * The runtime's own servers will not do here: `Deno.serve` waits for a request
 * forever, takes as many connections as there are file descriptors, and ends for
 * good when there are none; that of `node:http` then accepts nothing any more.
 *
 * @module
 */
import { isExhausted } from "../lib/exhausted.ts";
import type { HostPort } from "../net/address.ts";
import {
  HttpConnection,
  type HttpHandler,
  type HttpTimes,
} from "./http_connection.ts";
import { MAX_ADMIN_CONNECTIONS } from "../options/admin.ts";

/** Milliseconds to wait after an error that waiting may cure. */
const PAUSE = 100;

/** Milliseconds between two looks for connections that have taken too long. */
const LOOK = 1000;

/** Listens, and answers. */
export class HttpServer implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #handler: HttpHandler;
  readonly #times: HttpTimes | undefined;
  /** Those that wait longest come first. */
  readonly #connections = new Set<HttpConnection>();
  readonly #timer: ReturnType<typeof setInterval>;
  #closed = false;

  /**
   * Listens, and begins to answer.
   *
   * @param address Where to listen; port 0 for any.
   * @param handler Answers requests; must never reject.
   * @param onError Told why a connection could not be accepted.
   * @param times How long a connection may take.
   * @throws {Error} If the address cannot be listened on.
   */
  constructor(
    { hostname, port }: HostPort,
    handler: HttpHandler,
    onError: (error: unknown) => void,
    times?: HttpTimes,
  ) {
    this.#listener = Deno.listen({ hostname, port });
    this.#handler = handler;
    this.#times = times;
    this.#timer = setInterval(() => this.#expire(), LOOK);
    void this.#accept(onError);
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  /** Stops at once: closes all connections. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(onError: (error: unknown) => void): Promise<void> {
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        void this.#serve(
          new HttpConnection(conn, this.#handler, this.#times),
        );
      } catch (error) {
        if (this.#closed) return;
        // the workers say so, too, and wait for the same
        if (!isExhausted(error)) onError(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }

  async #serve(connection: HttpConnection): Promise<void> {
    if (this.#connections.size >= MAX_ADMIN_CONNECTIONS && !this.#evict()) {
      return connection.close();
    }
    this.#connections.add(connection);
    await connection.run(() => {
      // it is the one now that waits for the shortest time
      this.#connections.delete(connection);
      this.#connections.add(connection);
    });
    this.#connections.delete(connection);
  }

  /**
   * Makes room: whoever opens many connections, and sends nothing or little,
   * keeps nobody else out.
   *
   * @returns Whether there was one that is not being answered.
   */
  #evict(): boolean {
    for (const connection of this.#connections) {
      if (connection.isAnswering) continue;
      this.#connections.delete(connection);
      connection.close();
      return true;
    }
    return false;
  }

  #expire(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      if (!connection.isAnswering && connection.deadline < now) {
        connection.close();
      }
    }
  }
}
