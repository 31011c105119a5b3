/**
 * Socket options for the connections that last.
 *
 * @module
 */
import type { Deadlines, Expiring } from "../lib/deadlines.ts";
import type { Socket } from "../net/socket.ts";

/** Milliseconds after which a connection counts as one that lasts. */
const PAUSE = 1000;

/** A connection, as far as its sockets go. */
export interface SocketPair {
  readonly client: Socket;
  readonly server: Socket | undefined;
}

/**
 * Once in a while, settles the sockets of all connections that are open, so
 * that no peer that is gone is waited for without keep-alive probes. It
 * runs only when sockets were added, and costs a short connection nothing.
 */
export class Settling implements Expiring {
  readonly #connections: Iterable<SocketPair>;
  readonly #deadlines: Deadlines;
  deadline: Expiring["deadline"];

  /**
   * @param connections Those that are open.
   * @param deadlines Tells when.
   */
  constructor(connections: Iterable<SocketPair>, deadlines: Deadlines) {
    this.#connections = connections;
    this.#deadlines = deadlines;
  }

  /** There is a new socket. */
  expect(): void {
    if (this.deadline === undefined) this.#deadlines.set(this, PAUSE);
  }

  /** Settles what has lasted until now. */
  expire(): void {
    for (const { client, server } of this.#connections) {
      client.settle();
      server?.settle();
    }
  }
}
