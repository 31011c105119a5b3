/**
 * Accepting connections.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { type Context, countGone, serve } from "./connection.ts";
import { isExhausted } from "./descriptors.ts";
import type { ListenTls } from "./tls_server.ts";

/** Milliseconds to wait after an error that waiting may cure. */
const PAUSE = 100;

/** Who may send a header of the PROXY protocol: anyone, or some networks. */
export type AcceptProxy = true | readonly string[];

/** Where to listen, and how connections begin there. */
export type ListenOptions = TcpListenOptions | UnixListenOptions;

/** What listeners of all kinds have. */
export interface CommonListenOptions {
  /** What routers call the listener. */
  readonly name: string;
  /**
   * Every connection begins with a header of the PROXY protocol; `true` from
   * any peer, otherwise from these networks (CIDR) only.
   *
   * @default no header
   */
  readonly acceptProxy?: AcceptProxy | undefined;
  /**
   * Connections speak TLS, which ends here.
   *
   * @default what clients send is routed as it is
   */
  readonly tls?: ListenTls | undefined;
}

/** A TCP socket. */
export interface TcpListenOptions extends CommonListenOptions {
  /** A host name or an IP address. */
  readonly hostname: string;
  /** 0 for any port that is free. */
  readonly port: number;
}

/** A socket file. */
export interface UnixListenOptions extends CommonListenOptions {
  /** An absolute path. */
  readonly path: string;
  /**
   * The permissions of the file, of which writing is what clients need.
   *
   * @default what the umask leaves
   */
  readonly mode?: number | undefined;
}

/** What a worker is to listen on. */
export type Bind =
  | TcpListenOptions
  /** The worker makes the socket file there, and the main thread moves it. */
  | UnixListenOptions & { readonly bindPath: string };

/**
 * Listens.
 *
 * @param options A TCP socket, which is shared with all threads that listen
 * there; or a socket file, which is for this thread alone.
 * @returns A listener. Closing it removes nothing: the file has been moved.
 */
export function listen(
  options: Bind,
): Deno.TcpListener | Deno.UnixListener {
  return "path" in options
    ? Deno.listen({ transport: "unix", path: options.bindPath })
    : listenShared(options);
}

/**
 * Listens on a socket that all threads of the process share: whoever listens
 * on the same address (port 0 included) accepts from the same queue.
 *
 * @param options Where to listen; the rest does not matter.
 * @returns A listener; the shared socket is closed with the last of them.
 * @throws {Deno.errors.AddrInUse} If another process listens there.
 */
export function listenShared(options: TcpListenOptions): Deno.TcpListener {
  // `loadBalanced` is what `deno serve --parallel` uses; it is missing from the
  // public types. It clones the socket of the thread that was first.
  const shared: Deno.TcpListenOptions & { loadBalanced: boolean } = {
    hostname: options.hostname,
    port: options.port,
    loadBalanced: true,
  };
  return Deno.listen(shared);
}

/** Accepts connections until it is stopped. */
export class Acceptor {
  readonly #context: Context;
  readonly #listener: Deno.TcpListener | Deno.UnixListener;
  readonly #options: ListenOptions;
  #running = false;
  #stopping = false;
  #stopped = false;
  /** Whether there is no connection to accept. */
  #waiting = false;
  #accepted = 0;

  /**
   * @param context What its connections share.
   * @param listener Closed by `stop`.
   * @param options What `listener` was made from.
   */
  constructor(
    context: Context,
    listener: Deno.TcpListener | Deno.UnixListener,
    options: ListenOptions,
  ) {
    this.#context = context;
    this.#listener = listener;
    this.#options = options;
  }

  /**
   * Stops accepting; connections that were accepted go on. Those that wait at a
   * socket file, which has no other worker to accept them, are accepted still;
   * that no more come is up to the main thread.
   */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if ("path" in this.#options && this.#running) this.#closeWhenQuiet();
    else this.#close();
  }

  #closeWhenQuiet(): void {
    const before = this.#accepted;
    setTimeout(() => {
      if (this.#waiting && this.#accepted === before) this.#close();
      else this.#closeWhenQuiet();
    }, PAUSE);
  }

  #close(): void {
    this.#stopped = true;
    this.#listener.close();
  }

  /**
   * Accepts and serves connections.
   *
   * @returns A promise that resolves when it was stopped; it never rejects.
   */
  async run(): Promise<void> {
    const { descriptors, gauges, log } = this.#context;
    this.#running = true;
    while (!this.#stopped) {
      this.#waiting = false;
      descriptors.recover();
      if (!gauges.reserve()) {
        if (gauges.mayAsk()) {
          this.#context.onFull();
        } else if (gauges.mayWarn()) {
          log.warn(
            `Cannot accept more connections as at most ${gauges.limit} may be open (--max-connections, or the file descriptors): more clients wait`,
          );
        }
        await descriptors.freed();
        continue;
      }
      let client;
      this.#waiting = true;
      try {
        client = await this.#listener.accept();
        this.#accepted++;
      } catch (error) {
        if (isGone(error)) {
          countGone(this.#context);
        } else {
          gauges.unreserve();
          if (!this.#stopped) await this.#failed(error);
        }
        continue;
      }
      serve(this.#context, client, this.#options);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { descriptors, log } = this.#context;
    if (isExhausted(error)) {
      descriptors.exhausted();
      return await descriptors.freed();
    }
    log.error(
      `Cannot accept a connection: ${messageOf(error)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Tells whether the client has reset its connection while it was in the queue. */
function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ECONNABORTED" || code === "ENOTCONN";
}
