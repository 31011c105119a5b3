/**
 * The addresses of names, which outlive their name servers.
 *
 * Each worker has one of these. A name is asked for once per time to live,
 * however many connections want it, and again before that is over while it is in
 * use. When nobody answers, the last known addresses hold (RFC 8767). Nothing
 * here blocks a thread: names that nobody answers hold up no other name.
 *
 * @module
 */
import { BoundedMap } from "../lib/bounded_map.ts";
import type { DnsClient } from "./dns_client.ts";
import type { Answer } from "./dns_message.ts";
import {
  Entry,
  FAMILIES,
  type Family,
  type Found,
  localAddresses,
  splitFamilies,
} from "./name_entry.ts";
import {
  type Hosts,
  type ResolverConfig,
  searchNames,
} from "./resolver_files.ts";

/** What {@linkcode Names} needs. */
export interface NamesOptions {
  /** Asks the name servers. */
  readonly client: DnsClient;
  /** How names with few dots are completed. */
  readonly search: Pick<ResolverConfig, "search" | "ndots">;
  /** `/etc/hosts`; `undefined` if it may not be read. */
  readonly hosts: Hosts | undefined;
  /**
   * Looks a name up as the system does. Asked once for a name that the name
   * servers do not know, where there are no {@linkcode NamesOptions.hosts}.
   *
   * @returns Its addresses, none if it does not exist; may reject.
   */
  readonly systemLookup: (name: string) => Promise<readonly string[]>;
  /** Milliseconds for which the last known addresses hold without an answer. */
  readonly hold: number;
  /** Is told what has changed of a name: its addresses, or whether it fails. */
  readonly changed: (change: NameChange) => void;
  /** Counts what happens. */
  readonly count: (event: NameEvent) => void;
  /** The present, in milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** What has changed of a name. */
export interface NameChange {
  readonly name: string;
  /** The last known addresses. */
  readonly addresses: readonly string[];
  /** Why there is no answer; `undefined` if there is one. */
  readonly error: string | undefined;
}

/** What is known of a name, for those who want to see it. */
export interface NameStatus {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Seconds since the addresses were last confirmed. */
  readonly age: number;
  /** Seconds until it is asked for again; negative if that is overdue. */
  readonly expires: number;
  /** Why the last look-up has failed, as long as none has succeeded since. */
  readonly error: string | undefined;
}

/** What is counted: look-ups by what came of them, and uses of old addresses. */
export type NameEvent =
  /** There were addresses. */
  | "lookups-found"
  /** The name does not exist, or has no address. */
  | "lookups-missing"
  /** Nobody has answered, or nobody could. */
  | "lookups-failed"
  /** A connection was given addresses that had expired. */
  | "stale-addresses";

/** The most names that are remembered; those not used for long go first. */
const MAX_NAMES = 10_000;

/** Milliseconds that an answer holds, at least and at most. */
const MIN_TTL = 1000;
const MAX_TTL = 300_000;

/** Milliseconds that an answer of the system's own look-up holds. */
const SYSTEM_TTL = 10_000;

/** Milliseconds that a second family of addresses is waited for (RFC 8305, 3). */
const RESOLUTION_DELAY = 50;

/** Milliseconds that a connection waits before it takes expired addresses. */
const STALE_DELAY = 50;

/** Milliseconds without an answer after which a name counts as failing. */
const LATE = 1000;

/** Milliseconds between two look-ups of a name that fail. */
const RETRY = 1000;

/** Milliseconds for which a family is not asked for when only the other one is answered. */
const SILENCE = 30_000;

/** The part of the time to live after which a used name is asked for again. */
const REFRESH = 0.9;

/** What is taken for the answer of a family that nobody answers. */
const SILENT: Answer = { kind: "failed", error: "no answer" };

/** The name does not exist, or has no address: to try again is in vain. */
export class NoSuchName extends Error {
  override readonly name = "NoSuchName";
}

/** Looks names up, and remembers what they were. */
export class Names {
  #options: NamesOptions;
  readonly #now: () => number;
  readonly #entries: BoundedMap<Entry> = new BoundedMap(MAX_NAMES);
  readonly #pending: Set<Promise<void>> = new Set();

