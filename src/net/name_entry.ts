/**
 * One name, and what is known of it.
 *
 * @module
 */

/** The families of addresses, the preferred one first (RFC 8305, 4). */
export const FAMILIES = ["AAAA", "A"] as const;
/** One of {@linkcode FAMILIES}. */
export type Family = typeof FAMILIES[number];

/** The addresses of each family that was answered. */
export type Found = Partial<Record<Family, readonly string[]>>;

/** A name, and what is known of it. */
export class Entry {
  readonly name: string;
  /** The last known addresses of each family. */
  readonly known: Record<Family, readonly string[]> = { A: [], AAAA: [] };
  /** Both families in turns. */
  addresses: readonly string[] = [];
  /** Until then only the other family is asked for. */
  readonly silentUntil: Record<Family, number> = {
    A: -Infinity,
    AAAA: -Infinity,
  };
  confirmed = -Infinity;
  expires = -Infinity;
  refreshAt = -Infinity;
  /** Until then it does not exist. */
  missingUntil = -Infinity;
  /** Why there is no answer. */
  error: string | undefined;
  /** When it may be asked for again. */
  retryAt = -Infinity;
  /** The look-up that is under way, and since when. */
  pending: Promise<void> | undefined;
  askedAt = 0;
  #turn = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** All addresses, beginning with another one each time, families in turns. */
  rotated(): readonly string[] {
    if (this.addresses.length < 2) return this.addresses;
    const turn = this.#turn++;
    const { A, AAAA } = this.known;
    return interleave(rotate(AAAA, turn), rotate(A, turn));
  }

  learn(family: Family, addresses: readonly string[]): void {
    this.known[family] = addresses;
    this.addresses = interleave(this.known.AAAA, this.known.A);
  }
}

/** Tells IPv4 from IPv6. */
export function splitFamilies(
  addresses: readonly string[],
): Record<Family, readonly string[]> {
  return {
    A: addresses.filter((address) => !address.includes(":")),
    AAAA: addresses.filter((address) => address.includes(":")),
  };
}

function rotate<T>(list: readonly T[], turn: number): readonly T[] {
  if (list.length < 2) return list;
  const at = turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function interleave<T>(
  first: readonly T[],
  second: readonly T[],
): readonly T[] {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const both: T[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (i < first.length) both.push(first[i]!);
    if (i < second.length) both.push(second[i]!);
  }
  return both;
}

/** `localhost` and what ends in it is this machine (RFC 6761, 6.3). */
export function localAddresses(name: string): readonly string[] | undefined {
  return /(^|\.)localhost\.?$/.test(name) ? ["127.0.0.1", "::1"] : undefined;
}
