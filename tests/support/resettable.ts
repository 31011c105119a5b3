/**
 * A connection that can be reset.
 *
 * @module
 */
import { once } from "node:events";
import net from "node:net";

/**
 * A connection that can be reset: `close` of a `Deno.TcpConn` always sends an
 * EOF first.
 */
export class Resettable {
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("error", () => {}); // the peer may be faster
  }

  /** Connects to a port of 127.0.0.1. */
  static async connect(port: number): Promise<Resettable> {
    const socket = net.connect({
      host: "127.0.0.1",
      port,
      allowHalfOpen: true,
    });
    await once(socket, "connect");
    return new Resettable(socket);
  }

  /**
   * Listens, and waits for one connection.
   *
   * @returns The remote, and the connection to come.
   */
  static async listen(): Promise<
    { remote: string; connection: Promise<Resettable> }
  > {
    const server = net.createServer({ allowHalfOpen: true });
    const connection = once(server, "connection").then(([socket]) => {
      server.close();
      return new Resettable(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    return { remote: `127.0.0.1:${port}`, connection };
  }

  /** Sends text. */
  send(text: string): void {
    this.#socket.write(text);
  }

  /** Waits for the next bytes that come. */
  async receive(): Promise<string> {
    const [bytes] = await once(this.#socket, "data");
    return String(bytes);
  }

  /** Waits until the peer has ended its side; what it sends is dropped. */
  async ended(): Promise<void> {
    if (this.#socket.readableEnded) return;
    const ended = once(this.#socket, "end");
    this.#socket.resume();
    await ended;
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends its side, once all is sent. */
  end(): void {
    this.#socket.end();
  }

  /** Resets the connection, unless the peer has. */
  async reset(): Promise<void> {
    if (this.#socket.closed) return;
    // not once(), which rejects if an error of before is told first
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", () => resolve());
    this.#socket.resetAndDestroy();
    await promise;
  }
}
