/**
 * What all generations of workers share.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import type { SharedPool } from "../pool/main_thread.ts";
import type { Gauges } from "../stats/gauges.ts";
import type { AddressShares } from "./address_shares.ts";
import type { FreePorts } from "./free_ports.ts";
import type { KnownListeners } from "./known_listeners.ts";
import type { KnownNames } from "./known_names.ts";
import type { SocketFiles } from "./socket_files.ts";
import type { WorkerEvents } from "./worker_thread.ts";

/** What all generations share. */
export interface Environment extends WorkerEvents {
  /** Of all workers. */
  readonly gauges: Gauges;
  /** The limits per client address. */
  readonly addresses: AddressShares;
  /** The socket files of the process. */
  readonly files: SocketFiles;
  /** The ports of listeners that take any. */
  readonly ports: FreePorts;
  /** Where the program listens. */
  readonly listeners: KnownListeners;
  /** What is known of names. */
  readonly names: KnownNames;
  /** The operational log. */
  readonly log: Log;
  /** Milliseconds between two heartbeats of a worker; 0: none. */
  readonly heartbeat: number;
  /** Whether to note which files the router consists of. */
  readonly reportImports: boolean;
  /** The pools that serve now. */
  pools(): readonly SharedPool[];
  /** Whether the workers are to count what the admin server shows. */
  readonly statistics: boolean;
  /** Called when a worker has ended, or got stuck. */
  onChange(): void;
}
