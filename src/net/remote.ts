/**
 * The remotes that a decision names.
 *
 * @module
 */
import { type HostPort, parseRemote, type SocketPath } from "./address.ts";

/** One remote that can be connected to. */
export interface Target {
  /** As the router wrote it. */
  readonly remote: string;
  readonly address: HostPort | SocketPath;
}

/** A rule that a remote breaks. */
export interface BadRemote {
  /** Such as `must be "host:port"`. */
  readonly rule: string;
  readonly value: unknown;
}

/** What a remote begins with that is the name of a pool. */
export const POOL_PREFIX = "pool:";

/** The most remotes in a list. */
export const MAX_REMOTES = 1000;

/** How many parsed remotes are remembered; a router has a few, or very many. */
const CACHE_SIZE = 4096;
const cache = new Map<string, readonly [Target]>();

/**
 * Parses one remote. The result is remembered, as a router names the same few
 * remotes for most connections.
 *
 * @param remote `"host:port"`, with IPv6 as `"[::1]:80"`, or `"unix:/path"`.
 * @returns A list of the one target, or a text that says what the rule is.
 */
export function parseTarget(remote: string): readonly [Target] | string {
  const known = cache.get(remote);
  if (known !== undefined) return known;
  const address = parseRemote(remote);
  if (typeof address === "string") return address;
  if (cache.size >= CACHE_SIZE) cache.clear();
  const targets = [{ remote, address }] as const;
  cache.set(remote, targets);
  return targets;
}

/**
 * Checks the value of `remote` in a decision.
 *
 * @param value Anything; a remote, or a list of at most
 * {@linkcode MAX_REMOTES}.
 * @returns The targets, at least one, or the rule that is broken.
 */
export function parseTargets(value: unknown): readonly Target[] | BadRemote {
  if (typeof value === "string") {
    const targets = parseTarget(value);
    return typeof targets === "string" ? { rule: targets, value } : targets;
  }
  if (!Array.isArray(value)) {
    const rule =
      `must be a string "host:port" or "unix:/path", or a list of those`;
    return { rule, value };
  }
  if (value.length === 0) {
    return { rule: "must have at least one remote", value };
  }
  if (value.length > MAX_REMOTES) {
    const rule = `must have at most ${MAX_REMOTES} remotes`;
    return { rule, value: value.length };
  }
  const targets: Target[] = [];
  for (const remote of value) {
    const parsed = typeof remote === "string"
      ? parseTarget(remote)
      : `must be a list of strings "host:port" or "unix:/path"`;
    if (typeof parsed === "string") return { rule: parsed, value: remote };
    targets.push(parsed[0]);
  }
  return targets;
}
