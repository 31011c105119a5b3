/**
 * From what a hook returned to what the connection does: decisions are checked
 * strictly, as a wrong one is better refused than guessed.
 *
 * @module
 */
import type { PoolTarget } from "../pool/registry.ts";
import { describe } from "../lib/errors.ts";
import { parsePool } from "../pool/decision.ts";
import { isProxyVersion, type ProxyVersion } from "../net/proxy_header.ts";
import { parseTargets, POOL_PREFIX, type Target } from "../net/remote.ts";
import { isRouteName, ROUTE_NAME_RULE } from "./route_name.ts";
import type { Hook } from "../router/contract.ts";
import { parseTls } from "../net/tls_options.ts";
import type { TlsToRemote } from "../net/tls_client.ts";

/** Wait for more bytes. */
export interface Wait {
  readonly kind: "wait";
}

/** Connect to a remote, the first of several that can be connected to. */
export interface Connect {
  readonly kind: "connect";
  /** Tried in order; none if there is a pool. */
  readonly targets: readonly Target[];
  /** Chooses the remote, in place of `targets`. */
  readonly pool: PoolTarget | undefined;
  /** In place of the bytes that were read; `undefined` for those bytes. */
  readonly data: Uint8Array | undefined;
  /** For the client, before connecting. */
  readonly reply: Uint8Array | undefined;
  /** Milliseconds; `undefined` for what the option says. */
  readonly connectTimeout: number | undefined;
  /** Milliseconds; `undefined` for no limit. */
  readonly inactivityTimeout: number | undefined;
  /** Milliseconds; `undefined` for what the option says. */
  readonly idleTimeout: number | undefined;
  /** Milliseconds since accept; `undefined` for what the option says. */
  readonly maxDuration: number | undefined;
  /** The version of the PROXY header for the remote; `undefined` for none. */
  readonly proxyProtocol: ProxyVersion | undefined;
  /** How to speak TLS with the remote; `undefined` for not at all. */
  readonly tls: TlsToRemote | undefined;
  /** Who has decided, for logs and statistics. */
  readonly route: string | undefined;
}

/** Answer the client, and go on routing. */
export interface Reply {
  readonly kind: "reply";
  readonly reply: Uint8Array;
  /** How many bytes to drop from the start of the buffer. */
  readonly consume: number;
  /** Who has decided, for statistics. */
  readonly route: string | undefined;
}

/** Close the connection. */
export interface Close {
  readonly kind: "close";
  /** The last bytes for the client; `undefined` for none. */
  readonly data: Uint8Array | undefined;
  /** Who has decided, for logs and statistics. */
  readonly route: string | undefined;
}

/** A decision that was checked. */
export type Verdict = Wait | Connect | Reply | Close;

/** A decision that cannot be used: the router's error. */
export class DecisionError extends TypeError {
  override readonly name = "DecisionError";
}

const WAIT: Wait = { kind: "wait" };
const CLOSE: Close = { kind: "close", data: undefined, route: undefined };

/** setTimeout() counts milliseconds in 31 bits. */
const MAX_TIMEOUT_SECONDS = 2 ** 31 / 1000 - 1;

/** The times of a decision for a remote, in the order in which they are shown. */
export const TIMES = [
  "connectTimeout",
  "inactivityTimeout",
  "idleTimeout",
  "maxDuration",
] as const;

const KEYS = [
  "remote",
  "pool",
  "key",
  "data",
  "reply",
  ...TIMES,
  "proxyProtocol",
  "tls",
  "route",
  "consume",
  "close",
  "noop",
] as const;

const encoder = new TextEncoder();

/**
 * Checks what a hook returned.
 *
 * @param decision The value; anything at all, as the router may be JavaScript.
 * @param hook The hook that returned it.
 * @param buffered How many bytes there are that `consume` may drop.
 * @returns What to do.
 * @throws {DecisionError} If the value is not a decision that `hook` may
 * return; the message names the key, the rule and the value.
 */
