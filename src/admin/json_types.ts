/**
 * The JSON that the admin server answers with. It is an interface to others:
 * fields may be added; none is removed, renamed or given another meaning. The
 * README describes each, and a test compares.
 *
 * Times are as in RFC 3339, durations in seconds, sizes in bytes.
 *
 * @module
 */

/** What /healthz and /readyz answer. */
export interface Health {
  /** `ok`, or what is wrong. */
  readonly status: string;
  /** Workers that do not answer. */
  readonly stuck: number;
  /** Workers that accept connections. */
  readonly workers: number;
}

/** A listener of /api/status. */
export interface Listener {
  readonly name: string;
  /** With the port that was free, if any was asked for. */
  readonly address: string;
  readonly tls: boolean;
  readonly acceptProxy: boolean;
}

/** A worker of /api/status. */
export interface Worker {
  /** The generation and a number, as the log calls it: `2.1`. */
  readonly id: string;
  readonly generation: number;
  readonly state: "starting" | "serving" | "draining" | "stuck";
  /** Those that are open. */
  readonly connections: number;
  /** How late its event loop was when it was last seen. */
  readonly eventLoopLag: number;
  /** By its JavaScript objects. */
  readonly heapUsed: number;
}

/** /api/status */
export interface Status {
  readonly version: string;
  readonly runtime: string;
  readonly startedAt: string;
  readonly uptime: number;
  readonly state: "starting" | "serving" | "draining";
  readonly reloads: {
    /** Those that have succeeded. */
    readonly count: number;
    /** When the last one was tried; `null` if none was. */
    readonly lastAt: string | null;
    /** Why the last one has failed; `null` if it has not. */
    readonly lastError: string | null;
  };
  readonly listeners: readonly Listener[];
  readonly workers: readonly Worker[];
  /** Workers that do not answer. */
  readonly stuck: number;
  readonly connections: {
    /** Open now. */
    readonly current: number;
    /** The most that were open at a time. */
    readonly maximum: number;
    /** Accepted since the start. */
    readonly total: number;
    /** Those open that have a remote. */
    readonly connected: number;
    /** How many may be open; `null`: there is no limit. */
    readonly limit: number | null;
  };
  /** How often connections have ended for each reason. */
  readonly ended: Readonly<Record<string, number>>;
  /** How often each limit was met. */
  readonly limits: Readonly<Record<string, number>>;
  /** Received from clients, and sent to them. */
  readonly bytes: { readonly in: number; readonly out: number };
  /** Of the whole process. */
  readonly memory: { readonly rss: number };
}

/** A sample of /api/history: what has happened in a second. */
export type Sample = {
  /** Its end. */
  readonly time: string;
  /** Those that were open. */
  readonly connections: number;
  /** Connections per second; so are `ended` and `failed`. */
  readonly accepted: number;
  readonly ended: number;
  /** Those that have ended as the router or the remote failed. */
  readonly failed: number;
  /** Received from clients, per second. */
  readonly in: number;
  /** Sent to clients, per second. */
  readonly out: number;
  /** How late the event loop of the worker was that was the latest. */
  readonly lag: number;
};

/** /api/history */
export interface History {
  /** From one sample to the next. */
  readonly interval: number;
  /** The oldest first. */
  readonly samples: readonly Sample[];
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
  /** Since it was accepted. */
  readonly seconds: number;
  /** Received from the client. */
  readonly in: number;
  /** Sent to the client. */
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
  /** Those that are open. */
  readonly connections: number;
  readonly failures: number;
  readonly picks: number;
  /** When the state has changed; `null`: it is that from the start. */
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
  /** Decisions. */
  readonly hits: number;
  /** Connections that the router or the remote failed. */
  readonly failed: number;
  readonly in: number;
  readonly out: number;
}

/** A remote of /api/remotes. */
export interface RemoteEntry {
  readonly remote: string;
  /** Those that were made. */
  readonly connections: number;
  readonly open: number;
  /** The sum of `errors`. */
  readonly failed: number;
  /** By reason; each try to connect counts. */
  readonly errors: Readonly<Record<string, number>>;
  /** The mean; `null` if none was made. */
  readonly connectSeconds: number | null;
}

/** Lines of the log that have the same text, as /api/errors lists them. */
export interface LogEntry {
  /** The last time. */
  readonly time: string;
  readonly level: string;
  /** The text, with the names of fields in braces: `Connect {remote} failed`. */
  readonly text: string;
  /** As it was the last time. */
  readonly message: string;
  readonly count: number;
}

/** A route of /api/config. */
export interface ConfiguredRoute {
  readonly name: string;
  /** In the file. */
  readonly line: number;
  readonly match: string;
  readonly action: string;
}

/** /api/config */
export interface ConfigurationInUse {
  /** The paths that it was read from. */
  readonly files: readonly string[];
  /** What `--check` prints. */
  readonly lines: readonly string[];
  /** Those of a route table. */
  readonly routes: readonly ConfiguredRoute[];
}
