/**
 * One client's connection from accept to close.
 *
 * Two coroutines serve it: one reads all that the client ever sends (first for
 * the router, later for the remote: `preread.ts`, then `pump.ts`), the other,
 * started by the decision, connects to the remote and reads all that it sends
 * (`connect.ts`, `pump.ts`). So nothing is ever raced or cancelled to switch
 * from one stage to the next, and a read of the client that is pending when the
 * decision comes is the first read of the pump.
 *
 * @module
 */
import type { Address, Client, ClientTls, Router } from "../router/contract.ts";
import type { AccessLog } from "../log/access_log.ts";
import type { EndReason } from "../stats/end_reason.ts";
import type { Gauges } from "../stats/gauges.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../log/log.ts";
import type { Measured, Statistics } from "../stats/statistics.ts";
import type { AddressLimits } from "../limits/address_limits.ts";
import {
  formatAddress,
  type HostPort,
  parseSocketPath,
} from "../net/address.ts";
import type { Buffers } from "./buffers.ts";
import type { Candidates, Lease } from "../net/candidates.ts";
import { Clocks, type Timed } from "./clocks.ts";
import type { Deadlines } from "../lib/deadlines.ts";
import type { Descriptors } from "../limits/descriptors.ts";
import type { ListenOptions } from "../net/listen.ts";
import type { SlowRemotes } from "../net/slow_remotes.ts";
import type { PlacedSet } from "../lib/placed_set.ts";
import { onPrereadTimeout, readClient } from "./preread.ts";
import type { Settling } from "./keep_alive.ts";
import { type Socket, takeSocket } from "../net/socket.ts";

/** The limits that hold for each connection. */
export interface ConnectionOptions {
  /** Bytes that are read, at most, before the router must have decided. */
  readonly maxPreread: number;
  /** Milliseconds that routing may take. */
  readonly prereadTimeout: number;
  /** Milliseconds that one try to connect may take; 0 for no limit. */
  readonly connectTimeout: number;
  /** Milliseconds without progress after one side has ended. */
  readonly halfCloseTimeout: number;
  /** Milliseconds in which both directions may be silent; 0 for no limit. */
  readonly idleTimeout: number;
  /** Milliseconds from accept to the end; 0 for no limit. */
  readonly maxDuration: number;
}

/** What the connections of one worker share. */
export interface Context {
  readonly router: Router;
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
  /** Asks for a higher limit of connections. */
  readonly onFull: () => void;
  /** Called whenever the last open connection has ended. */
  onIdle: (() => void) | undefined;
}

/**
 * Where a connection is:
 *
 * - `admit`: what comes before the client's own bytes is read;
 * - `preread`: bytes are read for the router;
 * - `connect`: the router has decided, or a hook is asked; a remote is sought;
 * - `joined`: bytes flow between client and remote;
 * - `drain`: the last bytes are sent to the client, and what it sends is dropped;
 * - `closed`: both sockets are closed.
 */
export type Stage =
  | "admit"
  | "preread"
  | "connect"
  | "joined"
  | "drain"
  | "closed";

/** The client as a router sees it, for which all is read-only. */
class ClientInfo implements Client {
  readonly id: number;
  /** Set by admission only. */
  remoteAddr: Address;
  /** Set by admission only. */
  localAddr: Address;
  readonly listener: string;
  /** Set by admission only. */
  tls: ClientTls | undefined;

  constructor(
    id: number,
    socket: Deno.TcpConn | Deno.UnixConn,
    listener: ListenOptions,
  ) {
    this.id = id;
    this.listener = listener.name;
    if ("path" in listener) {
      this.remoteAddr = peerOf(socket as Deno.UnixConn);
      // the socket itself knows the path at which it was made
      this.localAddr = { transport: "unix", path: listener.path };
    } else {
      this.remoteAddr = socket.remoteAddr as Address;
      this.localAddr = socket.localAddr as Address;
    }
    this.tls = undefined;
  }
}

