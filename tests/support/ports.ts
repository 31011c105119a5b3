/**
 * Ports on which nobody listens.
 *
 * @module
 */
import { delay } from "./delay.ts";

/**
 * A remote that refuses connections. Port 1 is never given to a socket that asks
 * for a free port, so no other test listens there.
 */
export const REFUSING = "127.0.0.1:1";

/** Ports that are given to nobody who asks for any: below those, on Linux. */
const UNGIVEN = { from: 15_000, to: 32_000 };

/**
 * Finds a port of 127.0.0.1 on which nobody listens, and which nobody else is
 * given: no listener that asks for a free port, and no connection that goes out.
 */
export function unusedPort(): number {
  const { from, to } = UNGIVEN;
  for (;;) {
    const port = from + Math.floor(Math.random() * (to - from));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Waits until nobody listens on a port of 127.0.0.1 any more. */
export async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      // it was in the queue of a listener that has been closed
      const isGone = error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.NotConnected;
      if (!isGone) throw error;
    }
    await delay(10);
  }
}
