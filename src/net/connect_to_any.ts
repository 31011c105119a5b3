/**
 * Connecting to a name that has several addresses (RFC 8305).
 *
 * @module
 */
import { BoundedMap } from "../lib/bounded_map.ts";

/** Milliseconds between two tries that run at the same time (RFC 8305, 5). */
const STAGGER = 250;

/** Milliseconds for which an address that has failed is tried last. */
const AVOID = 60_000;

/** The most addresses that are remembered as having failed. */
const MAX_FAILED = 4096;

/** The most addresses of a name that are tried for one connection. */
const MAX_ADDRESSES = 64;

/** Addresses that could not be connected to lately. */
export class FailedAddresses {
  readonly #until: BoundedMap<number> = new BoundedMap(MAX_FAILED);
  readonly #now: () => number;

  /** @param now The present, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** It could not be connected to. */
  failed(address: string, port: number): void {
    this.#until.set(`${address} ${port}`, this.#now() + AVOID);
  }

  /** It was connected to. */
  works(address: string, port: number): void {
    if (this.#until.size > 0) this.#until.delete(`${address} ${port}`);
  }

  /** The same addresses; those that have failed lately are the last. */
  order(addresses: readonly string[], port: number): readonly string[] {
    if (this.#until.size === 0 || addresses.length < 2) return addresses;
    const now = this.#now();
    const isBad = (address: string) =>
      (this.#until.peek(`${address} ${port}`) ?? 0) > now;
    const bad = addresses.filter(isBad);
    return bad.length === 0
      ? addresses
      : [...addresses.filter((address) => !isBad(address)), ...bad];
  }
}

/** How to connect to one of several addresses. */
export interface AnyAddress<T> {
  /** At least one, in the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly port: number;
  /**
   * Tries one address.
   *
   * @param signal Gives the try up: another one was faster, or nobody waits.
   */
  readonly connect: (address: string, signal: AbortSignal) => Promise<T>;
  /** Closes what was connected to when it was not wanted any more. */
  readonly close: (connected: T) => void;
  /** Whether to try another address after an error would be in vain. */
  readonly isFinal: (error: unknown) => boolean;
  /** Learns which addresses fail. */
  readonly failed: FailedAddresses;
  /** Gives all tries up; its reason is what is thrown then. */
  readonly signal: AbortSignal;
  /** Milliseconds that all tries may take; each gets its turn within it. */
  readonly timeout: number | undefined;
}

/**
 * Tries the addresses one after the other, 250 ms apart, and at once when one
 * has failed. The first that is connected to wins; the other tries are given up.
 *
 * @param options The addresses, and how to try one.
 * @returns What the first successful try has returned; the caller closes it.
 * @throws The error of the last try that has failed, or the signal's reason.
 */
export function connectToAny<T>(options: AnyAddress<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    new Race(options, resolve, reject).start();
  });
}

/** The tries to connect to one name. */
class Race<T> {
  readonly #options: AnyAddress<T>;
  readonly #addresses: readonly string[];
  readonly #stagger: number;
  readonly #resolve: (connected: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #controllers: Set<AbortController> = new Set();
  readonly #onAbort = () => this.#lose(this.#options.signal.reason);
  /** The next address to try. */
  #at = 0;
  #isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    options: AnyAddress<T>,
    resolve: (connected: T) => void,
    reject: (error: unknown) => void,
  ) {
    const { addresses, timeout } = options;
    this.#options = options;
    this.#addresses = addresses.slice(0, MAX_ADDRESSES);
    // the last one gets as much time as the others
    const share = (timeout ?? Infinity) / (this.#addresses.length + 1);
    this.#stagger = Math.min(STAGGER, share);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { signal } = this.#options;
    if (signal.aborted) return this.#reject(signal.reason);
    signal.addEventListener("abort", this.#onAbort);
    this.#tryNext();
  }

  #tryNext(): void {
    clearTimeout(this.#timer);
    const address = this.#addresses[this.#at];
    if (address === undefined) return;
    this.#at++;
    void this.#try(address);
    if (this.#at < this.#addresses.length && !this.#isOver) {
      this.#timer = setTimeout(() => this.#tryNext(), this.#stagger);
    }
  }

  async #try(address: string): Promise<void> {
    const { connect, close, failed, isFinal, port } = this.#options;
    const controller = new AbortController();
    this.#controllers.add(controller);
    try {
      const connected = await connect(address, controller.signal);
      if (this.#isOver) return close(connected);
      failed.works(address, port);
      // those that were tried before have had more time
      const at = this.#addresses.indexOf(address);
      for (const tried of this.#addresses.slice(0, at)) {
        failed.failed(tried, port);
      }
      this.#end();
      this.#resolve(connected);
    } catch (error) {
      if (this.#isOver) return;
      this.#controllers.delete(controller);
      if (isFinal(error)) return this.#lose(error);
      failed.failed(address, port);
      if (this.#at < this.#addresses.length) this.#tryNext();
      else if (this.#controllers.size === 0) this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#reject(error);
  }

  /** No try goes on: those that are under way are given up. */
  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    for (const controller of this.#controllers) controller.abort();
  }
}
