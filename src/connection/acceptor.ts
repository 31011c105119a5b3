/**
 * Accepting connections.
 *
 * @module
 */
import { messageOf } from "../lib/errors.ts";
import type { Context } from "./connection.ts";
import { isExhausted } from "../lib/exhausted.ts";
import type { ListenOptions } from "../net/listen.ts";
import { serve } from "./serve.ts";

/** Milliseconds to wait after an error that may not come again. */
const PAUSE = 100;

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
   * socket file, which has no other worker to accept them, are accepted first;
   * the main thread sees to it that no more come.
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
            "Cannot accept more connections as at most {limit} may be open (--max-connections, or the file descriptors): more clients wait",
            { limit: gauges.limit, listener: this.#options.name },
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
    log.error("Cannot accept a connection: {error}", {
      error: messageOf(error),
      listener: this.#options.name,
    });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Tells whether the client has reset its connection while it was in the queue. */
function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ECONNABORTED" || code === "ENOTCONN";
}

/**
 * Counts and logs a connection that its client has reset while it was in the
 * queue of the listener: the runtime has closed it, and its address is unknown.
 * Gives back the place that was reserved.
 */
function countGone({ accessLog, gauges, statistics }: Context): void {
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