/** The other end of a socket file: it may have chosen a path, or any bytes. */
function peerOf({ remoteAddr }: Deno.UnixConn): Address {
  const { path } = remoteAddr as { path: string | null };
  const parsed = parseSocketPath(`unix:${path ?? ""}`);
  return {
    transport: "unix",
    path: typeof parsed === "string" ? "" : parsed.path,
  };
}

/** The state of one connection, shared by the files of its stages. */
export class Connection implements Timed {
  readonly context: Context;
  /** What has accepted it. */
  readonly listener: ListenOptions;
  /** Replaced by admission only. */
  client: Socket;
  readonly info: ClientInfo;
  /** `performance.now()` at accept. */
  readonly started: number;
  readonly clocks: Clocks;
  /** Owned by {@linkcode PlacedSet}. */
  place = -1;
  stage: Stage = "preread";
  /** Called when the deadline passes in the stage `admit`; ends the connection. */
  onAdmitTimeout: (() => void) | undefined;
  endReason: EndReason | undefined;

  /** What was read for admission, then for the router: `buffer[0..length)`. */
  buffer: Uint8Array;
  length = 0;
  /** A read into the buffer is pending, so it must not be used for another. */
  pinned = false;
  /** What the client sent after the decision, while it may be sent once more. */
  extra: Uint8Array[] | undefined;
  extraLength = 0;

  /** Who has decided: the name of a route. */
  route: string | undefined;
  /** What the statistics need to know of it, from the decision on. */
  measured: Measured | undefined;
  /** The remote as the router wrote it. */
  remote: string | undefined;
  server: Socket | undefined;
  /** What the remote is sent before the client's bytes; not the client's own. */
  preamble: Uint8Array | undefined;
  /** The remote of a pool, which is told what becomes of it. */
  lease: Lease | undefined;
  /** The remotes that have failed, each time that a hook has named another. */
  failed: string[] | undefined;
  /** Which members of a pool were tried. */
  attempt: Candidates | undefined;
  /** How often a remote was joined; tells what a replay has included. */
  joins = 0;
  /** The remote has sent a byte: from now on there is no other remote. */
  answered = false;
  /** The deadline that passed was that of the first byte. */
  inactive = false;
  /** The client has ended its side. */
  clientEnded = false;
  /** The remote has ended its side. */
  serverEnded = false;
  /** The remote takes no more bytes. */
  serverBroken = false;
  /** Where it is counted for its client's address; set by admission only. */
  addressPlace: number | undefined;
  /** Cancels a try to connect. */
  connecting: AbortController | undefined;
  /** Where it tries to connect to, if nothing can cancel that. */
  dialing: HostPort | undefined;

  /** Bytes received from the client. */
  received = 0;
  /** Bytes sent to the client. */
  sent = 0;
  /** Bytes sent to remotes before they were joined. */
  replayed = 0;
  /** Bytes of the client that were dropped while draining. */
  discarded = 0;

  #gate: PromiseWithResolvers<void> | undefined;
  /** Gives up the hooks whose promises are pending. */
  #undecided: Set<() => void> | undefined;
  #serverOpen = false;
  #running = 0;
  /** Its place is free. */
  #left = false;

  /**
   * @param context What it shares with others.
   * @param conn The accepted socket; the connection closes it.
   * @param id The number of this connection.
   * @param listener What has accepted it.
   */
  constructor(
    context: Context,
    conn: Deno.TcpConn | Deno.UnixConn,
    id: number,
    listener: ListenOptions,
  ) {
    this.context = context;
    this.listener = listener;
    this.client = takeSocket(conn);
    this.info = new ClientInfo(id, conn, listener);
    this.started = performance.now();
    this.buffer = context.buffers.first();
    this.clocks = new Clocks(this, context.deadlines);
  }

  /** Grows with every byte that moves, so that silence can be seen. */
  get progress(): number {
    return this.received + this.sent + this.replayed;
  }

  /** The fields by which a line of the log tells whose connection it is about. */
  get who(): { readonly client: string; readonly id: number } {
    return { client: this.peer, id: this.info.id };
  }

