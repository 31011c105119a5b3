/**
 * The state of one client's connection, which the files of its stages share.
 * `serve.ts` has the stages in their order.
 *
 * @module
 */
import type { EndReason } from "../stats/end_reason.ts";
import type { Measured } from "../stats/statistics.ts";
import { formatAddress, type HostPort } from "../net/address.ts";
import type { Candidates, Lease } from "../net/candidates.ts";
import type { ListenOptions } from "../net/listen.ts";
import { type Socket, takeSocket } from "../net/socket.ts";
import { describeError } from "../lib/errors.ts";
import { ClientInfo, type Who } from "./client_info.ts";
import { Clocks, type Timed } from "./clocks.ts";
import type { SharedContext } from "./context.ts";
import type { Stage } from "./stage.ts";
import { Undecided } from "./undecided.ts";

/** What it shares with the other connections of its worker. */
export type Context = SharedContext<Connection>;

const NOTHING = new Uint8Array(0);

/** One connection from accept to close. */
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
  /** Called when the time for the stages `admit` and `preread` has passed. */
  onStageTimeout: ((connection: Connection) => void) | undefined;
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
  /** The decision's own milliseconds; 0 if its `idleTimeout` rules. */
  halfCloseTimeout: number | undefined;
  /** The deadline that passed was that of the first byte. */
  inactive = false;
  /** The client has ended its side. */
  clientEnded = false;
  /** The remote has ended its side. */
  serverEnded = false;
  /** The remote takes no more bytes. */
  serverBroken = false;
  /** What `forwarded` was when the remote ended its side before its first byte. */
  endedAt: number | undefined;
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
  /** Bytes that remotes have taken. */
  forwarded = 0;
  /** A write to the client is pending: it has bytes to take. */
  isSending = false;
  /** A write to the remote is pending: it has bytes to take. */
  isForwarding = false;
  /** Bytes of the client that were dropped while draining. */
  discarded = 0;

  #gate: PromiseWithResolvers<void> | undefined;
  /** Gives up the hooks whose promises are pending. */
  #undecided: Undecided | undefined;
  #serverOpen = false;
  #running = 0;
  /** Its place is free. */
  #left = false;

  /** @param conn The accepted socket; the connection closes it. */
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
    return this.received + this.sent + this.forwarded;
  }

  /** Whose connection it is, for lines of the log. */
  get who(): Who {
    const { attempt, info: { id, listener }, peer: client, route } = this;
    return { client, id, listener, route, pool: attempt?.pool };
  }

  /** The client's address, for logs; until it is admitted that of the peer. */
  get peer(): string {
    return formatAddress(this.info.remoteAddr);
  }

  /**
   * Follows a coroutine: the connection is over when all of them have ended. An
   * error ends the connection.
   */
  follow(coroutine: Promise<void>): void {
    this.begin();
    coroutine.then(() => this.leave(), (error) => {
      this.fail(error);
      this.leave();
    });
  }

  /** Counts a coroutine that calls `leave` itself, which costs less than `follow`. */
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
   * Gives up the place of a connection whose try to connect cannot be cancelled.
   * That may take minutes, and keeps a descriptor until then; but neither a new
   * client nor who waits for the last connection to end waits for it.
   */
  #abandon(address: HostPort): void {
    this.context.slowRemotes.add(address);
    this.#giveUpPlace();
    // there is a place again
    this.context.descriptors.released();
  }

  /** Ends the connection after an error that should not be. */
  fail(error: unknown): void {
    this.context.log.error(
      "Cannot go on with the connection of {client} as there was an internal error: {error}",
      { ...this.who, error: describeError(error) },
    );
    this.end("internal-error");
  }

  /** Tells whether it has ended; a method, as any await may change it. */
  isClosed(): boolean {
    return this.stage === "closed";
  }

  /** Notes that the router has decided, and by which route, if it has a name. */
  decided(route: string | undefined): void {
    this.route = route ?? this.route ?? this.context.defaultRoute;
    this.context.statistics?.decided(this);
  }

  /**
   * Gives the part of the buffer to read into; the buffer doubles when it is
   * full. What was read before stays where it is.
   *
   * @param most How long `length` may become.
   * @returns Not empty if `most` is more than `length`.
   */
  freeSpace(most: number): Uint8Array {
    const { buffer, length } = this;
    if (length === buffer.length) {
      const bigger = new Uint8Array(length * 2);
      bigger.set(buffer);
      this.buffer = bigger;
      this.context.buffers.release(buffer);
    }
    const end = Math.min(this.buffer.length, most);
    return length === 0 && end === buffer.length
      ? buffer
      : this.buffer.subarray(length, end);
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
   * Sends bytes to the client; ends the connection if the client is gone.
   *
   * @returns Whether they were sent.
   */
  async reply(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) {
        const count = await this.client.write(bytes.subarray(at));
        this.sent += count;
        at += count;
      }
    } catch {
      this.end("client-reset");
    }
    return !this.isClosed();
  }

  /**
   * Waits until the stage may have changed. Called by the coroutine of the
   * client while the other one looks for a remote.
   */
  waitForStage(): Promise<void> {
    this.#gate ??= Promise.withResolvers<void>();
    return this.#gate.promise;
  }

  /** Enters a stage, unless the connection is closed, and wakes what waits for it. */
  enter(stage: Stage): void {
    if (this.stage !== "closed") this.stage = stage;
    this.#settle();
    this.wake();
  }

  /**
   * Waits for what a hook says, but not longer than it matters: a promise that
   * stays pending must not keep a connection that has gone on, or ended.
   *
   * @returns The value of that, or `undefined` as soon as the stage changes.
   */
  untilStage(said: unknown): Promise<unknown> {
    return (this.#undecided ??= new Undecided()).wait(said);
  }

  #settle(): void {
    this.#undecided?.giveUp();
    this.#undecided = undefined;
  }

  /** Wakes the coroutine of the client. */
  wake(): void {
    const gate = this.#gate;
    if (gate === undefined) return;
    this.#gate = undefined;
    gate.resolve();
  }

  /** Takes a connected remote; from now on the connection closes it. */
  attach(server: Socket): void {
    this.server = server;
    this.isForwarding = false;
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
   * fail and all coroutines end. Nothing happens if it has ended.
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
    this.clocks.watch(this.#halfCloseTime);
  }

  /** The decision's, or that of the option; 0 if its `idleTimeout` rules. */
  get #halfCloseTime(): number {
    const own = this.#serverOpen && this.stage !== "drain"
      ? this.halfCloseTimeout
      : undefined;
    return own ?? this.context.options.halfCloseTimeout;
  }

  /** Tells whether the clock that runs is that of the first byte of the remote. */
  get #firstByteIsDue(): boolean {
    return this.#serverOpen && !this.answered && !this.clientEnded &&
      !this.serverEnded && this.stage !== "drain";
  }

  /** The clock of the stage has expired. */
  expire(): void {
    if (this.stage === "preread" || this.stage === "admit") {
      return this.onStageTimeout?.(this);
    }
    if (this.#firstByteIsDue) {
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