  /** @param options What it needs. */
  constructor(options: NamesOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Finds the addresses of a name.
   *
   * @param host A host name, in any case, with or without a dot at its end.
   * @returns At least one address, in the order in which they are to be tried:
   * at once for a name that is known.
   * @throws {NoSuchName} If it does not exist, by the promise.
   * @throws {Error} If nobody has answered, and nothing is known.
   */
  lookup(host: string): readonly string[] | Promise<readonly string[]> {
    let entry = this.#entries.get(host);
    if (entry === undefined) {
      entry = new Entry(host.toLowerCase());
      this.#entries.set(host, entry);
    }
    const now = this.#now();
    if (now < entry.expires) {
      if (now >= entry.refreshAt) this.#refresh(entry, now);
      return entry.rotated();
    }
    return this.#lookupExpired(entry, now);
  }

  /**
   * Takes what the system says anew: each name is asked for again when it is
   * used next, and the last known addresses hold until there is an answer.
   */
  configure(
    changes: Pick<NamesOptions, "client" | "search" | "hosts">,
  ): void {
    this.#options = { ...this.#options, ...changes };
    const now = this.#now();
    for (const entry of this.#entries.values()) {
      entry.expires = Math.min(entry.expires, now);
      entry.retryAt = entry.missingUntil = -Infinity;
    }
  }

  /**
   * Takes addresses over that were known before this worker: they serve when
   * nobody answers.
   */
  recall(name: string, addresses: readonly string[]): void {
    const entry = new Entry(name);
    const { A, AAAA } = splitFamilies(addresses);
    entry.learn("A", A);
    entry.learn("AAAA", AAAA);
    entry.expires = entry.confirmed = this.#now();
    this.#entries.set(name, entry);
  }

  /** Lists what is known, for a page; at most `most` names. */
  status(most: number): readonly NameStatus[] {
    const now = this.#now();
    const list: NameStatus[] = [];
    for (const entry of this.#entries.values()) {
      if (list.length === most) break;
      list.push({
        name: entry.name,
        addresses: entry.addresses,
        age: (now - entry.confirmed) / 1000,
        expires: (entry.expires - now) / 1000,
        error: entry.error,
      });
    }
    return list;
  }

  /** Waits until no look-up is under way. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async #lookupExpired(entry: Entry, now: number): Promise<readonly string[]> {
    if (now < entry.missingUntil) throw missing(entry);
    this.#refresh(entry, now);
    const { pending } = entry;
    const holds = entry.addresses.length > 0 &&
      now < entry.expires + this.#options.hold;
    if (pending !== undefined) {
      await (holds
        ? atMost(pending, entry.askedAt + STALE_DELAY - now)
        : pending);
    }
    if (this.#now() < entry.missingUntil) throw missing(entry);
    if (entry.addresses.length > 0 && (holds || this.#now() < entry.expires)) {
      if (this.#now() >= entry.expires) this.#options.count("stale-addresses");
      return entry.rotated();
    }
    throw new Error(
      `no name server has answered for ${entry.name}: ${
        entry.error ?? "no answer"
      }`,
    );
  }

  #refresh(entry: Entry, now: number): void {
    if (entry.pending !== undefined || now < entry.retryAt) return;
    const late = setTimeout(() => this.#fails(entry, "no answer yet"), LATE);
    entry.askedAt = now;
    entry.retryAt = now + RETRY;
    const { promise: published, resolve: publish } = Promise.withResolvers<
      void
    >();
    entry.pending = published;
    const asking = this.#ask(entry, publish).finally(() => {
      clearTimeout(late);
      entry.pending = undefined;
      publish();
      this.#pending.delete(asking);
    });
    this.#pending.add(asking);
  }

  /**
   * Asks for a name: each name that the search list makes of it, until one
   * exists.
   *
   * @param published Is called as soon as there are addresses to go on with.
   */
  async #ask(entry: Entry, published: () => void): Promise<void> {
    const { hosts, search } = this.#options;
    const own = hosts?.get(withoutDot(entry.name)) ??
      localAddresses(entry.name);
    if (own !== undefined) {
      return this.#found(entry, splitFamilies(own), MAX_TTL);
    }
    let ttl = Infinity;
    let failure: string | undefined;
    let isUnsure = false;
    for (const name of searchNames(entry.name, search)) {
      const answers = await this.#askBoth(entry, name, published);
      if (answers.some(({ kind }) => kind === "found")) return;
      for (const answer of answers) {
        if (answer.kind === "failed") failure ??= answer.error;
        else if (answer.kind === "unknown") isUnsure = true;
        else ttl = Math.min(ttl, answer.ttl * 1000);
      }
      // silence may hide a name that exists: only a server's word moves on
      if (failure !== undefined && !failure.startsWith("SERVFAIL")) break;
    }
    if (isUnsure && entry.addresses.length > 0) failure ??= "no such name";
    if (failure === undefined) await this.#notFound(entry, ttl);
    else this.#failed(entry, failure);
  }

