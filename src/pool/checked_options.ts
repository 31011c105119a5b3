/**
 * What a router says about a pool, checked.
 *
 * @module
 */
import { isProxyVersion, type ProxyVersion } from "../net/proxy_header.ts";
import { parseTls } from "../net/tls_options.ts";
import { parseTarget, type Target } from "../net/remote.ts";
import type { TlsToRemote } from "../net/tls_client.ts";
import { describe } from "../lib/errors.ts";
import type { CheckOptions, PassiveOptions, PoolOptions } from "./options.ts";

/** How a pool chooses among its members. */
export type Policy = "round-robin" | "least-connections" | "hash";

/** All policies. */
export const POLICIES: readonly Policy[] = [
  "round-robin",
  "least-connections",
  "hash",
];

/** The most members of a pool. */
export const MAX_MEMBERS = 1000;

/** The most pools of a router. */
export const MAX_POOLS = 1000;

/** The highest weight of a member. */
export const MAX_WEIGHT = 256;

/** What a pool may be called. */
export const NAME_RULE = "1 to 64 letters, digits or any of _.:-";

/** The longest time, in seconds: a day. */
export const MAX_TIME = 86_400;

/** The most tries of which a state can depend. */
export const MAX_COUNT = 1000;

/** A pool that was checked; times are in milliseconds. */
export interface Plan {
  readonly name: string;
  readonly policy: Policy;
  readonly members: readonly Member[];
  /** `undefined`: connections tell nothing about a member. */
  readonly passive: PassivePlan | undefined;
  /** `undefined`: there are no checks. */
  readonly check: CheckPlan | undefined;
}

/** One member of a pool. */
export interface Member {
  readonly target: Target;
  /** 0: it is drained. */
  readonly weight: number;
}

/** What connections tell about a member. */
export interface PassivePlan {
  /** Failures in a row that make it count as down. */
  readonly failures: number;
  /** Milliseconds that it is left alone then. */
  readonly backoff: number;
  /** The most milliseconds. */
  readonly maxBackoff: number;
}

/** How the members are checked. */
export interface CheckPlan {
  /** Milliseconds from check to check. */
  readonly interval: number;
  /** Milliseconds that a check may take. */
  readonly timeout: number;
  /** How many good checks in a row make a member usable. */
  readonly rise: number;
  /** How many bad checks in a row make it unusable. */
  readonly fall: number;
  /** The version of the PROXY header to begin with. */
  readonly proxyProtocol: ProxyVersion | undefined;
  /** How to speak TLS, after that; `undefined` for plain bytes. */
  readonly tls: TlsToRemote | undefined;
  /** What to send once it is connected. */
  readonly send: Uint8Array | undefined;
  /** What it must answer: how it begins, or what it matches. */
  readonly expect: Uint8Array | RegExp | undefined;
}

/** A pool that cannot be made; the message is one line for the operator. */
export class PoolError extends TypeError {
  override readonly name = "PoolError";
  /** Which rule of an option is broken; `undefined` if it is another mistake. */
  readonly broken: BrokenRule | undefined;

  /**
   * @param message One line.
   * @param broken Which rule of an option is broken.
   */
  constructor(message: string, broken?: BrokenRule) {
    super(message);
    this.broken = broken;
  }
}

/** A rule that an option breaks. */
export interface BrokenRule {
  /** The way to the option: keys, and positions from 0. */
  readonly path: readonly (string | number)[];
  readonly rule: string;
  readonly value: unknown;
}

const encoder = new TextEncoder();

/** Tells whether a pool may be called so. */
export function isPoolName(name: string): boolean {
  return /^[\w.:-]{1,64}$/.test(name);
}

/**
 * Checks a pool.
 *
 * @param name What the router calls it.
 * @param options Anything at all, as the router may be JavaScript.
 * @returns The pool, with all defaults.
 * @throws {PoolError} If a rule is broken; the message names key, rule, value.
 */
export function planPool(name: unknown, options: unknown): Plan {
  if (typeof name !== "string" || !isPoolName(name)) {
    throw new PoolError(
      `Cannot make a pool as its name must be ${NAME_RULE}: current value is ${
        describe(name)
      }`,
    );
  }
  const keys: readonly (keyof PoolOptions)[] = [
    "members",
    "policy",
    "passive",
    "check",
  ];
  const fields = new Fields(name, "", options, keys);
  const policy = (fields.get("policy") ?? "round-robin") as Policy;
  if (!POLICIES.includes(policy)) {
    throw fields.refuse("policy", `must be one of ${POLICIES.join(", ")}`);
  }
  const list = members(fields);
  return {
    name,
    policy,
    members: list,
    passive: passive(name, fields.get("passive")),
    check: check(name, fields.get("check"), list),
  };
}

function members(fields: Fields): Member[] {
  const list = fields.get("members");
  if (
    !Array.isArray(list) || list.length === 0 || list.length > MAX_MEMBERS
  ) {
    throw fields.refuse("members", `must be a list of 1 to ${MAX_MEMBERS}`);
  }
  const remotes = new Set<string>();
  return list.map((one: unknown, index) => {
    const at = `members[${index}]`;
    const member = new Fields(
      fields.pool,
      `${at}.`,
      typeof one === "string" ? { remote: one } : one,
      ["remote", "weight"],
    );
    const remote = member.get("remote");
    const targets = typeof remote === "string"
      ? parseTarget(remote)
      : `must be a string "host:port" or "unix:/path"`;
    if (typeof targets === "string") throw member.refuse("remote", targets);
    const [target] = targets;
    if (remotes.has(target.remote)) {
      throw member.refuse("remote", "must not be listed twice");
    }
    remotes.add(target.remote);
    return { target, weight: member.whole("weight", 1, 0, MAX_WEIGHT) };
  });
}

