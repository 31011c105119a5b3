/**
 * Accepting connections.
 *
 * @module
 */
import { type Context, countGone, serve } from "./connection.ts";
import { isExhausted } from "./descriptors.ts";

/** Milliseconds to wait after an error that waiting may cure. */
const PAUSE = 100;

/** Who may send a header of the PROXY protocol: anyone, or some networks. */
export type AcceptProxy = true | readonly string[];

/** Where to listen, and how connections begin there. */
export interface ListenOptions {
  /** What routers call the listener. */
  readonly name: string;
  /** A host name or an IP address. */
  readonly hostname: string;
  /** 0 for any port that is free. */
  readonly port: number;
  /**
   * Every connection begins with a header of the PROXY protocol; `true` from
   * any peer, otherwise from these networks (CIDR) only.
   *
   * @default no header
   */
  readonly acceptProxy?: AcceptProxy | undefined;
}

/**
 * Listens on a socket that all threads of the process share: whoever listens
 * on the same address (port 0 included) accepts from the same queue.
 *
 * @param options Where to listen; the rest does not matter.
 * @returns A listener; the shared socket is closed with the last of them.
 * @throws {Deno.errors.AddrInUse} If another process listens there.
 */
export function listenShared(options: ListenOptions): Deno.TcpListener {
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
  readonly #listener: Deno.TcpListener;
  readonly #options: ListenOptions;
  #stopped = false;

  /**
   * @param context What its connections share.
   * @param listener Closed by `stop`.
   * @param options What `listener` was made from.
   */
  constructor(
    context: Context,
    listener: Deno.TcpListener,
    options: ListenOptions,
  ) {
    this.#context = context;
    this.#listener = listener;
    this.#options = options;
  }

  /** Stops accepting; connections that were accepted go on. */
  stop(): void {
    if (this.#stopped) return;
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
    while (!this.#stopped) {
      descriptors.recover();
      if (!gauges.reserve()) {
        if (gauges.mayWarn()) {
          log.warn(
            `Cannot accept more connections as at most ${gauges.limit} may be open (--max-connections, or the file descriptors): more clients wait`,
          );
        }
        await descriptors.freed();
        continue;
      }
      let client;
      try {
        client = await this.#listener.accept();
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
      `Cannot accept a connection: ${
        error instanceof Error ? error.message : error
      }`,
    );
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Tells whether the client has reset its connection while it was in the queue. */
function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ECONNABORTED" || code === "ENOTCONN";
}