export function parseDecision(
  decision: unknown,
  hook: Hook,
  buffered: number,
): Verdict {
  if (decision === undefined || decision === null) return WAIT;
  if (typeof decision !== "object" || Array.isArray(decision)) {
    throw unusable(hook, "a decision is an object", decision);
  }
  const fields = decision as Record<string, unknown>;
  const keys = Object.keys(fields);
  if (keys.length === 1 && keys[0] === "remote") {
    return connectOnly(fields, hook);
  }
  for (const key of keys) {
    if (!(KEYS as readonly string[]).includes(key)) {
      throw unusable(hook, unknownKey(key), fields[key]);
    }
  }
  if ("remote" in fields) return connectTo(fields, hook);
  if ("pool" in fields) return connectToPool(fields, hook);
  if ("close" in fields) return closeWith(fields, hook);
  if ("noop" in fields) return wait(fields, hook);
  if ("reply" in fields) return replyWith(fields, hook, buffered);
  throw unusable(
    hook,
    `a decision has one of "remote", "pool", "close", "reply", "noop"`,
    decision,
  );
}

/** How many checked decisions are remembered; a router has a few, or very many. */
const CACHE_SIZE = 4096;
const checked = new Map<unknown, Connect>();

/** A remote and nothing else, as most decisions are: each is checked once. */
function connectOnly(fields: Record<string, unknown>, hook: Hook): Connect {
  const { remote } = fields;
  const known = checked.get(remote);
  if (known !== undefined) return known;
  const verdict = connectTo(fields, hook);
  // a pool may be made anew under the same name, and lists are compared by identity
  if (typeof remote === "string" && verdict.pool === undefined) {
    if (checked.size >= CACHE_SIZE) checked.clear();
    checked.set(remote, verdict);
  }
  return verdict;
}

function connectTo(fields: Record<string, unknown>, hook: Hook): Connect {
  const { remote } = fields;
  const targets = parseTargets(remote);
  if ("rule" in targets) {
    if (typeof remote === "string" && remote.startsWith(POOL_PREFIX)) {
      forbid(fields, hook, "remote", ["pool"]);
      const pool = remote.slice(POOL_PREFIX.length);
      return connectToPool({ ...fields, pool }, hook);
    }
    throw unusable(hook, `"remote" ${targets.rule}`, targets.value);
  }
  forbid(fields, hook, "remote", ["pool", "key", "consume", "close", "noop"]);
  return connectWith(fields, hook, targets, undefined);
}

function connectToPool(fields: Record<string, unknown>, hook: Hook): Connect {
  const pool = parsePool(fields.pool, fields.key);
  if ("rule" in pool) {
    throw unusable(hook, `"${pool.key}" ${pool.rule}`, fields[pool.key]);
  }
  forbid(fields, hook, "pool", ["consume", "close", "noop"]);
  return connectWith(fields, hook, [], pool);
}

function connectWith(
  fields: Record<string, unknown>,
  hook: Hook,
  targets: readonly Target[],
  pool: PoolTarget | undefined,
): Connect {
  return {
    kind: "connect",
    targets,
    pool,
    data: optionalBytes(fields, "data", hook),
    reply: optionalBytes(fields, "reply", hook),
    connectTimeout: optionalSeconds(fields, "connectTimeout", hook),
    inactivityTimeout: optionalSeconds(fields, "inactivityTimeout", hook),
    idleTimeout: optionalSeconds(fields, "idleTimeout", hook),
    maxDuration: optionalSeconds(fields, "maxDuration", hook),
    proxyProtocol: optionalVersion(fields.proxyProtocol, hook),
    tls: optionalTls(fields, pool?.pool.targets ?? targets, hook),
    route: optionalRoute(fields, hook),
  };
}

function optionalRoute(
  { route }: Record<string, unknown>,
  hook: Hook,
): string | undefined {
  if (route === undefined || isRouteName(route)) return route;
  throw unusable(hook, `"route" ${ROUTE_NAME_RULE}`, route);
}

function optionalVersion(
  value: unknown,
  hook: Hook,
): ProxyVersion | undefined {
  if (value === undefined || isProxyVersion(value)) return value;
  throw unusable(hook, `"proxyProtocol" must be 1 or 2`, value);
}

