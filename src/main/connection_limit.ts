/**
 * How many connections may be open: as many as the operator says, and as there
 * are file descriptors for.
 *
 * @module
 */
import { MAX_ADMIN_CONNECTIONS } from "../options/admin.ts";
import type { Configuration } from "../config/configuration.ts";
import { countConnections, type Room } from "./file_limit.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { Log } from "../log/log.ts";

/** Sets the limit that all workers share. */
export class ConnectionLimit {
  readonly #gauges: Gauges;
  /** Connections that there are file descriptors for, if that is known. */
  #room: Room | undefined;

  constructor(gauges: Gauges) {
    this.#gauges = gauges;
  }

  /**
   * Limits the connections to what there are descriptors for, as far as they
   * are counted: were more accepted, none would be left for their remotes.
   *
   * @param log Is told if that is the limit for good.
   */
  fit({ router, options }: Configuration, log: Log): void {
    const { open, connectedNow } = this.#gauges;
    const { admin, maxConnections } = options;
    this.#room = countConnections(
      open,
      connectedNow,
      admin === undefined ? 0 : MAX_ADMIN_CONNECTIONS,
      router.url,
    );
    this.set(maxConnections);
    if (!this.#room?.isAll) return;
    const { connections } = this.#room;
    if (connections >= (maxConnections ?? Infinity)) return;
    log.warn(
      "Serving at most {connections} connections at a time, as there are file descriptors for no more (ulimit -n)",
      { connections },
    );
  }

  /**
   * Sets what the operator says.
   *
   * @param most How many connections may be open.
   */
  set(most = Infinity): void {
    const room = this.#room;
    this.#gauges.setMaximum(Math.min(most, room?.connections ?? Infinity));
    this.#gauges.setMore(
      room !== undefined && !room.isAll && room.connections < most,
    );
  }
}
