/**
 * What a router says about a pool, checked.
 *
 * @module
 */
import { describe } from "../lib/errors.ts";
import { Broken } from "../lib/broken.ts";
import {
  bytes,
  exactly,
  type Kind,
  kind,
  map,
  readFields,
  secondsFrom,
  whole,
  word,
} from "../lib/kinds.ts";
import type { ProxyVersion } from "../net/proxy_header.ts";
import { parseTarget, type Target } from "../net/remote.ts";
import type { TlsToRemote } from "../net/tls_client.ts";
import { REMOTE_TLS } from "../net/tls_options.ts";
import type {
  CheckOptions,
  MemberOptions,
  PassiveOptions,
  PoolOptions,
} from "./options.ts";

/** How a pool chooses among its members. */
export type Policy = NonNullable<PoolOptions["policy"]>;

/** The most members of a pool. */
export const MAX_MEMBERS = 1000;

/** The most pools of a router. */
export const MAX_POOLS = 1000;

/** The highest weight of a member. */
export const MAX_WEIGHT = 256;

/** What a pool may be called. */
export const NAME_RULE = "1 to 64 letters, digits or any of _.:-";

/** How a member is chosen. */
export const POLICY: Kind<Policy> = word([
  "round-robin",
  "least-connections",
  "hash",
]);

/** The share of a member; 0: it is drained. */
export const WEIGHT: Kind<number> = whole(0, MAX_WEIGHT);

/** Of what a state can depend: tries or checks in a row. */
export const COUNT: Kind<number> = whole(1, 1000);

/** A time, at most a day. */
export const TIME: Kind<number> = secondsFrom(0.001, 86_400);

/** The version of the header that a check begins with. */
export const HEADER_VERSION: Kind<ProxyVersion> = exactly(1, 2);

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
  readonly broken: Broken | undefined;

  /**
   * @param message One line.
   * @param broken Which rule of an option is broken.
   */
  constructor(message: string, broken?: Broken) {
    super(message);
    this.broken = broken;
  }
}

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
  const plan = readPool(name, options);
  if (!(plan instanceof Broken)) return plan;
  const what = plan.path.length === 0 ? "its options" : `"${plan.name}"`;
  throw new PoolError(
    `Cannot make the pool ${name} as ${what} ${plan.rule}: current value is ${
      describe(plan.value)
    }`,
    plan,
  );
}

const REMOTE: Kind<Target> = kind(
  `must be a string "host:port" or "unix:/path"`,
  {},
  (value) => {
    if (typeof value !== "string") return undefined;
    const targets = parseTarget(value);
    return typeof targets === "string"
      ? new Broken(targets, value)
      : targets[0];
  },
);

const MEMBER_FIELDS = { remote: REMOTE, weight: WEIGHT } satisfies Record<
  keyof MemberOptions,
  Kind<unknown>
>;

const MEMBERS: Kind<readonly Member[]> = kind(
  `must be a list of 1 to ${MAX_MEMBERS}`,
  {},
  (value) => {
    if (
      !Array.isArray(value) || value.length === 0 || value.length > MAX_MEMBERS
    ) {
      return undefined;
    }
    const members: Member[] = [];
    const remotes = new Set<string>();
    for (const [index, one] of value.entries()) {
      const member = readMember(one, remotes);
      if (member instanceof Broken) return member.in(index);
      members.push(member);
    }
    return members;
  },
);

/** @param remotes Those of the members before; this one is added. */
function readMember(value: unknown, remotes: Set<string>): Member | Broken {
  const member = readFields(
    typeof value === "string" ? { remote: value } : value,
    MEMBER_FIELDS,
  );
  if (member instanceof Broken) return member;
  const { remote: target, weight = 1 } = member;
  if (target === undefined) {
    return new Broken(REMOTE.rule, undefined, ["remote"]);
  }
  if (remotes.has(target.remote)) {
    return new Broken("must not be listed twice", target.remote, ["remote"]);
  }
  remotes.add(target.remote);
  return { target, weight };
}

const PASSIVE_FIELDS = {
  failures: COUNT,
  backoff: TIME,
  maxBackoff: TIME,
} satisfies Record<keyof PassiveOptions, Kind<unknown>>;

const PASSIVE: Kind<PassivePlan | "off"> = kind(
  "must be an object",
  {},
  (value) => {
    if (value === false) return "off";
    const fields = readFields(value, PASSIVE_FIELDS);
    if (fields instanceof Broken) return fields;
    const { failures = 3, backoff = 1000 } = fields;
    const { maxBackoff = Math.max(60_000, backoff) } = fields;
    return maxBackoff < backoff
      ? new Broken("must be at least backoff", maxBackoff / 1000, [
        "maxBackoff",
      ])
      : { failures, backoff, maxBackoff };
  },
);

/** Bytes that the router may change later. */
const OWN_BYTES = map(bytes(), (value) => value.slice());

const EXPECTED_BYTES = map(
  bytes("a Uint8Array, a string or a RegExp"),
  (value) => value.slice(),
);

const EXPECTED: Kind<Uint8Array | RegExp> = kind(
  EXPECTED_BYTES.rule,
  {},
  (value) =>
    // a lastIndex would make the same answer good and bad by turns
    value instanceof RegExp
      ? new RegExp(value.source, value.flags.replaceAll(/[gy]/g, ""))
      : EXPECTED_BYTES.read(value),
);

const CHECK_FIELDS = {
  interval: TIME,
  timeout: TIME,
  rise: COUNT,
  fall: COUNT,
  proxyProtocol: HEADER_VERSION,
  tls: REMOTE_TLS,
  send: OWN_BYTES,
  expect: EXPECTED,
} satisfies Record<keyof CheckOptions, Kind<unknown>>;

const CHECK: Kind<CheckPlan> = kind("must be an object", {}, (value) => {
  const fields = readFields(value, CHECK_FIELDS);
  if (fields instanceof Broken) return fields;
  const { interval = 5000, timeout = 2000, rise = 2, fall = 3, ...rest } =
    fields;
  return { interval, timeout, rise, fall, ...rest };
});

const FIELDS = {
  members: MEMBERS,
  policy: POLICY,
  passive: PASSIVE,
  check: CHECK,
} satisfies Record<keyof PoolOptions, Kind<unknown>>;

function readPool(name: string, options: unknown): Plan | Broken {
  const fields = readFields(options, FIELDS);
  if (fields instanceof Broken) return fields;
  const { members, policy = "round-robin", passive, check } = fields;
  if (members === undefined) {
    return new Broken(MEMBERS.rule, undefined, ["members"]);
  }
  const files = members.filter(({ target }) => "path" in target.address);
  if (check?.tls !== undefined && files.length > 0) {
    const rule = `needs members of the form "host:port"`;
    const { tls } = (options as PoolOptions).check ?? {};
    return new Broken(rule, tls, ["check", "tls"]);
  }
  const defaults = PASSIVE.read({}) as PassivePlan;
  return {
    name,
    policy,
    members,
    passive: passive === "off" ? undefined : passive ?? defaults,
    check,
  };
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
