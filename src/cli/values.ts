/**
 * The values of options, each with its rule: texts in, checked values out. All
 * of them throw a `ConfigError` if the rule is broken.
 *
 * @module
 */
import { broken, unusable } from "../lib/config_error.ts";
import { isUnix, parseSocketPath } from "../net/address.ts";
import type { Rate } from "../limits/address_table.ts";

/** Limits of the options that are numbers, which hold in route tables, too. */
export const LIMITS = {
  workers: [1, 1024],
  maxConnections: [1, 10_000_000],
  maxConnectionsPerIp: [0, 10_000_000],
  rate: [0.001, 10_000],
  burst: [1, 1_000_000],
  maxPreread: [1, 2 ** 30],
  maxStuckWorkers: [0, 1024],
} as const;

/** The most seconds that an option may be. */
export const MAX_SECONDS = 1_000_000;

/** Reads a text that is not empty. */
export function nonEmpty(option: string, value: string): string {
  if (value === "") throw unusable(option, "be not empty", value);
  return value;
}

/** Reads a whole number. */
export function whole(
  option: string,
  value: string | undefined,
  [least, most]: readonly [least: number, most: number],
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw unusable(option, `be a whole number from ${least} to ${most}`, value);
  }
  return number;
}

/** Reads a positive number of seconds; returns milliseconds. */
export function seconds(
  option: string,
  value: string | undefined,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d*\.?\d+$/.test(value) || number <= 0 || number > MAX_SECONDS) {
    throw unusable(
      option,
      `be a positive number of seconds, at most ${MAX_SECONDS}`,
      value,
    );
  }
  return number * 1000;
}

/** Reads a number of seconds; returns milliseconds, 0 for no limit. */
export function secondsOrOff(
  option: string,
  value: string | undefined,
): number | undefined {
  return /^0*\.?0+$/.test(value ?? "") ? 0 : seconds(option, value);
}

/** Reads a rate; `undefined` for no limit. */
export function rateLimit(option: string, value: string): Rate | undefined {
  if (/^0*\.?0+$/.test(value)) return undefined;
  const [, number, second] = /^(\d*\.?\d+)(?::(\d+))?$/.exec(value) ?? [];
  const perSecond = Number(number);
  const burst = second === undefined ? burstOf(perSecond) : Number(second);
  if (
    !(perSecond >= LIMITS.rate[0] && perSecond <= LIMITS.rate[1]) ||
    !(burst >= LIMITS.burst[0] && burst <= LIMITS.burst[1])
  ) {
    throw unusable(
      option,
      `be connections per second from ${LIMITS.rate[0]} to ${
        LIMITS.rate[1]
      }, or such and a burst as in 5:20`,
      value,
    );
  }
  return { perSecond, burst };
}

/** The burst of a rate that has none of its own: what may come in a second. */
export function burstOf(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond));
}

/** Reads one of some words. */
export function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw unusable(option, `be one of ${allowed.join(", ")}`, value);
  }
  return found;
}

/**
 * Finds the socket files that a list of hosts names.
 *
 * @param hosts What `--allow-net` may have: hosts, and `unix:/path`.
 * @returns The paths.
 * @throws {ConfigError} If one breaks the rule of its form.
 */
export function socketPaths(hosts: readonly string[]): string[] {
  return hosts.filter(isUnix).map((host) => {
    const parsed = parseSocketPath(host);
    if (typeof parsed !== "string") return parsed.path;
    throw broken("--allow-net", parsed, host);
  });
}
