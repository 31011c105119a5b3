/**
 * The pools of the router of a generation, and what it says about tables in
 * Redis: the memory that its workers share.
 *
 * @module
 */
import {
  giveBack,
  isSame,
  lend,
  type PoolMemory,
  type PoolReport,
  type SharedPool,
  sharePools,
} from "../pool/main_thread.ts";
import { Notices } from "../redis/notices.ts";
import type { Serve } from "../worker/messages.ts";
import { WorkerError } from "./worker_thread.ts";

/** A worker, as far as it matters here. */
interface PoolUser {
  /** The pools that its router has made. */
  readonly pools: readonly PoolReport[];
}

/** Lends each worker of a generation what all of them share. */
export class GenerationPools {
  readonly #router: string;
  #pools: readonly SharedPool[] = [];
  readonly #notices = new SharedArrayBuffer(Notices.BYTES);
  readonly #lent = new WeakMap<PoolUser, readonly PoolMemory[]>();

  /** @param router What the operator calls the router. */
  constructor(router: string) {
    this.#router = router;
  }

  /** The pools; none before `share`. */
  get all(): readonly SharedPool[] {
    return this.#pools;
  }

  /**
   * Makes the memory of the pools that all workers say they have.
   *
   * @param before The pools of the generation before.
   * @throws {WorkerError} If they do not have the same.
   */
  share(workers: readonly PoolUser[], before: readonly SharedPool[]): void {
    const pools = sharePools(workers.map(({ pools }) => pools), before);
    if (pools === undefined) throw this.#differ();
    this.#pools = pools;
  }

  /**
   * Makes sure that one more worker has the same pools.
   *
   * @throws {WorkerError} If it has others.
   */
  check({ pools }: PoolUser): void {
    if (!isSame(pools, this.#pools)) throw this.#differ();
  }

  /** Makes what a worker needs to serve. */
  lendTo(worker: PoolUser): Pick<Serve, "pools" | "notices"> {
    const pools = this.#pools.map(lend);
    this.#lent.set(worker, pools);
    return { pools, notices: this.#notices };
  }

  /** Takes back what a worker, which has ended, still held. */
  takeBack(worker: PoolUser): void {
    this.#lent.get(worker)?.forEach(giveBack);
  }

  #differ(): WorkerError {
    return new WorkerError(
      `Cannot use the router ${this.#router} as it must make the same pools in every worker`,
    );
  }
}
