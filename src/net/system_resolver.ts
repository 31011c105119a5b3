/**
 * Names by the runtime's own resolver, for programs that may not read
 * `/etc/resolv.conf`.
 *
 * It follows the file by itself, and needs the permission `net` alone; but it
 * says the same of a name that does not exist and of a name server that has
 * failed, and knows no time to live of SRV records.
 *
 * @module
 */
import { lookup, Resolver } from "node:dns/promises";
import type { DnsClient } from "./dns_client.ts";
import type { Answer, RecordType } from "./dns_message.ts";

/** Milliseconds for one try, and how many there are. */
const TIMEOUT = 2000;
const TRIES = 2;

/** Seconds that an answer without a time to live holds. */
const SERVICE_TTL = 10;

/** What the runtime says of a name that has no such record; or when it failed. */
const NOTHING: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA"]);

/** Asks the runtime. */
export class SystemResolver implements DnsClient {
  readonly #resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES });

  async query(name: string, type: RecordType): Promise<Answer> {
    try {
      return type === "SRV"
        ? await this.#services(name)
        : await this.#addresses(name, type);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (NOTHING.has(code)) return { kind: "unknown" };
      return { kind: "failed", error: String(code ?? error) };
    }
  }

  async #addresses(name: string, type: "A" | "AAAA"): Promise<Answer> {
    const records = type === "A"
      ? await this.#resolver.resolve4(name, { ttl: true })
      : await this.#resolver.resolve6(name, { ttl: true });
    return {
      kind: "found",
      addresses: records.map(({ address }) => address),
      services: [],
      additional: new Map(),
      ttl: Math.min(...records.map(({ ttl }) => ttl)),
    };
  }

  async #services(name: string): Promise<Answer> {
    const records = await this.#resolver.resolveSrv(name);
    return {
      kind: "found",
      addresses: [],
      services: records.map(({ name, ...record }) => ({
        ...record,
        target: name,
      })),
      additional: new Map(),
      ttl: SERVICE_TTL,
    };
  }
}

/** The most names that the system looks up at once, as each blocks a thread. */
const MAX_LOOKUPS = 2;
let lookups = 0;

/**
 * Looks a name up as all programs do, by `/etc/hosts` and whatever else
 * `/etc/nsswitch.conf` names (getaddrinfo(3)).
 *
 * @returns Its addresses; none if it does not exist, or too many look-ups are
 * under way.
 */
export async function systemLookup(name: string): Promise<readonly string[]> {
  if (lookups >= MAX_LOOKUPS) return [];
  lookups++;
  try {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address);
  } finally {
    lookups--;
  }
}
