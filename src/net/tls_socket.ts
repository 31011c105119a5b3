/**
 * A socket that speaks TLS as the server.
 *
 * @module
 */
import { writeAll } from "../lib/write_all.ts";
import type { Socket } from "./socket.ts";
import { MAX_WRITE, type TlsEngine } from "./tls_engine.ts";

/** Bytes of the buffers for records that are longer than what is asked for. */
const RECORD = 16_640;

/** How many of them are kept. */
const KEEP = 64;

const spare: Uint8Array[] = [];

/** Plain bytes over a socket with TLS. */
export class TlsServerSocket implements Socket {
  readonly #socket: Socket;
  readonly #engine: TlsEngine;
  #ended = false;
  #closed = false;
  /** The write that is under way: records must not overtake each other. */
  #sending: Promise<void> | undefined;

  /**
   * @param socket The bytes of the wire; closed with this one.
   * @param engine Closed with this one.
   */
  constructor(socket: Socket, engine: TlsEngine) {
    this.#socket = socket;
    this.#engine = engine;
  }

  async read(buffer: Uint8Array): Promise<number> {
    // the records are read into the same buffer, so that a socket that waits
    // needs no other
    let space = buffer;
    try {
      for (;;) {
        const count = this.#engine.take(buffer);
        if (count > 0) return count;
        if (this.#ended || this.#engine.ended) return 0;
        const received = await this.#socket.read(space);
        // an EOF without close_notify counts as one; the protocol inside says
        // itself whether it is complete
        if (received === 0) this.#ended = true;
        else await this.#receive(space.subarray(0, received));
        // more of the record is on its way
        if (received === space.length && space.length < RECORD) {
          space = spare.pop() ?? new Uint8Array(RECORD);
        }
      }
    } finally {
      if (space !== buffer && spare.length < KEEP) spare.push(space);
    }
  }

  async #receive(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw new Deno.errors.Interrupted("closed");
    const engine = this.#engine;
    engine.receive(bytes);
    // alerts, and answers to changes of keys
    await this.#flush();
    if (engine.error !== undefined) throw engine.error;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const part = bytes.length > MAX_WRITE
      ? bytes.subarray(0, MAX_WRITE)
      : bytes;
    if (this.#closed) throw new Deno.errors.Interrupted("closed");
    this.#engine.send(part);
    await this.#flush();
    return part.length;
  }

  async shutdown(): Promise<void> {
    if (this.#closed) throw new Deno.errors.Interrupted("closed");
    this.#engine.end();
    await this.#flush();
    await this.#socket.shutdown();
  }

  /** Sends what the engine has for the wire, after what is being sent. */
  async #flush(): Promise<void> {
    const bytes = this.#engine.output();
    if (bytes.length === 0) return;
    const before = this.#sending;
    const sending = before === undefined
      ? writeAll(this.#socket, bytes)
      : before.then(() => writeAll(this.#socket, bytes));
    this.#sending = sending;
    try {
      await sending;
    } finally {
      if (this.#sending === sending) this.#sending = undefined;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.close();
    this.#socket.close();
  }

  settle(): void {
    this.#socket.settle();
  }
}
