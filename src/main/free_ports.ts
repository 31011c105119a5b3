/**
 * Ports for listeners that take any that is free.
 *
 * @module
 */
import type { ListenOptions } from "../net/listen.ts";

/**
 * Finds ports for listeners with port 0, so that each has one of its own: the
 * runtime gives all that ask for port 0 of an address the same socket, which is
 * how threads share one. A reload gets the ports that there are.
 */
export class FreePorts {
  readonly #known = new Map<string, number>();

  /**
   * Gives all listeners with port 0 but the first, which needs none, a port.
   *
   * @returns The same listeners, in the same order.
   */
  assign(listen: readonly ListenOptions[]): readonly ListenOptions[] {
    let count = 0;
    return listen.map((one) =>
      "path" in one || one.port !== 0 || count++ === 0
        ? one
        : { ...one, port: this.#find(one.hostname, count) }
    );
  }

  #find(hostname: string, place: number): number {
    const key = `${place} ${hostname}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    try {
      using listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr;
      this.#known.set(key, port);
      return port;
    } catch {
      return 0; // whoever listens there will say what is wrong
    }
  }
}