  /** The client's address, for logs; until it is admitted that of the peer. */
  get peer(): string {
    return formatAddress(this.info.remoteAddr);
  }

  /**
   * Follows a coroutine: the connection is over when all of them have ended.
   *
   * @param coroutine One that has been started; an error ends the connection.
   */
  follow(coroutine: Promise<void>): void {
    this.begin();
    coroutine.then(() => this.leave(), (error) => {
      this.fail(error);
      this.leave();
    });
  }

  /**
   * Counts a coroutine that calls `leave` itself. Those do that every connection
   * has, as it costs less than to follow them.
   */
  begin(): void {
    this.#running++;
  }

  /**
   * Counts the end of a coroutine; with the last of them the place of the
   * connection is free.
   */
  leave(): void {
    if (--this.#running > 0) return;
    this.end("done");
    this.releasePreread();
    this.#giveUpPlace();
    this.context.descriptors.released();
  }

  #giveUpPlace(): void {
    if (this.#left) return;
    this.#left = true;
    const { context } = this;
    context.connections.delete(this);
    context.gauges.closed();
    if (context.connections.size === 0) context.onIdle?.();
  }

  /**
   * Leaves a try to connect to itself, which may take minutes: it holds a
   * descriptor still, but neither a place nor who waits for the last to end.
   */
  #abandon(address: HostPort): void {
    this.context.slowRemotes.add(address);
    this.#giveUpPlace();
    // there is a place again
    this.context.descriptors.released();
  }

  /**
   * Ends the connection after an error that should not be.
   *
   * @param error Anything that was thrown.
   */
  fail(error: unknown): void {
    this.context.log.error(
      `Cannot go on with the connection of ${this.peer} as there was an internal error: ${
        describeError(error)
      }`,
    );
    this.end("internal-error");
  }

  /** Tells whether it has ended; a method, as any await may change it. */
  isClosed(): boolean {
    return this.stage === "closed";
  }

  /**
   * Notes that the router has decided.
   *
   * @param route The name of its route, if it has one.
   */
  decided(route: string | undefined): void {
    this.route = route ?? this.route ?? this.context.defaultRoute;
    this.context.statistics?.decided(this);
  }

  /** Keeps what the client sends from now on, if a hook may want another remote. */
  keepForReroute(): void {
    const { router } = this.context;
    if (router.connectError ?? router.inactivityError) this.extra ??= [];
  }

  /** Tells whether a hook may still name another remote. */
  get mayReroute(): boolean {
    return this.extra !== undefined;
  }

  /** Gives up what was read for the router: no other remote will be sent it. */
  releasePreread(): void {
    if (!this.pinned) this.context.buffers.release(this.buffer);
    this.buffer = NOTHING;
    this.length = 0;
    this.extra = undefined;
  }

  /**
   * Waits until the stage may have changed. Called by the coroutine of the
   * client while the other one looks for a remote.
   */
  waitForStage(): Promise<void> {
    this.#gate ??= Promise.withResolvers<void>();
    return this.#gate.promise;
  }

  /**
   * Enters a stage, unless the connection is closed, and wakes who waits.
   *
   * @param stage The new stage.
   */
  enter(stage: Stage): void {
    if (this.stage !== "closed") this.stage = stage;
    this.#settle();
    this.wake();
  }

  /**
   * Waits for the answer of a hook, but not longer than it matters: a promise
   * that stays pending must not keep a connection that has gone on, or ended.
   *
   * @param answer What the hook has returned.
   * @returns The answer, or `undefined` as soon as the stage changes.
   */
  untilStage(answer: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const forget = () => resolve(undefined);
    const undecided = this.#undecided ??= new Set();
    undecided.add(forget);
    Promise.resolve(answer).then(resolve, reject)
      .finally(() => undecided.delete(forget));
    return promise;
  }