function closeWith(fields: Record<string, unknown>, hook: Hook): Close {
  forbid(
    fields,
    hook,
    "close",
    KEYS.filter((key) => key !== "close" && key !== "route"),
  );
  const { close } = fields;
  const route = optionalRoute(fields, hook);
  if (close === true) return route === undefined ? CLOSE : { ...CLOSE, route };
  return {
    kind: "close",
    data: bytes(close, "close", "true or ", hook),
    route,
  };
}

function wait(fields: Record<string, unknown>, hook: Hook): Wait {
  forbid(fields, hook, "noop", KEYS.filter((key) => key !== "noop"));
  if (fields.noop !== true) {
    throw unusable(hook, `"noop" must be true`, fields.noop);
  }
  return WAIT;
}

function replyWith(
  fields: Record<string, unknown>,
  hook: Hook,
  buffered: number,
): Reply {
  if (hook !== "accept" && hook !== "route") {
    throw unusable(
      hook,
      `routing has ended: answer with { close: bytes } or a "remote"`,
      fields.reply,
    );
  }
  forbid(fields, hook, "reply", [
    "key",
    "data",
    ...TIMES,
    "proxyProtocol",
    "tls",
  ]);
  const consume = fields.consume ?? 0;
  if (
    typeof consume !== "number" || !Number.isInteger(consume) || consume < 0 ||
    consume > buffered
  ) {
    throw unusable(
      hook,
      `"consume" must be a whole number from 0 to the ${buffered} bytes read so far`,
      consume,
    );
  }
  return {
    kind: "reply",
    reply: bytes(fields.reply, "reply", "", hook),
    consume,
    route: optionalRoute(fields, hook),
  };
}

/** Refuses keys that mean nothing beside `key`; undefined counts as absent. */
function forbid(
  fields: Record<string, unknown>,
  hook: Hook,
  key: string,
  others: readonly string[],
): void {
  for (const other of others) {
    if (fields[other] !== undefined) {
      throw unusable(
        hook,
        `"${other}" cannot stand beside "${key}"`,
        fields[other],
      );
    }
  }
}

function optionalBytes(
  fields: Record<string, unknown>,
  key: string,
  hook: Hook,
): Uint8Array | undefined {
  const value = fields[key];
  return value === undefined ? undefined : bytes(value, key, "", hook);
}

function bytes(
  value: unknown,
  key: string,
  orElse: string,
  hook: Hook,
): Uint8Array {
  if (typeof value === "string") return encoder.encode(value);
  if (value instanceof Uint8Array) return value;
  throw unusable(
    hook,
    `"${key}" must be ${orElse}a Uint8Array or a string`,
    value,
  );
}

function optionalSeconds(
  fields: Record<string, unknown>,
  key: string,
  hook: Hook,
): number | undefined {
  const value = fields[key];
  if (value === undefined) return undefined;
  if (
    typeof value !== "number" || !(value > 0) || value > MAX_TIMEOUT_SECONDS
  ) {
    throw unusable(
      hook,
      `"${key}" must be a positive number of seconds`,
      value,
    );
  }
  return value * 1000;
}

function optionalTls(
  fields: Record<string, unknown>,
  targets: readonly Target[],
  hook: Hook,
): TlsToRemote | undefined {
  const parsed = parseTls(fields.tls);
  if (parsed === undefined) return undefined;
  if ("rule" in parsed) throw unusable(hook, parsed.rule, parsed.value);
  const file = targets.find(({ address }) => "path" in address);
  if (file === undefined) return parsed;
  throw unusable(
    hook,
    `"tls" needs a "remote" of the form "host:port"`,
    file.remote,
  );
}

/** Names the key that was probably meant: the original wrote connect_timeout. */
function unknownKey(key: string): string {
  const plain = (text: string) => text.replaceAll("_", "").toLowerCase();
  const meant = KEYS.find((known) => plain(known) === plain(key));
  return meant === undefined
    ? `"${key}" is not one of ${KEYS.map((known) => `"${known}"`).join(", ")}`
    : `"${key}" is written "${meant}"`;
}

function unusable(hook: Hook, rule: string, value: unknown): DecisionError {
  return new DecisionError(
    `Cannot use the decision of ${hook}() as ${rule}: current value is ${
      describe(value)
    }`,
  );
}
