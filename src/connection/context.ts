/**
 * What connections share.
 *
 * @module
 */
import type { ServedRouter } from "../router/contract.ts";
import type { AccessLog } from "../log/access_log.ts";
import type { Log } from "../log/log.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { Statistics } from "../stats/statistics.ts";
import type { AddressLimits } from "../limits/address_limits.ts";
import type { Descriptors } from "../limits/descriptors.ts";
import type { Naming } from "../net/connect_named.ts";
import type { Destinations } from "../net/destinations.ts";
import type { SlowRemotes } from "../net/slow_remotes.ts";
import type { Deadlines } from "../lib/deadlines.ts";
import type { Placed, PlacedSet } from "../lib/placed_set.ts";
import type { Buffers } from "./buffers.ts";
import type { Settling } from "./keep_alive.ts";
import type { ConnectionOptions } from "../options/options.ts";

/**
 * What the connections of one worker share.
 *
 * @typeParam Connection That class; it is the one which imports this module.
 */
export interface SharedContext<Connection extends Placed> {
  readonly router: ServedRouter;
  readonly options: ConnectionOptions;
  readonly buffers: Buffers;
  readonly deadlines: Deadlines;
  readonly descriptors: Descriptors;
  readonly gauges: Gauges;
  /** The limits per client address, if there are any. */
  readonly addresses: AddressLimits | undefined;
  readonly log: Log;
  /** What is counted for the admin server, if there is one. */
  readonly statistics: Statistics | undefined;
  /** The route of decisions that name none. */
  readonly defaultRoute: string | undefined;
  readonly accessLog: AccessLog;
  /** The connections that are open now. */
  readonly connections: PlacedSet<Connection>;
  readonly settling: Settling;
  readonly slowRemotes: SlowRemotes;
  /** Refuses remotes that the proxy must not connect to. */
  readonly destinations: Destinations;
  /** The addresses of names; `undefined`: only the runtime may look them up. */
  readonly naming: Naming | undefined;
  /** Asks for a higher limit of connections. */
  readonly onFull: () => void;
  /** Called whenever the last open connection has ended. */
  onIdle: (() => void) | undefined;
}
