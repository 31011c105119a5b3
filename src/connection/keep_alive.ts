/**
 * Socket options for the connections that last.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { Deadlines, Expiring } from "../lib/deadlines.ts";
import type { PlacedSet } from "../lib/placed_set.ts";

/** Milliseconds after which a connection counts as one that lasts. */
const PAUSE = 1000;

/**
 * Once in a while, settles the sockets of all connections that are open, so
 * that no peer that is gone is waited for without keep-alive probes. It sleeps
 * while no socket is new, and costs a connection that is short nothing.
 */
export class Settling implements Expiring {
  readonly #connections: PlacedSet<Connection>;
  readonly #deadlines: Deadlines;
  deadline: Expiring["deadline"];

  /**
   * @param connections Those that are open.
   * @param deadlines Tells when.
   */
  constructor(connections: PlacedSet<Connection>, deadlines: Deadlines) {
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
