/**
 * What a router says about a pool.
 *
 * @module
 */
import type { Bytes } from "../router/bytes.ts";
import type { RemoteTls } from "../router/decision.ts";

/** The members of a pool, how they are chosen, and how they are watched. */
export interface PoolOptions {
  /**
   * The remotes, each once, at most 1000: `"host:port"` or `"unix:/path"`, or
   * with a weight.
   */
  members: readonly (string | MemberOptions)[];
  /**
   * How a member is chosen for a connection, among those that are usable:
   *
   * - `round-robin`: by turns, spread evenly by weight;
   * - `least-connections`: the one with the fewest connections for its weight;
   * - `hash`: the same one for the same key, by rendezvous hashing: when a
   *   member goes, only its own keys move to others.
   *
   * @default "round-robin"
   */
  policy?: "round-robin" | "least-connections" | "hash" | undefined;
  /**
   * What connections tell about a member; `false`: nothing.
   *
   * @default {}
   */
  passive?: PassiveOptions | false | undefined;
  /**
   * Checks by connections of the proxy's own.
   *
   * @default no checks
   */
  check?: CheckOptions | undefined;
}

/** One member of a pool. */
export interface MemberOptions {
  /** `"host:port"` or `"unix:/path"`. */
  remote: string;
  /**
   * Its share compared with that of the others: a whole number up to 256; 0
   * drains it: it gets no new connections.
   *
   * @default 1
   */
  weight?: number | undefined;
}

/**
 * When a member counts as down because of what connections met: it refused
 * them, did not answer in time, or closed them before it sent a byte.
 */
export interface PassiveOptions {
  /**
   * So many connections must have failed, with none that got a byte between.
   *
   * @default 3
   */
  failures?: number | undefined;
  /**
   * Seconds that it is left alone then (20% more or less, by chance).
   * Afterwards one connection tries it: if that gets a byte the member is up
   * again, otherwise it is left alone for twice the time.
   *
   * @default 1
   */
  backoff?: number | undefined;
  /**
   * Seconds that it is left alone at most.
   *
   * @default 60
   */
  maxBackoff?: number | undefined;
}

/** How members are checked, whether there are clients or not. */
export interface CheckOptions {
  /**
   * Seconds from check to check of one member, whichever worker does them.
   *
   * @default 5
   */
  interval?: number | undefined;
  /**
   * Seconds that a check may take.
   *
   * @default 2
   */
  timeout?: number | undefined;
  /**
   * Good checks in a row that make a member usable.
   *
   * @default 2
   */
  rise?: number | undefined;
  /**
   * Bad checks in a row that make it unusable.
   *
   * @default 3
   */
  fall?: number | undefined;
  /**
   * Begin with a header of the PROXY protocol, of this version, for members
   * that expect one: it says that the connection is the proxy's own.
   *
   * @default no header
   */
  proxyProtocol?: 1 | 2 | undefined;
  /**
   * Speak TLS with the members, and verify their certificates: a member whose
   * handshake fails is bad. With a PROXY header, that comes before it.
   *
   * @default false: what is sent is sent in plain
   */
  tls?: boolean | RemoteTls | undefined;
  /**
   * Send this once it is connected.
   *
   * @default nothing
   */
  send?: Bytes | undefined;
  /**
   * What it must answer: bytes that the answer begins with, or an expression
   * that matches it (one character per byte, of at most 16384).
   *
   * @default nothing: to be connected is enough
   */
  expect?: Bytes | RegExp | undefined;
}

/** A decision for a member of a pool; return it, or spread it into one. */
export interface PoolChoice {
  /** The name of the pool. */
  pool: string;
  /** The key, if there is one. */
  key?: Bytes | undefined;
}

/** A pool of remotes. */
export interface Pool {
  /** What it is called in logs. */
  readonly name: string;
  /**
   * Makes a decision. The member is chosen when the connection is made; if it
   * cannot be connected to, another one is tried.
   *
   * @param key For the policy `hash`, what chooses the member. Without one, the
   * client's IP address does.
   * @returns Plain data: return it from a hook, or spread it into a decision.
   */
  pick(key?: Bytes): PoolChoice;
  /**
   * Gives a member no more new connections, in all workers; those that it has
   * go on.
   *
   * @param remote The member, as it was written in `members`.
   * @throws {TypeError} If it is not a member.
   */
  drain(remote: string): void;
  /**
   * Gives a drained member connections again.
   *
   * @param remote The member, as it was written in `members`.
   * @throws {TypeError} If it is not a member, or its weight is 0.
   */
  undrain(remote: string): void;
}
