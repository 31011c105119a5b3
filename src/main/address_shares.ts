/**
 * The limits per client address, as the main thread sees them.
 *
 * @module
 */
import type { AddressOptions } from "../limits/address_limits.ts";
import { AddressTable } from "../limits/address_table.ts";
import type { Serve } from "../worker/messages.ts";

/** Gives all workers, of whatever generation, the same table of addresses. */
export class AddressShares {
  #table: AddressTable | undefined;

  /**
   * Gives a worker its part.
   *
   * @param ended Resolves when it has ended: what it still counts by then is
   * given back.
   * @returns What the worker needs; `undefined` if there are no limits.
   */
  share(options: AddressOptions, ended: Promise<unknown>): Serve["addresses"] {
    if (options.maxConnectionsPerIp === 0 && options.rateLimit === undefined) {
      return undefined;
    }
    const table = this.#table ??= new AddressTable();
    const ledger = AddressTable.ledger();
    void ended.then(() => table.giveBack(ledger));
    return { options, table: table.shared, ledger };
  }
}
