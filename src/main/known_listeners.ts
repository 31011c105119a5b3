/**
 * Where the program listens, in all generations and with the admin server: the
 * workers connect to none of these.
 *
 * @module
 */
import type { HostPort } from "../net/address.ts";
import type { Listening } from "../net/own_listeners.ts";

/** Listeners that are opened and closed together. */
export type Opened = Omit<Listening, "machine">;

/** All listeners of the program. */
export class KnownListeners {
  readonly #opened = new Map<unknown, Opened>();
  readonly #changed: (listening: Listening) => void;

  /** @param changed Is called when listeners were opened or closed. */
  constructor(changed: (listening: Listening) => void) {
    this.#changed = changed;
  }

  /**
   * Listeners have been opened.
   *
   * @param owner Who has opened them.
   */
  add(owner: unknown, opened: Opened): void {
    this.#opened.set(owner, opened);
    this.#changed(this.current);
  }

  /** All listeners of somebody are closed. */
  remove(owner: unknown): void {
    if (this.#opened.delete(owner)) this.#changed(this.current);
  }

  /** What there is now. */
  get current(): Listening {
    const all = [...this.#opened.values()];
    return {
      tcp: all.flatMap(({ tcp }) => tcp),
      paths: all.flatMap(({ paths }) => paths),
      machine: machineAddresses(),
    };
  }
}

/** The addresses of this machine, if the program may know them. */
function machineAddresses(): string[] {
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "networkInterfaces",
  });
  return state === "granted"
    ? Deno.networkInterfaces().map(({ address }) => address)
    : [];
}

/** Copies an address as it was bound, so that it can be sent to a worker. */
export function boundAddress({ hostname, port }: HostPort): HostPort {
  return { hostname, port };
}
