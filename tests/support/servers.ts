/**
 * Servers behind the proxy.
 *
 * @module
 */
import { send } from "./sockets.ts";

/** A server. */
abstract class Server<Conn extends Deno.Conn> implements AsyncDisposable {
  readonly #listener: Deno.Listener<Conn>;
  readonly #serving: Promise<void>;
  readonly #handlers = new Set<Promise<void>>();
  readonly #sockets = new Set<Conn>();
  /** How many connections it has accepted. */
  accepted = 0;

  constructor(
    listener: Deno.Listener<Conn>,
    handler: (socket: Conn) => Promise<void> | void,
  ) {
    this.#listener = listener;
    this.#serving = this.#serve(handler);
  }

  /** Where it listens. */
  protected get address(): Deno.Addr {
    return this.#listener.addr;
  }

  /** Stops listening and closes its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const socket of this.#sockets) socket[Symbol.dispose]();
    await this.#serving;
    await Promise.all(this.#handlers);
  }

  async #serve(
    handler: (socket: Conn) => Promise<void> | void,
  ): Promise<void> {
    for await (const socket of this.#listener) {
      this.accepted++;
      const done = this.#handle(socket, handler);
      this.#handlers.add(done);
      void done.finally(() => this.#handlers.delete(done));
    }
  }

  async #handle(
    socket: Conn,
    handler: (socket: Conn) => Promise<void> | void,
  ): Promise<void> {
    this.#sockets.add(socket);
    try {
      await handler(socket);
    } catch {
      // the connection was closed under it, by the test or by the proxy
    } finally {
      this.#sockets.delete(socket);
      socket[Symbol.dispose]();
    }
  }
}

/** A server on a port of 127.0.0.1 that is free, or of another address. */
export class Backend extends Server<Deno.TcpConn> {
  /**
   * @param handler Serves a connection; it is closed when the promise resolves.
   * @param address Where to listen, such as an IPv4 address of its own.
   */
  constructor(
    handler: (socket: Deno.TcpConn) => Promise<void> | void,
    address: Partial<Deno.TcpListenOptions> = {},
  ) {
    super(
      Deno.listen({ hostname: "127.0.0.1", port: 0, ...address }),
      handler,
    );
  }

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `${(this.address as Deno.NetAddr).hostname}:${this.port}`;
  }

  /** The port. */
  get port(): number {
    return (this.address as Deno.NetAddr).port;
  }
}

/**
 * A server that says its name and closes.
 *
 * @param hostname Where it listens.
 */
export function named(name: string, hostname = "127.0.0.1"): Backend {
  return new Backend((socket) => send(socket, name), { hostname });
}

/** A server on a socket file. */
export class UnixBackend extends Server<Deno.UnixConn> {
  /** The socket file. */
  readonly path: string;

  /**
   * @param path Where to make the socket file.
   * @param handler Serves a connection; it is closed when the promise resolves.
   */
  constructor(
    path: string,
    handler: (socket: Deno.UnixConn) => Promise<void> | void,
  ) {
    super(Deno.listen({ transport: "unix", path }), handler);
    this.path = path;
  }
}

/** A server whose connections a test takes, and serves, one by one. */
export class Upstream implements Disposable {
  readonly #listener: Deno.TcpListener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
  });

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Waits for the next connection; the caller closes it. */
  accept(): Promise<Deno.TcpConn> {
    return this.#listener.accept();
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.#listener.close();
  }
}
