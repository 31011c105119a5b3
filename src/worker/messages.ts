/**
 * What the main thread and its workers say to each other. No byte of a
 * connection is among it.
 *
 * The main thread believes nothing that a worker says but text and numbers: the
 * router runs there, and could say it, too.
 *
 * @module
 */
import type {
  ConnectionList,
  ConnectionQuery,
} from "../stats/connection_list.ts";
import type { NameChange } from "../net/names.ts";
import type { Listening } from "../net/own_listeners.ts";
import type { SystemNames } from "../net/resolver_files.ts";
import type { Bind, ListenOptions } from "../net/listen.ts";
import type {
  AddressOptions,
  SharedAddresses,
} from "../limits/address_limits.ts";
import type { ConnectionOptions } from "../options/options.ts";
import type { Format } from "../log/access_log.ts";
import type { Level } from "../log/log.ts";
import type { Batch } from "../log/outbox.ts";
import type { PoolMemory, PoolReport } from "../pool/main_thread.ts";
import type { Report } from "../stats/statistics.ts";
import type { RouterSource } from "../config/router_source.ts";
import type { Hook } from "../router/contract.ts";

/**
 * The only message that a worker gets as a worker: the port by which both speak
 * from then on, so that no router can hear it, or speak for either.
 */
export interface Hello {
  readonly port: MessagePort;
}

/** The first message by the port: load the router. */
export interface Load {
  readonly type: "load";
  readonly router: RouterSource;
  /** The paths to give up once the router is imported. */
  readonly revokeRead: readonly string[];
  /** The paths that the router may read for good; `undefined`: all. */
  readonly mayRead: readonly string[] | undefined;
  /** Tell which files are imported. */
  readonly reportImports: boolean;
}

/** How a worker looks names up. */
export interface NamesPlan {
  readonly system: SystemNames;
  /** Milliseconds for which the last known addresses hold (`--dns-hold`). */
  readonly hold: number;
  /** What was known before. */
  readonly known: readonly (readonly [
    name: string,
    addresses: readonly string[],
  ])[];
}

/** Listen, and serve connections; the router is loaded. */
export interface Serve {
  readonly type: "serve";
  /** None, if there are only socket files, which other workers serve. */
  readonly listen: readonly Bind[];
  readonly connection: ConnectionOptions;
  /** Of the gauges that all threads share. */
  readonly gauges: SharedArrayBuffer;
  /** Of the share of this worker in them. */
  readonly share: SharedArrayBuffer;
  /** Milliseconds between two signs of life in the share; 0: none. */
  readonly heartbeat: number;
  /** The limits per client address; `undefined` if there are none. */
  readonly addresses:
    | SharedAddresses & { readonly options: AddressOptions }
    | undefined;
  /** The memory of each pool that the router has made. */
  readonly pools: readonly PoolMemory[];
  /** What the workers of the generation have said about tables in Redis. */
  readonly notices: SharedArrayBuffer;
  /** How names are looked up. */
  readonly names: NamesPlan;
  /** Where all threads listen: no remote may be there. */
  readonly listening: Listening;
  /** Send a report of what was counted once per second. */
  readonly statistics: boolean;
  readonly logLevel: Level;
  /** `undefined` if there is no access log. */
  readonly accessLog: Format | undefined;
}

/** Feed bytes to the router, and say what it decides. */
export interface DryRun {
  readonly type: "dry-run";
  readonly bytes: Uint8Array;
  readonly maxPreread: number;
  /** The listener that the client is said to have connected to. */
  readonly listen: ListenOptions;
}

/** Stop accepting; say `drained` when the last connection has ended. */
export interface Stop {
  readonly type: "stop";
}

/** Close all connections. */
export interface Abort {
  readonly type: "abort";
  /** Why, for the access log. */
  readonly reason: AbortReason;
}

/** Why all connections of a worker are closed. */
export type AbortReason = "shutdown" | "drain-timeout";

/** List connections that are open. */
export interface List {
  readonly type: "list";
  /** What the answer is to have, too. */
  readonly request: number;
  readonly query: ConnectionQuery;
}

/** Close a connection. */
export interface CloseOne {
  readonly type: "close";
  /** What the answer is to have, too. */
  readonly request: number;
  /** The number of the connection. */
  readonly id: number;
}

/** What is asked of a worker that serves. */
export type Question = List | CloseOne;

/** From the main thread to a worker. */
/** The files of the system that say how names are looked up have changed. */
export interface Rename {
  readonly type: "names";
  readonly system: SystemNames;
}

/** Listeners of the program have been opened or closed. */
export interface Relisten {
  readonly type: "listening";
  readonly listening: Listening;
}

/** What the main thread says to a worker. */
export type ToWorker =
  | Load
  | Serve
  | DryRun
  | Stop
  | Abort
  | Rename
  | Relisten
  | Question;

/** The answer to a question. */
export interface QuestionReply {
  readonly type: "answer";
  readonly request: number;
  /** The open connections that match, all of them counted; or whether it had
   * the connection, and has closed it. */
  readonly answer: ConnectionList | boolean;
}

/** The router is loaded. */
export interface Loaded {
  readonly type: "loaded";
  readonly hooks: readonly Hook[];
  /** The URLs of the files that were imported; empty unless asked for. */
  readonly imports: readonly string[];
  /** The pools that it has made, which must be the same in all workers. */
  readonly pools: readonly PoolReport[];
}

/** The worker accepts connections. */
export interface Serving {
  readonly type: "serving";
}

/** The worker cannot do what it was told; the text is for the operator. */
export interface Failed {
  readonly type: "failed";
  readonly message: string;
  /** The URLs of the files that were imported; empty unless asked for. */
  readonly imports: readonly string[];
}

/** A line of the dry run. */
export interface DryRunLine {
  readonly type: "dry-run-line";
  readonly text: string;
}

/** The end of the dry run. */
export interface DryRunEnd {
  readonly type: "dry-run-end";
  /** Whether the router made a mistake. */
  readonly failed: boolean;
}

/** There is no place for another connection, and there may be room for more. */
export interface Full {
  readonly type: "full";
}

/** What is known of a name has changed. */
export interface Named extends NameChange {
  readonly type: "name";
}

/** The worker accepts no more connections. */
export interface Stopped {
  readonly type: "stopped";
}

/** The worker has stopped, and its last connection has ended. */
export interface Drained {
  readonly type: "drained";
}

/** From a worker to the main thread. */
export type FromWorker =
  | Full
  | Named
  | Loaded
  | Serving
  | Failed
  | DryRunLine
  | DryRunEnd
  | Stopped
  | Drained
  | QuestionReply
  | Report
  | Batch;
