/**
 * From what a hook returned to what the connection does: decisions are checked
 * strictly, as a wrong one is better refused than guessed.
 *
 * @module
 */
import { describe } from "../lib/errors.ts";
import { Broken } from "../lib/broken.ts";
import { POOL_PREFIX, type Target } from "../net/remote.ts";
import { whyNoKey } from "../pool/decision.ts";
import type { PoolTarget } from "../pool/registry.ts";
import type { Hook } from "../router/contract.ts";
import type { DecisionKey, DecisionKind } from "../router/decision.ts";
import {
  CONNECT_KEYS,
  type ConnectValues,
  KEPT_KEYS,
  KEY_NAMES,
  KEYS,
  type ReadKey,
  ROWS,
} from "./keys.ts";

/** Wait for more bytes. */
export interface Wait {
  readonly kind: "wait";
}

/** Connect to a remote, the first of several that can be connected to. */
export interface Connect extends ConnectValues {
  readonly kind: "connect";
  /** Tried in order; none if there is a pool. */
  readonly targets: readonly Target[];
  /** Chooses the remote, in place of `targets`. */
  readonly pool: PoolTarget | undefined;
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

/** Connects, and says nothing more. */
const NOTHING = {
  kind: "connect",
  ...Object.fromEntries(CONNECT_KEYS.map((key) => [key, undefined])),
} as unknown as ConnectValues & Pick<Connect, "kind">;

/** A decision that is an object; its keys are known, its values are not. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks what a hook returned.
 *
 * @param decision Anything, as the router may be JavaScript.
 * @param buffered How many bytes there are that `consume` may drop.
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
  const fields = decision as Fields;
  const keys = Object.keys(fields);
  if (keys.length === 1 && keys[0] === "remote") {
    return connectOnly(fields, hook);
  }
  for (const key of keys) {
    if (!ROWS.has(key)) throw unusable(hook, unknown(key), fields[key]);
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

/**
 * Completes the decision for another remote, made when the remote of `before`
 * had failed, with the values of `before` that are kept.
 */
export function completed(next: Connect, before: Connect): Connect {
  const kept = KEPT_KEYS.map((key) => [key, next[key] ?? before[key]]);
  return { ...next, ...Object.fromEntries(kept) };
}

/** How many checked decisions are remembered; a router has a few, or very many. */
const CACHE_SIZE = 4096;
const checked = new Map<unknown, Connect>();

/** A remote and nothing else, as most decisions are: each is checked once. */
function connectOnly(fields: Fields, hook: Hook): Connect {
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

function connectTo(fields: Fields, hook: Hook): Connect {
  const { remote } = fields;
  if (typeof remote === "string" && remote.startsWith(POOL_PREFIX)) {
    if (fields.pool !== undefined) throw beside("pool", "remote", fields, hook);
    const pool = remote.slice(POOL_PREFIX.length);
    return connectToPool({ ...fields, remote: undefined, pool }, hook);
  }
  const targets = read("remote", fields, hook);
  return connectWith("remote", fields, hook, targets, undefined);
}

function connectToPool(fields: Fields, hook: Hook): Connect {
  const pool = read("pool", fields, hook);
  const rule = fields.key === undefined ? undefined : whyNoKey(pool);
  if (rule !== undefined) throw unusable(hook, `"key" ${rule}`, fields.key);
  const key = fields.key === undefined ? undefined : read("key", fields, hook);
  return connectWith("pool", fields, hook, [], { pool, key });
}

function connectWith(
  kind: "remote" | "pool",
  fields: Fields,
  hook: Hook,
  targets: readonly Target[],
  pool: PoolTarget | undefined,
): Connect {
  const verdict = { ...NOTHING, targets, pool };
  const values: Record<string, unknown> = verdict;
  for (const key of namesIn(fields)) {
    const said = fields[key];
    const row = said === undefined ? undefined : ROWS.get(key);
    if (row === undefined) continue;
    if (row.isConnect) {
      const value = row.kind.read(said);
      if (value instanceof Broken) throw refuse(value.in(key), hook);
      values[key] = value;
    } else if (!row.in[kind]) throw beside(row.name, kind, fields, hook);
  }
  if (verdict.tls !== undefined) {
    const file = (pool?.pool.targets ?? targets)
      .find(({ address }) => "path" in address);
    if (file !== undefined) {
      throw unusable(
        hook,
        `"tls" needs a "remote" of the form "host:port"`,
        file.remote,
      );
    }
  }
  return verdict;
}

function closeWith(fields: Fields, hook: Hook): Close {
  refuseForeign(fields, hook, "close");
  const route = readRoute(fields, hook);
  const close = read("close", fields, hook);
  if (close !== true) return { kind: "close", data: close, route };
  return route === undefined ? CLOSE : { ...CLOSE, route };
}

function wait(fields: Fields, hook: Hook): Wait {
  refuseForeign(fields, hook, "noop");
  read("noop", fields, hook);
  return WAIT;
}

function replyWith(fields: Fields, hook: Hook, buffered: number): Reply {
  if (hook !== "accept" && hook !== "route") {
    throw unusable(
      hook,
      `routing has ended: answer with { close: bytes } or a "remote"`,
      fields.reply,
    );
  }
  refuseForeign(fields, hook, "reply");
  const consume = KEYS.consume.kind.read(fields.consume ?? 0);
  if (consume instanceof Broken || consume > buffered) {
    throw unusable(
      hook,
      `"consume" must be a whole number from 0 to the ${buffered} bytes read so far`,
      fields.consume,
    );
  }
  return {
    kind: "reply",
    reply: read("reply", fields, hook),
    consume,
    route: readRoute(fields, hook),
  };
}

function readRoute(fields: Fields, hook: Hook): string | undefined {
  return fields.route === undefined ? undefined : read("route", fields, hook);
}

/** Reads the value of a key by the kind of its row. */
function read<Key extends DecisionKey>(
  key: Key,
  fields: Fields,
  hook: Hook,
): ReadKey<Key> {
  const value = KEYS[key].kind.read(fields[key]);
  if (value instanceof Broken) throw refuse(value.in(key), hook);
  return value as ReadKey<Key>;
}

function refuse(broken: Broken, hook: Hook): DecisionError {
  return unusable(hook, broken.sentence, broken.value);
}

/** Refuses keys that such a decision has not; undefined counts as absent. */
function refuseForeign(fields: Fields, hook: Hook, kind: DecisionKind): void {
  for (const key of namesIn(fields)) {
    const row = fields[key] === undefined ? undefined : ROWS.get(key);
    if (row !== undefined && !row.in[kind]) {
      throw beside(row.name, kind, fields, hook);
    }
  }
}

/** The keys that a decision may have: few, unless a class has made it. */
function namesIn(fields: Fields): readonly string[] {
  return Object.getPrototypeOf(fields) === Object.prototype
    ? Object.keys(fields)
    : KEY_NAMES;
}

function beside(
  key: DecisionKey,
  other: DecisionKey,
  fields: Fields,
  hook: Hook,
): DecisionError {
  const rule = `"${key}" cannot stand beside "${other}"`;
  return unusable(hook, rule, fields[key]);
}

/** Names the key that was probably meant: ProxyMachine has connect_timeout. */
function unknown(key: string): string {
  return new Broken("", undefined, [key], KEY_NAMES).sentence;
}

function unusable(hook: Hook, rule: string, value: unknown): DecisionError {
  return new DecisionError(
    `Cannot use the decision of ${hook}() as ${rule}: current value is ${
      describe(value)
    }`,
  );
}
