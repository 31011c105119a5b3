/**
 * What a connection may be connected to, one after the other.
 *
 * @module
 */
import type { Target } from "./remote.ts";

/** A list of remotes, or a pool. After each `next` one other method is called. */
export interface Candidates {
  /** The name of the pool, if they are of one. */
  readonly pool?: string;
  /** Takes the next remote to try; `undefined` if there is none. */
  next(): Target | undefined;
  /**
   * It could not be connected to.
   *
   * @returns Whether there is another that was not tried: at once, then.
   */
  failed(error: Error): boolean;
  /**
   * Another try would fail, too, so it is left out from now on: the router may
   * not connect to it, or its TLS handshake failed.
   *
   * @returns Whether there is another.
   */
  leftOut(error: Error): boolean;
  /** The try has ended for another reason, and is not counted. */
  returned(): void;
  /** It is connected. The result is told what becomes of it. */
  connected(): Lease | undefined;
}

/** A remote that a connection has. */
export interface Lease {
  /** It left, or was left, before it sent a byte. */
  failed(error: Error): void;
  /** It has sent its first byte. */
  answered(): void;
  /** The connection with it is over. Called once, after the others. */
  release(): void;
}

/** A list of remotes: each once, in order, then round and round. */
export class RemoteList implements Candidates {
  #targets: readonly Target[];
  #at = 0;
  #untried: number;

  /** @param targets At least one. */
  constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#untried = targets.length;
  }

  next(): Target | undefined {
    return this.#targets[this.#at];
  }

  failed(): boolean {
    this.#at = (this.#at + 1) % this.#targets.length;
    return --this.#untried > 0;
  }

  leftOut(): boolean {
    const remote = this.#targets[this.#at]?.remote;
    this.#targets = this.#targets.filter((other) => other.remote !== remote);
    this.#at %= Math.max(this.#targets.length, 1);
    this.#untried--;
    return this.#targets.length > 0;
  }

  returned(): void {}

  connected(): undefined {}
}
