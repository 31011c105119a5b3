/**
 * What the workers know of names: it is kept for the workers that come after
 * them, and the log gets one line when a name begins to go without an answer,
 * and one when that ends, however many workers say so.
 *
 * @module
 */
import { BoundedMap } from "../lib/bounded_map.ts";
import type { Log } from "../log/log.ts";
import type { NameChange } from "../net/names.ts";
import type { SystemNames } from "../net/resolver_files.ts";
import type { NamesPlan } from "../worker/messages.ts";
import { SystemNamesFiles } from "./system_names.ts";

/** The most names that are kept. */
const MAX_NAMES = 10_000;

/** The names of all workers. */
export class KnownNames {
  readonly #files: SystemNamesFiles;
  readonly #log: () => Log;
  readonly #known: BoundedMap<NameChange> = new BoundedMap(MAX_NAMES);

  /**
   * @param log Finds the log.
   * @param changed Is called when the files of the system have changed.
   */
  constructor(log: () => Log, changed: (system: SystemNames) => void) {
    this.#log = log;
    this.#files = new SystemNamesFiles(changed);
  }

  /**
   * Says how a new worker is to look names up.
   *
   * @param hold Milliseconds for which the last known addresses hold.
   */
  plan(hold: number): NamesPlan {
    const known: [string, readonly string[]][] = [];
    for (const { name, addresses } of this.#known.values()) {
      if (addresses.length > 0) known.push([name, addresses]);
    }
    return { system: this.#files.current, hold, known };
  }

  /** A worker has learned something. */
  learn(change: NameChange): void {
    const { name, error, addresses } = change;
    const before = this.#known.get(name);
    this.#known.set(name, change);
    if (error !== undefined && before?.error === undefined) {
      this.#log().warn(
        "The last known addresses of {name} hold, {addresses}, as it cannot be looked up: {error}",
        { name, addresses: addresses.join(" "), error },
      );
    } else if (error === undefined && before?.error !== undefined) {
      this.#log().info("{name} can be looked up again: {addresses}", {
        name,
        addresses: addresses.join(" ") || "it does not exist",
      });
    }
  }

  /** Looks at the files of the system no more. */
  close(): void {
    this.#files.close();
  }
}
