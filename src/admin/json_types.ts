/**
 * The JSON that the admin server answers with. It is an interface to others:
 * fields may be added; none is removed, renamed or given another meaning. The
 * reference page of the API is made from these comments (`deno task docs`).
 *
 * Times are as in RFC 3339, durations in seconds, sizes in bytes.
 *
 * @module
 */

/** What /healthz and /readyz answer. */
export interface Health {
  /**
   * `ok`, or why not: `starting`, `stopping`, `no worker serves`, `too many
   * workers are stuck`.
   */
  readonly status: string;
  /** Workers that do not answer. */
  readonly stuck: number;
  /** Workers that accept connections. */
  readonly workers: number;
}

/** A listener of /api/status. */
export interface Listener {
  /** What the router calls it. */
  readonly name: string;
  /** Where it listens, with the port that was free, if any was asked for. */
  readonly address: string;
  /** Whether TLS ends there. */
  readonly tls: boolean;
  /** Whether it asks for a PROXY header. */
  readonly acceptProxy: boolean;
}

/** A worker of /api/status. */
export interface Worker {
  /** The generation and a number, as in the log: `2.1`. */
  readonly id: string;
  /** 1, and one more with each reload. */
  readonly generation: number;
  /** What it does. */
  readonly state: "starting" | "serving" | "draining" | "stuck";
  /** Those it has open. */
  readonly connections: number;
  /** By how much its timers were late in the last second. */
  readonly eventLoopLag: number;
  /** Bytes of its JavaScript objects. */
  readonly heapUsed: number;
}

/** /api/status */
export interface Status {
  /** Of the program. */
  readonly version: string;
  /** The version of Deno. */
  readonly runtime: string;
  /** When the program was started. */
  readonly startedAt: string;
  /** How long ago that is. */
  readonly uptime: number;
  /** What the program does. */
  readonly state: "starting" | "serving" | "draining";
  readonly reloads: {
    /** Reloads that have succeeded. */
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
    /** Those open now. */
    readonly current: number;
    /** The most that were open at a time. */
    readonly maximum: number;
    /** Those accepted since the start. */
    readonly total: number;
    /** Those open that have a remote. */
    readonly connected: number;
    /**
     * How many may be open: `--max-connections`, or what there are descriptors
     * for, as far as they are counted. `null`: there is no limit, as nothing was
     * given and descriptors cannot be counted, or were not yet.
     */
    readonly limit: number | null;
  };
  /** How many connections have ended for each reason. */
  readonly ended: Readonly<Record<string, number>>;
  /** How often each limit was met. */
  readonly limits: Readonly<Record<string, number>>;
  readonly bytes: {
    /** Received from clients. */
    readonly in: number;
    /** Sent to clients. */
    readonly out: number;
  };
  readonly memory: {
    /** Resident memory of the process. */
    readonly rss: number;
  };
}

/** A sample of /api/history: what has happened in a second. */
export type Sample = {
  /** Its end; the oldest sample comes first. */
  readonly time: string;
  /** Connections that were open then. */
  readonly connections: number;
  /** Connections per second that were accepted. */
  readonly accepted: number;
  /** Connections per second that have ended. */
  readonly ended: number;
  /** Those of them that the router or the remote failed, as in `/api/routes`. */
  readonly failed: number;
  /** Bytes per second received from clients. */
  readonly in: number;
  /** Bytes per second sent to clients. */
  readonly out: number;
  /** The event-loop lag of the worker that was the latest. */
  readonly lag: number;
};

/** /api/history */
export interface History {
  /** Seconds from one sample to the next: 1. */
  readonly interval: number;
  readonly samples: readonly Sample[];
}

/** A connection of /api/connections. */
export interface ConnectionEntry {
  /** Its number, as in the logs. */
  readonly id: number;
  /** The worker that has it. */
  readonly worker: string;
  /** The listener where it came in. */
  readonly listener: string;
  /** The address of the client. */
  readonly client: string;
  /** Where it goes to; `null`: nowhere yet. */
  readonly remote: string | null;
  /** Who has decided that; `null`: nobody yet. */
  readonly route: string | null;
  /**
   * `admit` (before TLS or the PROXY header is read), `preread`, `connect`,
   * `joined`, `drain` (closing).
   */
  readonly stage: string;
  /** Since it was accepted. */
  readonly seconds: number;
  /** Bytes received from the client. */
  readonly in: number;
  /** Bytes sent to the client. */
  readonly out: number;
}

/** /api/connections */
export interface ConnectionList {
  /** How many match the search. */
  readonly total: number;
  /** How many are listed. */
  readonly shown: number;
  /**
   * Workers that have not answered within a second, and whose connections are
   * missing.
   */
  readonly unanswered: number;
  readonly connections: readonly ConnectionEntry[];
}

/** A member of a pool. */
export interface Member {
  /** The member. */
  readonly remote: string;
  /** Its share; 0: it gets no connections. */
  readonly weight: number;
  /**
   * `up`; `down` after failures; `probing` with one connection again;
   * `checked-down` by a check; `draining`.
   */
  readonly state: string;
  /** Those it has. */
  readonly connections: number;
  /** How often it has failed before it sent a byte. */
  readonly failures: number;
  /** How often it was chosen. */
  readonly picks: number;
  /** When its state has changed; `null`: it is that from the start. */
  readonly since: string | null;
}

/** A pool of /api/pools. */
export interface Pool {
  /** Its name. */
  readonly name: string;
  /** How a member is chosen. */
  readonly policy: string;
  readonly members: readonly Member[];
}

/** A route of /api/routes. */
export interface RouteEntry {
  /** Of the route. */
  readonly name: string;
  /** Decisions. */
  readonly hits: number;
  /**
   * Connections that ended as `router-error`, `connect-failed`, `remote-left`,
   * `remote-reset`, `inactivity-timeout`, `worker-died` or `internal-error`.
   */
  readonly failed: number;
  /** Bytes received from its clients. */
  readonly in: number;
  /** Bytes sent to its clients. */
  readonly out: number;
}

/** A remote of /api/remotes. */
export interface RemoteEntry {
  /** Such as `10.0.0.1:80`. */
  readonly remote: string;
  /** Connections that were made. */
  readonly connections: number;
  /** Those that are open. */
  readonly open: number;
  /** Failures, each try to connect counted: the sum of `errors`. */
  readonly failed: number;
  /** How many there were for each reason: `connect-failed`, `remote-left`, … */
  readonly errors: Readonly<Record<string, number>>;
  /** How long it took to connect, on average; `null` if none was made. */
  readonly connectSeconds: number | null;
}

/** Lines of the log that have the same text, as /api/errors lists them. */
export interface LogEntry {
  /** When it was logged the last time. */
  readonly time: string;
  /** `warn` or `error`. */
  readonly level: string;
  /** The text, with the names of fields in braces: `Connect {remote} failed`. */
  readonly text: string;
  /** The text as it was the last time, with the values of fields. */
  readonly message: string;
  /** How often. */
  readonly count: number;
}

/** A route of /api/config. */
export interface ConfiguredRoute {
  /** Its name. */
  readonly name: string;
  /** Its line in the file. */
  readonly line: number;
  /** What it is for, as in `lines`. */
  readonly match: string;
  /** What it does, as in `lines`. */
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
