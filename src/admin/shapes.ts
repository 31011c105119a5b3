/**
 * The JSON that the admin server answers with.
 *
 * @module
 */

/** A listener of /api/status. */
export interface Listener {
  readonly name: string;
  readonly address: string;
  readonly tls: boolean;
  readonly acceptProxy: boolean;
}

/** A worker of /api/status. */
export interface Worker {
  readonly id: string;
  readonly generation: number;
  readonly state: "starting" | "serving" | "draining" | "stuck";
  readonly connections: number;
  /** Seconds. */
  readonly eventLoopLag: number;
  /** Bytes. */
  readonly heapUsed: number;
}

/** /api/status */
export interface Status {
  readonly version: string;
  readonly runtime: string;
  readonly startedAt: string;
  /** Seconds. */
  readonly uptime: number;
  readonly state: "starting" | "serving" | "draining";
  readonly reloads: {
    readonly count: number;
    readonly lastAt: string | null;
    readonly lastError: string | null;
  };
  readonly listeners: readonly Listener[];
  readonly workers: readonly Worker[];
  readonly stuck: number;
  readonly connections: {
    readonly current: number;
    readonly maximum: number;
    readonly total: number;
    readonly connected: number;
    readonly limit: number | null;
  };
  readonly ended: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
  readonly bytes: { readonly in: number; readonly out: number };
  readonly memory: { readonly rss: number };
}

/** A sample of /api/history. */
export type Sample = {
  readonly time: string;
  readonly connections: number;
  readonly accepted: number;
  readonly ended: number;
  readonly failed: number;
  readonly in: number;
  readonly out: number;
  readonly lag: number;
};

/** /api/history */
export interface History {
  /** Seconds. */
  readonly interval: number;
  readonly samples: readonly Sample[];
}

/** A name and how often. */
export interface Counted {
  readonly name: string;
  readonly count: number;
}

/** A connection of /api/connections. */
export interface ConnectionEntry {
  readonly id: number;
  readonly worker: string;
  readonly listener: string;
  readonly client: string;
  readonly remote: string | null;
  readonly route: string | null;
  readonly stage: string;
  readonly seconds: number;
  readonly in: number;
  readonly out: number;
}

/** /api/connections */
export interface ConnectionList {
  /** Those that the search is for. */
  readonly total: number;
  readonly shown: number;
  /** Workers that have not answered in time. */
  readonly unanswered: number;
  readonly connections: readonly ConnectionEntry[];
}

/** A member of a pool. */
export interface Member {
  readonly remote: string;
  readonly weight: number;
  readonly state: string;
  readonly connections: number;
  readonly failures: number;
  readonly picks: number;
  /** `null`: from the start. */
  readonly since: string | null;
}

/** A pool of /api/pools. */
export interface Pool {
  readonly name: string;
  readonly policy: string;
  readonly members: readonly Member[];
}

/** A route of /api/routes. */
export interface RouteEntry {
  readonly name: string;
  readonly hits: number;
  readonly failed: number;
  readonly in: number;
  readonly out: number;
}

/** A remote of /api/remotes. */
export interface RemoteEntry {
  readonly remote: string;
  readonly connections: number;
  readonly open: number;
  readonly failed: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly connectSeconds: number | null;
}

/** A line of /api/errors. */
export interface LogEntry {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly count: number;
}
