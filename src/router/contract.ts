/**
 * The contract between the proxy and a router: what a router exports, what it
 * is given, and what it may answer.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";
import type { Preread } from "./preread.ts";

/** One end of a connection: `transport` tells which kind. */
export type Address = TcpAddress | UnixAddress;

/** One end of a TCP connection. */
export interface TcpAddress {
  /** Tells it from a socket file. */
  readonly transport: "tcp";
  /** The IP address in its text form, IPv6 without brackets. */
  readonly hostname: string;
  /** The port, 1 to 65535. */
  readonly port: number;
}

/** One end of a connection through a socket file. */
export interface UnixAddress {
  /** Tells it from TCP. */
  readonly transport: "unix";
  /** The absolute path of the socket; empty for that of nearly every client. */
  readonly path: string;
}

/** What was agreed on in the TLS handshake between client and proxy. */
export interface ClientTls {
  /** The host name that the client has asked for (SNI), in lower case. */
  readonly serverName: string | undefined;
  /** The application protocol (ALPN), such as `h2`. */
  readonly alpn: string | undefined;
  /** The version: `TLSv1.2` or `TLSv1.3`. */
  readonly version: string | undefined;
}

/** The client whose connection is being routed. */
export interface Client {
  /** Counts the connections of this process from 1; unique across its workers. */
  readonly id: number;
  /** The address that the client connects from. */
  readonly remoteAddr: Address;
  /** The address of the proxy that the client connected to. */
  readonly localAddr: Address;
  /**
   * The name of the listener that accepted the connection: the one that the
   * route table gives it, or its `host:port` as the operator wrote it.
   */
  readonly listener: string;
  /** The TLS that has ended at the proxy; `undefined` if there was none. */
  readonly tls?: ClientTls | undefined;
}

/**
 * Connect to a remote, send it the bytes that were read so far, and join both
 * connections into a transparent full-duplex proxy.
 */