  #settle(): void {
    if (this.#undecided === undefined) return;
    for (const forget of this.#undecided) forget();
    this.#undecided = undefined;
  }

  /** Wakes the coroutine of the client. */
  wake(): void {
    const gate = this.#gate;
    if (gate === undefined) return;
    this.#gate = undefined;
    gate.resolve();
  }

  /**
   * Takes a connected remote; from now on the connection closes it.
   *
   * @param server The socket.
   */
  attach(server: Socket): void {
    this.server = server;
    this.#serverOpen = true;
    this.serverBroken = false;
    this.context.gauges.connected(1);
    this.context.settling.expect();
  }

  /** Closes the socket of the remote, if there is one. */
  detach(): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.context.gauges.connected(-1);
    this.lease?.release();
    this.lease = undefined;
    this.server?.close();
    // a replay that is still under way must not join it any more
    this.server = undefined;
    this.context.descriptors.released();
  }

  /**
   * Ends the connection: closes both sockets, so that pending reads and writes
   * fail and both coroutines end. Nothing happens if it has ended.
   *
   * @param reason Why, unless a reason is already known.
   */
  end(reason: EndReason): void {
    this.endReason ??= reason;
    if (this.stage === "closed") return;
    this.stage = "closed";
    this.clocks.clear();
    this.connecting?.abort();
    this.detach();
    this.client.close();
    if (this.addressPlace !== undefined) {
      this.context.addresses?.leave(this.addressPlace);
    }
    this.context.gauges.counters.add(this.endReason);
    this.context.statistics?.ended(this);
    this.context.accessLog.connection(this);
    this.#settle();
    this.wake();
    if (this.dialing !== undefined) this.#abandon(this.dialing);
  }

  /**
   * Starts the clock of a connection that must make progress: one side has
   * ended, or the client must read what it is sent.
   */
  watchHalfClose(): void {
    this.clocks.watch(this.context.options.halfCloseTimeout, Infinity);
  }

  /** Starts the clock of draining what the client still sends. */
  watchDrain(): void {
    this.clocks.watch(DRAIN_PAUSE, performance.now() + DRAIN_TIME);
  }

  /** The clock of the stage has expired: which one, the stage tells. */
  expire(): void {
    if (this.stage === "preread") return onPrereadTimeout(this);
    if (this.stage === "admit") return this.onAdmitTimeout?.();
    if (this.#serverOpen && !this.answered && !this.clientEnded) {
      this.inactive = true;
      return this.detach();
    }
    this.end(
      this.#serverOpen && this.stage !== "drain"
        ? "half-close-timeout"
        : "client-stalled",
    );
  }
}

const NOTHING = new Uint8Array(0);

/** Milliseconds that a client may take, in all, to end after the last bytes. */
const DRAIN_TIME = 30_000;

/** Milliseconds that it may pause meanwhile. */
const DRAIN_PAUSE = 5_000;

/** Bytes that are dropped, at most, while draining. */
export const DRAIN_BYTES = 64 * 1024 * 1024;

/**
 * Serves one connection to its end. Never throws.
 *
 * @param context What connections share.
 * @param conn The accepted socket; it is closed with the connection.
 * @param listener What has accepted it.
 */
export function serve(
  context: Context,
  conn: Deno.TcpConn | Deno.UnixConn,
  listener: ListenOptions,
): void {
  const id = context.gauges.opened();
  const connection = new Connection(context, conn, id, listener);
  context.connections.add(connection);
  context.settling.expect();
  if (context.log.verbose) context.log.debug(`${connection.peer} is accepted`);
  void readClient(connection);
}

/**
 * Counts and logs a connection that its client has reset while it was in the
 * queue of the listener: the runtime has closed it, and tells nothing about it.
 * Gives back the place that was reserved.
 *
 * @param context What connections share.
 */
export function countGone({ accessLog, gauges, statistics }: Context): void {
  const id = gauges.opened();
  gauges.counters.add("client-reset");
  statistics?.gone();
  accessLog.connection({
    info: { id },
    route: undefined,
    remote: undefined,
    received: 0,
    sent: 0,
    started: performance.now(),
    endReason: "client-reset",
  });
  gauges.closed();
}
