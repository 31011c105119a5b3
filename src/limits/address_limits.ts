/**
 * Limits that hold for each client address: how many connections it may have,
 * and how fast they may come.
 *
 * @module
 */
import type { Counter } from "../stats/counters.ts";
import type { Fields, Log } from "../log/log.ts";
import { type AddressKey, addressKey, describeGroup } from "./address_key.ts";
import { AddressTable, type Rate } from "./address_table.ts";

/** What each address may do. */
export interface AddressOptions {
  /** Connections at a time; 0 for no limit. */
  readonly maxConnectionsPerIp: number;
  /** New connections; `undefined` for no limit. */
  readonly rateLimit: Rate | undefined;
}

/** The memory that the threads share. */
export interface SharedAddresses {
  /** Of the {@linkcode AddressTable}. */
  readonly table: SharedArrayBuffer;
  /** In which this worker notes what it has counted. */
  readonly ledger: SharedArrayBuffer;
}

/** Why a client was refused. */
export type Refusal = "too-many-from-address" | "rate-limited";

/** The limits, as one worker applies them. */
export class AddressLimits {
  readonly #options: AddressOptions;
  readonly #table: AddressTable;
  readonly #secret: readonly [number, number];
  readonly #log: Log;
  readonly #count: (name: Counter) => void;

  /**
   * @param log Is told, now and then, who is refused.
   * @param count Counts what no connection tells by its end.
   */
  constructor(
    options: AddressOptions,
    shared: SharedAddresses,
    log: Log,
    count: (name: Counter) => void,
  ) {
    this.#options = options;
    this.#table = new AddressTable(shared.table, shared.ledger);
    this.#secret = this.#table.secret;
    this.#log = log;
    this.#count = count;
  }

  /**
   * Counts a connection of an address.
   *
   * @returns Where it is counted, for `leave`; `undefined` if it is not, as
   * there is no place in the table; or why it is refused.
   */
  enter(hostname: string): number | Refusal | undefined {
    const key = addressKey(hostname, this.#secret);
    if (key === undefined) return undefined;
    const { maxConnectionsPerIp, rateLimit } = this.#options;
    const entry = this.#table.enter(
      key,
      maxConnectionsPerIp || Infinity,
      rateLimit,
    );
    switch (entry) {
      case "too-many":
        this.#warn(
          key,
          "Refusing connections of {address} as it may have at most --max-connections-per-ip: current value is {limit}{note}",
          () => ({
            address: describeGroup(hostname),
            limit: maxConnectionsPerIp,
          }),
        );
        return "too-many-from-address";
      case "too-fast":
        this.#warn(
          key,
          "Refusing connections of {address} as they come faster than --rate-limit: current value is {limit}{note}",
          () => ({
            address: describeGroup(hostname),
            limit: `${rateLimit?.perSecond}:${rateLimit?.burst}`,
          }),
        );
        return "rate-limited";
      case "full":
        this.#count("address-table-full");
        this.#warn(
          undefined,
          "Cannot count the connections of some addresses as there are too many addresses: those have no limit{note}",
        );
        return undefined;
    }
    return entry;
  }

  /**
   * Takes a connection off its address.
   *
   * @param place What `enter` has returned, once.
   */
  leave(place: number): void {
    this.#table.leave(place);
  }

  /** Logs that an address is refused, but not too often. */
  #warn(
    key: AddressKey | undefined,
    text: `${string}{note}`,
    fields?: () => Fields,
  ): void {
    const left = this.#table.mayWarn(key);
    if (left === undefined) return;
    const note = left > 0
      ? ""
      : " (no more such lines in this minute: see the access log)";
    this.#log.warn(text, { ...fields?.(), note });
  }
}
