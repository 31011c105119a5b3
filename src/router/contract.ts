/**
 * The contract between the proxy and a router: what a router exports, and what
 * it is given. What it may answer is in `decision.ts`.
 *
 * @module
 */
import type { Decision, ReplyDecision } from "./decision.ts";
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

/** What a hook returns: a decision, nothing, or a promise of either. */
export type Answer = Decision | void | Promise<Decision | void>;

/**
 * What a hook returns that is called when routing has failed: another remote,
 * a last answer, or nothing, which closes the connection.
 */
export type LastAnswer =
  | Exclude<Decision, ReplyDecision>
  | void
  | Promise<Exclude<Decision, ReplyDecision> | void>;

/**
 * A router: the default export of a router module. Each hook may be async;
 * while its promise is pending nothing more is read from that client, but what
 * one read takes that was begun before (at most as much as was read). A hook
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
   * Called when there was no decision within the preread timeout, or when the
   * client has sent something and ended its side before there was one: no more
   * bytes can come, but it may still read. Nothing means: close.
   */
  timeout?(data: Preread, client: Client): LastAnswer;
  /**
   * Called when the remote (the last one of a list or pool that was tried; the
   * name of a pool of which all members are drained) refused the
   * connection, did not answer in time (both after all retries), or closed it
   * before it sent a byte; also for a client that has ended its side, which may
   * still read. Nothing means: close. With another remote, the `data` and the timeouts of the decision before hold
   * where the new one says nothing; `tls` does not.
   */
  connectError?(remote: string, error: Error, client: Client): LastAnswer;
  /**
   * Called when the remote is connected but sent no byte within
   * `inactivityTimeout`. The answers are those of `connectError`.
   */
  inactivityError?(remote: string, client: Client): LastAnswer;
}

/** A router as connections use it. */
export interface ServedRouter extends Router {
  /**
   * What a route table does, in place of `timeout`, when the client has ended its
   * side before there was a decision.
   */
  ended?: Router["timeout"];
}

/** The `route` function alone is a router, too. */
export type RouteFunction = NonNullable<Router["route"]>;

/** The name of a hook. */
export type Hook = keyof Router;