export interface RemoteDecision {
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
   * first byte; afterwards `inactivityError` is called.
   *
   * @default no limit
   */
  inactivityTimeout?: number | undefined;
  /**
   * Seconds (fractions allowed) in which both directions may be silent while
   * client and remote are joined; then the connection is closed.
   *
   * @default what `--idle-timeout` says
   */
  idleTimeout?: number | undefined;
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
  /** Not part of this decision. */
  pool?: never;
  /** Not part of this decision. */
  key?: never;
  /**
   * Who has decided, for logs, statistics and the status page: 1 to 64 printable
   * characters. Use few names: 200 are told apart.
   *
   * @default no name
   */
  route?: string | undefined;
  /** The original's name of `connectTimeout`: not part of this decision. */
  connect_timeout?: never;
  /** The original's name of `inactivityTimeout`: not part of this decision. */
  inactivity_timeout?: never;
  /** Not part of this decision. */
  consume?: never;
  /** Not part of this decision. */
  close?: never;
  /** Not part of this decision. */
  noop?: never;
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

/**
 * Connect to a member of a pool that the router has made while it loaded
 * (`import { pool } from "proxymachine/pool"`): what its `pick` returns. The
 * rest is as for one remote.
 */
export interface PoolDecision
  extends Omit<RemoteDecision, "remote" | "pool" | "key"> {
  /** The name of the pool. */
  pool: string;
  /**
   * What chooses the member, if the policy of the pool is `hash`.
   *
   * @default the client's IP address
   */
  key?: Bytes | undefined;
  /** Not part of this decision. */
  remote?: never;
}

/**
 * Answer the client and go on routing: one step of a dialogue before the
 * decision, as in SOCKS5, SMTP or the SSLRequest of PostgreSQL. The hook is
 * called again at once if `consume` left bytes over, otherwise when more come.
 */
export interface ReplyDecision {
  /** Send these bytes to the client. */
  reply: Bytes;
  /**
   * Drop this many bytes from the start of what was read so far.
   *
   * @default 0
   */
  consume?: number | undefined;
  /**
   * Who has answered, for statistics and the status page: 1 to 64 printable
   * characters. Use few names: 200 are told apart.
   *
   * @default no name
   */
  route?: string | undefined;
  /** Not part of this decision. */
  remote?: never;
  /** Not part of this decision. */
  pool?: never;
  /** Not part of this decision. */
  key?: never;
  /** Not part of this decision. */
  data?: never;
  /** Not part of this decision. */
  connectTimeout?: never;
  /** Not part of this decision. */
  inactivityTimeout?: never;
  /** Not part of this decision. */
  idleTimeout?: never;
  /** Not part of this decision. */
  maxDuration?: never;
  /** Not part of this decision. */
  proxyProtocol?: never;
  /** Not part of this decision. */
  tls?: never;
  /** Not part of this decision. */
  close?: never;
  /** Not part of this decision. */
  noop?: never;
}

/**
 * Close the connection, with `true` at once, with bytes after the client could
 * read them all.
 */
export interface CloseDecision {
  /** `true`, or the last bytes for the client. */
  close: true | Bytes;
  /**
   * Who has decided, for logs, statistics and the status page: 1 to 64 printable
   * characters. Use few names: 200 are told apart.
   *
   * @default no name
   */
  route?: string | undefined;
  /** Not part of this decision. */
  remote?: never;
  /** Not part of this decision. */
  pool?: never;
  /** Not part of this decision. */
  key?: never;
  /** Not part of this decision. */
  data?: never;
  /** Not part of this decision. */
  reply?: never;
  /** Not part of this decision. */
  consume?: never;
  /** Not part of this decision. */
  connectTimeout?: never;
  /** Not part of this decision. */
  inactivityTimeout?: never;
  /** Not part of this decision. */
  idleTimeout?: never;
  /** Not part of this decision. */
  maxDuration?: never;
  /** Not part of this decision. */
  proxyProtocol?: never;
  /** Not part of this decision. */
  tls?: never;
  /** Not part of this decision. */
  noop?: never;
}

/** Wait for more bytes; the same as `undefined` and `null`. */
export interface NoopDecision {
  /** Always `true`. */
  noop: true;
  /** Not part of this decision. */
  route?: never;
  /** Not part of this decision. */
  remote?: never;
  /** Not part of this decision. */
  pool?: never;
  /** Not part of this decision. */
  key?: never;
  /** Not part of this decision. */
  data?: never;
  /** Not part of this decision. */
  reply?: never;
  /** Not part of this decision. */
  consume?: never;
  /** Not part of this decision. */
  close?: never;
  /** Not part of this decision. */
  connectTimeout?: never;
  /** Not part of this decision. */
  inactivityTimeout?: never;
  /** Not part of this decision. */
  idleTimeout?: never;
  /** Not part of this decision. */
  maxDuration?: never;
  /** Not part of this decision. */
  proxyProtocol?: never;
  /** Not part of this decision. */
  tls?: never;
}

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

/** What a hook returns: a decision, nothing, or a promise of either. */
export type Answer = Decision | void | Promise<Decision | void>;

/**
 * What a hook returns that is called when routing has failed: another remote,
 * a last answer, or nothing, which closes the connection.
 */
export type LastAnswer =
  | RemoteDecision
  | PoolDecision
  | CloseDecision
  | NoopDecision
  | null
  | undefined
  | void
  | Promise<
    | RemoteDecision
    | PoolDecision
    | CloseDecision
    | NoopDecision
    | null
    | undefined
    | void
  >;

/**
 * A router: the default export of a router module. Each hook may be async;
 * while its promise is pending nothing more is read from that client. A hook
 * that throws closes that one client. A router has `route`, `accept` or both.
 *
 * @example By the first path segment of a git request
 * ```ts
 * import { latin1, Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const router = {
 *   route(data) {
 *     const m = data.match(/^....git-upload-pack \/([\w.-]+)\/[\w.-]+\0/s);
 *     return m ? { remote: `${m[1]}.example.com:9418` } : { noop: true };
 *   },
 * } satisfies Router;
 *
 * const request = latin1("0032git-upload-pack /alice/repo\0host=localhost\0");
 * assert.deepEqual(router.route(new Preread(request)), {
 *   remote: "alice.example.com:9418",
 * });
 * ```
 */
export interface Router {
  /**
   * Called once, before any byte is read: for routing by address, or for
   * protocols in which the server speaks first. Nothing means: read bytes and
   * call `route`.
   */
  accept?(client: Client): Answer;
  /**
   * Called whenever more bytes have come, with all that were read so far.
   * Nothing means: wait for more.
   */
  route?(data: Preread, client: Client): Answer;
  /**
   * Called when there was no decision within the preread timeout. Nothing
   * means: close.
   */
  timeout?(data: Preread, client: Client): LastAnswer;
  /**
   * Called when the remote (the last one of a list or pool that was tried; the
   * name of a pool of which all members are drained) refused the
   * connection, did not answer in time (both after all retries), or closed it
   * before it sent a byte. It is not
   * called once the client has ended its side. Nothing means: close. With
   * another remote, the `data` and the timeouts of the decision before hold
   * where the new one says nothing; `tls` does not.
   */
  connectError?(remote: string, error: Error, client: Client): LastAnswer;
  /**
   * Called when the remote is connected but sent no byte within
   * `inactivityTimeout`. The answers are those of `connectError`.
   */
  inactivityError?(remote: string, client: Client): LastAnswer;
}

/** The `route` function alone is a router, too. */
export type RouteFunction = NonNullable<Router["route"]>;
