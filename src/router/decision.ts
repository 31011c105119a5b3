/**
 * What a router may answer. Each kind of decision has the keys of one interface;
 * what all others have is not part of it.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

/** What every decision may say that is more than to wait. */
export interface NamedKeys {
  /**
   * Who has decided, for logs, statistics and the status page: 1 to 64 printable
   * characters. Use few names: 200 are told apart.
   *
   * @default no name
   */
  route?: string | undefined;
}

/** What a decision may say about the connection with a remote. */
export interface ConnectKeys extends NamedKeys {
  /**
   * Send these bytes to the remote in place of the bytes that were read so far.
   *
   * @default the bytes that were read so far
   */
  data?: Bytes | undefined;
  /** Send these bytes to the client, before connecting. */
  reply?: Bytes | undefined;
  /**
   * Seconds (fractions allowed) that one try to connect may take.
   *
   * @default what `--connect-timeout` says
   */
  connectTimeout?: number | undefined;
  /**
   * Seconds (fractions allowed) that the connected remote may take to send its
   * first byte, anew after each byte of the client; afterwards `inactivityError`
   * is called.
   *
   * @default no limit
   */
  inactivityTimeout?: number | undefined;
  /**
   * Seconds (fractions allowed) in which both directions may be silent while
   * client and remote are joined, or one that has bytes waiting may get none of
   * them taken; then the connection is closed.
   *
   * @default what `--idle-timeout` says
   */
  idleTimeout?: number | undefined;
  /**
   * Seconds (fractions allowed) without progress after which the connection is
   * closed once one side has ended.
   *
   * @default the `idleTimeout` of this decision, or else what
   * `--half-close-timeout` says
   */
  halfCloseTimeout?: number | undefined;
  /**
   * Seconds (fractions allowed) from accept to the end of the connection,
   * whatever it does.
   *
   * @default what `--max-duration` says
   */
  maxDuration?: number | undefined;
  /**
   * Tell the remote who the client is: send it `client.remoteAddr` and
   * `client.localAddr` in a header of the PROXY protocol, of this version,
   * before all other bytes. The remote must expect it.
   *
   * It is for this remote only: another one that `connectError` or
   * `inactivityError` names gets a header if that decision says so.
   *
   * @default no header
   */
  proxyProtocol?: 1 | 2 | undefined;
  /**
   * Speak TLS with the remote: `true`, or how. Its certificate must be valid,
   * and must have been issued by an authority that the runtime knows, or one of
   * `ca`.
   *
   * @default false: what the client sends is passed on as it is
   */
  tls?: boolean | RemoteTls | undefined;
}

/** How to speak TLS with a remote. */
export interface RemoteTls {
  /**
   * The name that the certificate must have; it is also what the remote is
   * asked for (SNI), unless it is an IP address.
   *
   * @default the host of `remote`
   */
  serverName?: string | undefined;
  /**
   * Certificates of authorities (PEM) that are trusted beside those that the
   * runtime knows.
   *
   * @default none
   */
  ca?: string | readonly string[] | undefined;
  /**
   * Application protocols to offer (ALPN), the best first, such as
   * `["h2", "http/1.1"]`.
   *
   * @default none
   */
  alpn?: string | readonly string[] | undefined;
}

/** The keys of a decision for a remote. */
export interface RemoteKeys extends ConnectKeys {
  /**
   * Where to connect: `"host:port"`, with IPv6 addresses as `"[::1]:80"`, or
   * the absolute path of a socket file as `"unix:/run/app.sock"`. A host name is
   * resolved for each try and all its addresses are tried. A socket file needs a
   * permission: `--allow-net=unix:/run/app.sock`. Of a list (of at most 1000)
   * each is tried once, in order; then the retries go round the list.
   *
   * `"pool:NAME"` is `{ pool: "NAME" }`, for values of a table in Redis.
   */
  remote: string | readonly string[];
}

/** The keys of a decision for a pool. */
export interface PoolKeys extends ConnectKeys {
  /** The name of the pool. */
  pool: string;
  /**
   * What chooses the member, if the policy of the pool is `hash`.
   *
   * @default the client's IP address
   */
  key?: Bytes | undefined;
}

/** The keys of an answer after which routing goes on. */
export interface ReplyKeys extends NamedKeys {
  /** Send these bytes to the client. */
  reply: Bytes;
  /**
   * Drop this many bytes from the start of what was read so far.
   *
   * @default 0
   */
  consume?: number | undefined;
}

/** The keys of a decision to close. */
export interface CloseKeys extends NamedKeys {
  /** `true`, or the last bytes for the client. */
  close: true | Bytes;
}

/** The keys of a decision to wait. */
export interface NoopKeys {
  /** Always `true`. */
  noop: true;
}

/** The keys of each kind of decision, by the key that tells the kind. */
export interface DecisionKeys {
  /** Connect to a remote. */
  remote: RemoteKeys;
  /** Connect to a member of a pool. */
  pool: PoolKeys;
  /** Close. */
  close: CloseKeys;
  /** Answer, and go on routing. */
  reply: ReplyKeys;
  /** Wait. */
  noop: NoopKeys;
}

/** The key that tells the kind of a decision. */
export type DecisionKind = keyof DecisionKeys;

/** Any key of any decision. */
export type DecisionKey = {
  [Kind in DecisionKind]: keyof DecisionKeys[Kind];
}[DecisionKind];

/** The original's names of two keys, which no decision has. */
export type OriginalKey = "connect_timeout" | "inactivity_timeout";

/** What is not part of a decision that has the keys `Own`. */
export type Without<Own> = {
  readonly [Key in Exclude<DecisionKey | OriginalKey, keyof Own>]?: never;
};

/**
 * Connect to a remote, send it the bytes that were read so far, and join both
 * connections into a transparent full-duplex proxy.
 */
export interface RemoteDecision extends RemoteKeys, Without<RemoteKeys> {}

/**
 * Connect to a member of a pool that the router has made while it loaded
 * (`import { pool } from "proxymachine/pool"`): what its `pick` returns. The
 * rest is as for one remote.
 */
export interface PoolDecision extends PoolKeys, Without<PoolKeys> {}

/**
 * Answer the client and go on routing: one step of a dialogue before the
 * decision, as in SOCKS5, SMTP or the SSLRequest of PostgreSQL. The hook is
 * called again at once if `consume` left bytes over, otherwise when more come.
 */
export interface ReplyDecision extends ReplyKeys, Without<ReplyKeys> {}

/**
 * Close the connection, with `true` at once, with bytes after the client could
 * read them all.
 */
export interface CloseDecision extends CloseKeys, Without<CloseKeys> {}

/** Wait for more bytes; the same as `undefined` and `null`. */
export interface NoopDecision extends NoopKeys, Without<NoopKeys> {}

/**
 * What a router says about a connection: plain data. One that is malformed
 * (an unknown key, a bad `host:port`, a timeout that is not positive) is the
 * router's error: it is logged with the key and the value, and that client is
 * closed.
 */
export type Decision =
  | RemoteDecision
  | PoolDecision
  | ReplyDecision
  | CloseDecision
  | NoopDecision
  | null
  | undefined;
