/**
 * How a worker looks names up.
 *
 * @module
 */
import { StubResolver } from "../net/dns_client.ts";
import type { Naming } from "../net/connect_named.ts";
import { FailedAddresses } from "../net/connect_to_any.ts";
import { type NameChange, type NameEvent, Names } from "../net/names.ts";
import type { SystemNames } from "../net/resolver_files.ts";
import { systemLookup, SystemResolver } from "../net/system_resolver.ts";
import type { NamesPlan } from "./messages.ts";

/** The names of one worker, and how the system looks names up. */
export class WorkerNames {
  readonly naming: Naming;
  #client: StubResolver | undefined;

  /**
   * @param plan Says what the system says, and what was known before.
   * @param changed Takes what has changed of a name.
   * @param count Counts what happens.
   */
  constructor(
    { hold, known, system }: NamesPlan,
    changed: (change: NameChange) => void,
    count: (event: NameEvent) => void,
  ) {
    const names = new Names({
      ...this.#resolving(system),
      systemLookup,
      hold,
      changed,
      count,
    });
    for (const [name, addresses] of known) names.recall(name, addresses);
    this.naming = { names, failed: new FailedAddresses() };
  }

  /** The files of the system have changed. */
  configure(system: SystemNames): void {
    this.#client?.close();
    this.naming.names.configure(this.#resolving(system));
  }

  #resolving({ hosts, resolver }: SystemNames) {
    if (resolver === undefined) {
      this.#client = undefined;
      // it reads the search list by itself
      const search = { search: [], ndots: 1 };
      return { client: new SystemResolver(), hosts, search };
    }
    const client = this.#client = new StubResolver(resolver);
    return { client, hosts, search: resolver };
  }
}

/**
 * Tells whether this thread may ask name servers, and connect to whatever
 * addresses they say: with the permission for some hosts only, it can connect
 * to these by their names alone.
 */
export function mayResolve(): boolean {
  return Deno.permissions.querySync({ name: "net" }).state === "granted";
}