function passive(
  pool: string,
  value: unknown,
): PassivePlan | undefined {
  if (value === false) return undefined;
  const keys: readonly (keyof PassiveOptions)[] = [
    "failures",
    "backoff",
    "maxBackoff",
  ];
  const fields = new Fields(pool, "passive.", value ?? {}, keys);
  const backoff = fields.time("backoff", 1);
  const maxBackoff = fields.time("maxBackoff", Math.max(60, backoff / 1000));
  if (maxBackoff < backoff) {
    throw fields.refuse("maxBackoff", "must be at least backoff");
  }
  return {
    failures: fields.whole("failures", 3, 1, MAX_COUNT),
    backoff,
    maxBackoff,
  };
}

function check(
  pool: string,
  value: unknown,
  members: readonly Member[],
): CheckPlan | undefined {
  if (value === undefined) return undefined;
  const keys: readonly (keyof CheckOptions)[] = [
    "interval",
    "timeout",
    "rise",
    "fall",
    "proxyProtocol",
    "tls",
    "send",
    "expect",
  ];
  const fields = new Fields(pool, "check.", value, keys);
  const expect = fields.get("expect");
  const proxyProtocol = fields.get("proxyProtocol");
  if (proxyProtocol !== undefined && !isProxyVersion(proxyProtocol)) {
    throw fields.refuse("proxyProtocol", "must be 1 or 2");
  }
  return {
    interval: fields.time("interval", 5),
    timeout: fields.time("timeout", 2),
    rise: fields.whole("rise", 2, 1, MAX_COUNT),
    fall: fields.whole("fall", 3, 1, MAX_COUNT),
    proxyProtocol,
    tls: checkTls(fields, members),
    send: fields.bytes("send", "a Uint8Array or a string"),
    // a lastIndex would make the same answer good and bad by turns
    expect: expect instanceof RegExp
      ? new RegExp(expect.source, expect.flags.replaceAll(/[gy]/g, ""))
      : fields.bytes("expect", "a Uint8Array, a string or a RegExp"),
  };
}

function checkTls(
  fields: Fields,
  members: readonly Member[],
): TlsToRemote | undefined {
  const parsed = parseTls(fields.get("tls"));
  if (parsed === undefined) return undefined;
  if ("rule" in parsed) {
    const [, key = "tls", rule = parsed.rule] =
      /^"([\w.]+)" (.*)$/.exec(parsed.rule) ?? [];
    throw fields.refuse(key, rule.replaceAll('"tls.', '"check.tls.'), parsed);
  }
  if (members.every(({ target }) => "port" in target.address)) return parsed;
  throw fields.refuse("tls", `needs members of the form "host:port"`);
}

/** The keys of one object of the options. */
class Fields {
  readonly pool: string;
  readonly #prefix: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(
    pool: string,
    prefix: string,
    value: unknown,
    keys: readonly string[],
  ) {
    this.pool = pool;
    this.#prefix = prefix;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const where = prefix === "" ? "its options" : `"${prefix.slice(0, -1)}"`;
      throw new PoolError(
        `Cannot make the pool ${pool} as ${where} must be an object: current value is ${
          describe(value)
        }`,
      );
    }
    this.#values = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(value)) {
      if (keys.includes(key)) continue;
      throw this.refuse(key, `is not one of ${keys.join(", ")}`);
    }
  }

  get(key: string): unknown {
    return this.#values[key];
  }

  /** Says which rule a key breaks, or a part of its value. */
  refuse(
    key: string,
    rule: string,
    { value }: { readonly value: unknown } = { value: this.#values[key] },
  ): PoolError {
    return new PoolError(
      `Cannot make the pool ${this.pool} as "${this.#prefix}${key}" ${rule}: current value is ${
        describe(value)
      }`,
      {
        path: `${this.#prefix}${key}`.split(/[.[\]]+/)
          .map((part) => /^\d+$/.test(part) ? Number(part) : part),
        rule,
        value,
      },
    );
  }

  whole(key: string, otherwise: number, least: number, most: number): number {
    const value = this.#values[key] ?? otherwise;
    if (
      typeof value !== "number" || !Number.isInteger(value) || value < least ||
      value > most
    ) {
      throw this.refuse(
        key,
        `must be a whole number from ${least} to ${most}`,
      );
    }
    return value;
  }

  /** From seconds to milliseconds. */
  time(key: string, otherwise: number): number {
    const value = this.#values[key] ?? otherwise;
    if (
      typeof value !== "number" || !(value >= 0.001) || value > MAX_TIME
    ) {
      throw this.refuse(
        key,
        `must be a number of seconds from 0.001 to ${MAX_TIME}`,
      );
    }
    return value * 1000;
  }

  bytes(key: string, what: string): Uint8Array | undefined {
    const value = this.#values[key];
    if (value === undefined) return undefined;
    if (typeof value === "string") return encoder.encode(value);
    if (value instanceof Uint8Array) return value.slice();
    throw this.refuse(key, `must be ${what}`);
  }
}

/**
 * Writes a pool on one line.
 *
 * @param plan The pool, or what a worker says about it.
 * @returns Such as `git: round-robin, 10.0.0.1:80, 10.0.0.2:80 (weight 2)`.
 */
export function describePool(
  { name, policy, members }: {
    readonly name: string;
    readonly policy: string;
    readonly members: readonly {
      readonly remote: string;
      readonly weight: number;
    }[];
  },
): string {
  const list = members.map(({ remote, weight }) =>
    weight === 1
      ? remote
      : weight === 0
      ? `${remote} (drained)`
      : `${remote} (weight ${weight})`
  );
  return `${name}: ${policy}, ${list.join(", ")}`;
}
