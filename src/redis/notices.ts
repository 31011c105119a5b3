/**
 * Lines that are to be said once, although every worker sees what they are
 * about.
 *
 * @module
 */
import type { Log } from "../log/log.ts";

/** What is wrong with a table: nothing, Redis is away, or it refuses. */
export type Trouble = 0 | 1 | 2;

/** The most tables of a router. */
export const MAX_TABLES = 64;

/** Who says something about tables, and what the workers have said already. */
export class Notices {
  readonly log: Pick<Log, "error" | "warn" | "info">;
  readonly #said: Int32Array;

  /**
   * @param log Gets the lines.
   * @param shared What all workers share, of {@linkcode Notices.BYTES} bytes;
   * `undefined` if there is only one.
   */
  constructor(
    log: Pick<Log, "error" | "warn" | "info">,
    shared: SharedArrayBuffer | undefined,
  ) {
    this.log = log;
    this.#said = new Int32Array(
      shared ?? new SharedArrayBuffer(Notices.BYTES),
    );
  }

  /** How many bytes the workers share. */
  static readonly BYTES: number = MAX_TABLES * Int32Array.BYTES_PER_ELEMENT;

  /**
   * Notes what is wrong with a table.
   *
   * @param table Its number.
   * @param trouble What is wrong.
   * @returns What was wrong before, as far as any worker has noted it; if that
   * is the same, it has been said.
   */
  note(table: number, trouble: Trouble): Trouble {
    return Atomics.exchange(this.#said, table, trouble) as Trouble;
  }
}
