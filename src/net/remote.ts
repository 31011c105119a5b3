/**
 * The remotes that a decision names.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import { type Kind, kind } from "../lib/kinds.ts";
import { type HostPort, parseRemote, type SocketPath } from "./address.ts";

/** One remote that can be connected to. */
export interface Target {
  /** As the router wrote it. */
  readonly remote: string;
  readonly address: HostPort | SocketPath;
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

const REMOTES_RULE =
  `must be a string "host:port" or "unix:/path", or a list of those`;

/** A remote, or a list of those, read as the targets. */
export const REMOTES: Kind<readonly Target[]> = kind(
  REMOTES_RULE,
  {},
  parseTargets,
);

/**
 * Reads the value of `remote` in a decision.
 *
 * @param value Anything; a remote, or a list of at most
 * {@linkcode MAX_REMOTES}.
 * @returns The targets, at least one, or the rule that is broken.
 */
export function parseTargets(value: unknown): readonly Target[] | Broken {
  if (typeof value === "string") {
    const targets = parseTarget(value);
    return typeof targets === "string" ? new Broken(targets, value) : targets;
  }
  if (!Array.isArray(value)) return new Broken(REMOTES_RULE, value);
  if (value.length === 0) {
    return new Broken("must have at least one remote", value);
  }
  if (value.length > MAX_REMOTES) {
    return new Broken(`must have at most ${MAX_REMOTES} remotes`, value.length);
  }
  const targets: Target[] = [];
  for (const remote of value) {
    const parsed = typeof remote === "string"
      ? parseTarget(remote)
      : `must be a list of strings "host:port" or "unix:/path"`;
    if (typeof parsed === "string") return new Broken(parsed, remote);
    targets.push(parsed[0]);
  }
  return targets;
}
