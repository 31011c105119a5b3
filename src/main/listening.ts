/**
 * The listeners as the main thread has them: TCP sockets are shared by all
 * workers, a socket file is served by one of them.
 *
 * @module
 */
import { StartError } from "../lib/start_error.ts";
import { formatAddress, type HostPort } from "../net/address.ts";
import {
  type Bind,
  type ListenOptions,
  listenShared,
  type TcpListenOptions,
} from "../net/listen.ts";
import { messageOf } from "../lib/errors.ts";
import { boundAddress, type Opened } from "./known_listeners.ts";
import {
  type SocketFile,
  socketFile,
  type SocketFiles,
} from "./socket_files.ts";

/** A listener, as a line of the log tells it. */
export interface OpenListener {
  /** The address, with the port that it got. */
  readonly listener: string;
  /** How many workers accept from it. */
  readonly workers: number;
}

/** Takes all addresses before there are workers, and hands them over. */
export class Listening {
  readonly #listen: readonly ListenOptions[];
  readonly #workers: number;
  readonly #files: SocketFiles;
  readonly #tcp: readonly TcpListenOptions[];
  readonly #sockets: readonly SocketFile[];
  /** Keep the shared sockets open until the workers have their own. */
  readonly #shared = new Map<TcpListenOptions, Deno.TcpListener>();

  constructor(
    listen: readonly ListenOptions[],
    workers: number,
    files: SocketFiles,
  ) {
    this.#listen = listen;
    this.#workers = workers;
    this.#files = files;
    this.#tcp = listen.filter((one): one is TcpListenOptions =>
      !("path" in one)
    );
    this.#sockets = listen.filter((one) => "path" in one).map(socketFile);
  }

  /** Where the workers make socket files. */
  get bindPaths(): readonly string[] {
    return this.#sockets.map(({ bindPath }) => bindPath);
  }

  /**
   * Finds out that all addresses are free, and takes them.
   *
   * @throws {StartError} If one is not; `close` is to be called then, too.
   */
  async open(): Promise<void> {
    this.openShared();
    for (const { options } of this.#sockets) {
      await orStartError(options, () => this.#files.check(options));
    }
  }

  /**
   * Takes the addresses that all workers share.
   *
   * @throws {StartError} If one is not free.
   */
  openShared(): void {
    for (const options of this.#tcp) {
      if (this.#shared.has(options)) continue;
      try {
        this.#shared.set(options, listenShared(options));
      } catch (error) {
        throw listenError(options, error);
      }
    }
  }

  /**
   * Says what a worker is to listen on, and makes room for its socket files.
   *
   * @param slot The place of the worker, counted from 0.
   * @throws {StartError} If a socket file cannot be made.
   */
  hand(slot: number): readonly Bind[] {
    const own = this.#of(slot);
    for (const socket of own) {
      try {
        this.#files.prepare(socket);
      } catch (error) {
        throw listenError(socket.options, error);
      }
    }
    return [
      ...this.#tcp,
      ...own.map(({ options, bindPath }) => ({ ...options, bindPath })),
    ];
  }

  /**
   * Lets clients connect to the socket files that workers have made.
   *
   * @throws {StartError} If something else has come to a path meanwhile.
   */
  async publish(slots: readonly number[]): Promise<void> {
    const sockets = slots.flatMap((slot) => this.#of(slot));
    // all of them or none
    for (const { options } of sockets) {
      await orStartError(options, () => this.#files.check(options));
    }
    for (const socket of sockets) {
      await orStartError(socket.options, () => this.#files.publish(socket));
      this.#files.tidy(socket);
    }
  }

  /** The listeners, for the log. */
  describe(): OpenListener[] {
    const { addresses } = this;
    return this.#listen.map((options, index) => ({
      listener: addresses[index] ?? "",
      workers: "path" in options ? 1 : this.#workers,
    }));
  }

  /** The address of each listener, with the port that it got, while it is open. */
  get addresses(): string[] {
    return this.#listen.map((options) =>
      formatAddress(
        "path" in options
          ? options
          : this.#shared.get(options)?.addr as HostPort,
      )
    );
  }

  /** What was bound, by which own listeners are recognised; while it is open. */
  get opened(): Opened {
    return {
      tcp: [...this.#shared.values()]
        .map(({ addr }) => boundAddress(addr as HostPort)),
      paths: this.#sockets
        .flatMap(({ bindPath, options }) => [bindPath, options.path]),
    };
  }

  /** Gives up what the workers have by now. */
  close(): void {
    for (const listener of this.#shared.values()) listener.close();
    this.#shared.clear();
    for (const socket of this.#sockets) this.#files.tidy(socket);
  }

  /** The socket files that a worker serves. */
  #of(slot: number): readonly SocketFile[] {
    return this.#sockets.filter((_, index) => index % this.#workers === slot);
  }
}

async function orStartError(
  options: ListenOptions,
  action: () => Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw listenError(options, error);
  }
}

function listenError(options: ListenOptions, error: unknown): StartError {
  const reason = error instanceof Deno.errors.AddrInUse
    ? "another program listens there, or this one at an address that includes it"
    : messageOf(error);
  return new StartError(
    `Cannot listen on ${formatAddress(options)}: ${reason}`,
    { cause: error },
  );
}