  /**
   * Asks for both families at once. If one is there, the other is waited for
   * briefly; one that stays silent is not asked again for a while.
   */
  async #askBoth(
    entry: Entry,
    name: string,
    published: () => void,
  ): Promise<readonly Answer[]> {
    const found: Found = {};
    let ttl = Infinity;
    let early: ReturnType<typeof setTimeout> | undefined;
    const publish = () => {
      this.#found(entry, found, ttl);
      published();
    };
    const { promise: enough, resolve: giveUp } = Promise.withResolvers<void>();
    let late: ReturnType<typeof setTimeout> | undefined;
    const ask = async (family: Family): Promise<Answer> => {
      if (this.#now() < entry.silentUntil[family]) return SILENT;
      const answer = await Promise.race([
        this.#options.client.query(name, family),
        enough.then(() => SILENT),
      ]);
      if (answer.kind === "found") {
        found[family] = answer.addresses;
        ttl = Math.min(ttl, answer.ttl * 1000);
        early ??= setTimeout(publish, RESOLUTION_DELAY);
        late ??= setTimeout(giveUp, LATE);
      } else if (answer.kind === "failed") {
        entry.silentUntil[family] = this.#now() + SILENCE;
      } else if (answer.kind !== "unknown") {
        found[family] = [];
      }
      return answer;
    };
    const answers = await Promise.all(FAMILIES.map(ask));
    clearTimeout(early);
    clearTimeout(late);
    if (early !== undefined) publish();
    else entry.silentUntil.A = entry.silentUntil.AAAA = -Infinity;
    return answers;
  }

  #found(entry: Entry, found: Found, ttl: number): void {
    const now = this.#now();
    const before = entry.addresses.join();
    for (const family of FAMILIES) {
      // a family that was not answered keeps what is known of it
      const addresses = found[family];
      if (addresses !== undefined) entry.learn(family, addresses);
    }
    const lifetime = Math.min(Math.max(ttl, MIN_TTL), MAX_TTL);
    entry.confirmed = now;
    entry.expires = now + lifetime;
    entry.refreshAt = now + lifetime * REFRESH;
    entry.retryAt = entry.missingUntil = -Infinity;
    this.#options.count("lookups-found");
    this.#answered(entry, before);
  }

  async #notFound(entry: Entry, ttl: number): Promise<void> {
    const { hosts, systemLookup } = this.#options;
    if (hosts === undefined) {
      // it may be a name of /etc/hosts, which only the system can read
      const addresses = await systemLookup(entry.name).catch(() => []);
      if (addresses.length > 0) {
        return this.#found(entry, splitFamilies(addresses), SYSTEM_TTL);
      }
    }
    const before = entry.addresses.join();
    for (const family of FAMILIES) entry.learn(family, []);
    entry.expires = entry.retryAt = -Infinity;
    entry.missingUntil = this.#now() +
      Math.max(ttl === Infinity ? 0 : Math.min(ttl, MAX_TTL), MIN_TTL);
    this.#options.count("lookups-missing");
    this.#answered(entry, before);
  }

  #failed(entry: Entry, error: string): void {
    entry.retryAt = this.#now() + RETRY;
    this.#options.count("lookups-failed");
    this.#fails(entry, error);
  }

  #fails(entry: Entry, error: string): void {
    const isNew = entry.error === undefined;
    entry.error = error;
    if (isNew && entry.addresses.length > 0) this.#changed(entry);
  }

  #answered(entry: Entry, before: string): void {
    const isNew = entry.error !== undefined ||
      before !== entry.addresses.join();
    entry.error = undefined;
    if (isNew) this.#changed(entry);
  }

  #changed({ addresses, error, name }: Entry): void {
    this.#options.changed({ name, addresses, error });
  }
}

function missing({ name }: Entry): NoSuchName {
  return new NoSuchName(`there is no address for the name ${name}`);
}

/** Waits for a promise, but not longer than some milliseconds. */
async function atMost(promise: Promise<void>, most: number): Promise<void> {
  if (most <= 0) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, most);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}

function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
