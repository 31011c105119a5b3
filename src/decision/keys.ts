/**
 * The keys of decisions: what each holds, and which decisions may have it. The
 * checks, the hints, and what route tables say of a key derive from this; the
 * compiler compares it with the contract.
 *
 * @module
 */
import {
  bytes,
  exactly,
  type Kind,
  kind,
  positiveSeconds,
  type Read,
  reworded,
  text,
  whole,
} from "../lib/kinds.ts";
import { REMOTES } from "../net/remote.ts";
import { REMOTE_TLS } from "../net/tls_options.ts";
import { POOL, POOL_KEY } from "../pool/decision.ts";
import type {
  ConnectKeys,
  DecisionKey,
  DecisionKeys,
  DecisionKind,
} from "../router/decision.ts";
import { isRouteName, ROUTE_NAME_RULE } from "./route_name.ts";

/** The decisions that the contract lets have a key. */
type KindsWith<Key extends DecisionKey> = {
  [Name in DecisionKind]: Key extends keyof DecisionKeys[Name] ? Name : never;
}[DecisionKind];

/** One key of decisions. */
interface Row<Key extends DecisionKey> {
  /** What it holds, and what that is read as. */
  readonly kind: Kind<unknown>;
  /** Which decisions may have it: as many as in the contract. */
  readonly in:
    & { readonly [Name in KindsWith<Key>]: true }
    & { readonly [Name in Exclude<DecisionKind, KindsWith<Key>>]?: never };
  /** Whether it holds for the next remote that a hook names, too. */
  readonly kept?: true;
  /** In a route table, if it is the same there. */
  readonly table?: { readonly kind: Kind<unknown>; readonly help: string };
  /** How a dry run shows what it was read as, if it is a setting of tables. */
  readonly show?: (value: number) => string;
}

const CONNECT = { remote: true, pool: true } as const;
const NAMED = { ...CONNECT, close: true, reply: true } as const;

/** setTimeout() counts milliseconds in 31 bits. */
const SECONDS = positiveSeconds(2_147_482);

/** A time, read as milliseconds. */
function time(help: string) {
  return {
    kind: reworded(SECONDS, "must be a positive number of seconds"),
    in: CONNECT,
    kept: true,
    table: { kind: SECONDS, help },
    show: (value: number) => String(value / 1000),
  } as const;
}

const PROXY_VERSION = exactly(1, 2);

const BYTES = bytes();

const LAST_BYTES = bytes("true or a Uint8Array or a string");

/** All keys, in the order in which they are checked and shown. */
export const KEYS = {
  /** Tried in order. */
  remote: { kind: REMOTES, in: { remote: true } },
  /** Chooses the remote. */
  pool: { kind: POOL, in: { pool: true } },
  /** For the policy `hash`. */
  key: { kind: POOL_KEY, in: { pool: true } },
  /** In place of the bytes that were read; `undefined` for those bytes. */
  data: { kind: BYTES, in: CONNECT, kept: true },
  /** For the client, before connecting. */
  reply: { kind: BYTES, in: { ...CONNECT, reply: true } },
  /** Milliseconds; `undefined` for what the option says. */
  connectTimeout: time("Seconds for one try to connect."),
  /** Milliseconds; `undefined` for no limit. */
  inactivityTimeout: time("Seconds for the first byte of the remote."),
  /** Milliseconds; `undefined` for what the option says. */
  idleTimeout: time("Seconds in which both directions may be silent."),
  /** Milliseconds; `undefined` for `idleTimeout`, or else what the option says. */
  halfCloseTimeout: time(
    "Seconds without progress after one side has ended; default: idleTimeout, if it stands beside it.",
  ),
  /** Milliseconds since accept; `undefined` for what the option says. */
  maxDuration: time("Seconds from accept to the end of the connection."),
  /** The version of the PROXY header for the remote; `undefined` for none. */
  proxyProtocol: {
    kind: PROXY_VERSION,
    in: CONNECT,
    table: {
      kind: PROXY_VERSION,
      help: "Send the remote a header of the PROXY protocol, of this version.",
    },
    show: String,
  },
  /** How to speak TLS with the remote; `undefined` for not at all. */
  tls: { kind: REMOTE_TLS, in: CONNECT },
  /** Who has decided, for logs and statistics. */
  route: { kind: text(ROUTE_NAME_RULE, isRouteName), in: NAMED },
  /** How many bytes to drop from the start of the buffer. */
  consume: { kind: whole(0, Infinity), in: { reply: true } },
  /** `true`, or the last bytes for the client. */
  close: {
    kind: kind(
      LAST_BYTES.rule,
      {},
      (value) => value === true ? value : LAST_BYTES.read(value),
    ),
    in: { close: true },
  },
  /** Always `true`. */
  noop: { kind: exactly(true), in: { noop: true } },
} as const satisfies { readonly [Key in DecisionKey]: Row<Key> };

type Rows = typeof KEYS;

/** The names of all keys. */
export const KEY_NAMES = Object.keys(KEYS) as readonly DecisionKey[];

/** What a key is read as. */
export type ReadKey<Key extends DecisionKey> = Read<Rows[Key]["kind"]>;

/** What a decision that connects says beside the remote, as it was read. */
export type ConnectValues = {
  readonly [Key in keyof Pick<Rows, keyof ConnectKeys>]:
    | ReadKey<Key>
    | undefined;
};

/** A key that a route table has as a decision has it. */
export type SettingKey = {
  [Key in DecisionKey]: Rows[Key] extends { table: unknown } ? Key : never;
}[DecisionKey];

/** The settings of a connection that a route table has, as in a decision. */
export type ConnectSettings = Pick<ConnectKeys, SettingKey>;

/** What all rows have in common. */
interface AnyRow extends Pick<Row<DecisionKey>, "kind" | "kept" | "table"> {
  readonly in: { readonly [Name in DecisionKind]?: true };
}

/** The names of the rows that fit; the caller knows of which type they are. */
function select<Key extends DecisionKey>(
  fits: (row: AnyRow) => boolean,
): readonly Key[] {
  return KEY_NAMES.filter((name): name is Key => fits(KEYS[name]));
}

/** The keys that a route table has as a decision has them. */
export const SETTINGS: readonly SettingKey[] = select((row) =>
  row.table !== undefined
);

/** Picks the settings, leaving out all other keys. */
export function settingsOf(values: ConnectSettings): ConnectSettings {
  return Object.fromEntries(SETTINGS.map((key) => [key, values[key]]));
}

/** The keys of every decision that connects. */
export const CONNECT_KEYS: readonly (keyof ConnectKeys)[] = select((row) =>
  row.in.remote === true && row.in.pool === true
);

/** The keys that hold for the next remote that a hook names, too. */
export const KEPT_KEYS: readonly (keyof ConnectKeys)[] = select((row) =>
  row.kept === true
);

/** The rows, by the names that a decision may have for keys. */
export const ROWS: ReadonlyMap<string, {
  readonly name: DecisionKey;
  readonly kind: Kind<unknown>;
  readonly in: AnyRow["in"];
  /** Whether it is a key of every decision that connects. */
  readonly isConnect: boolean;
}> = new Map(KEY_NAMES.map((name) => {
  const row: AnyRow = KEYS[name];
  const isConnect = (CONNECT_KEYS as readonly string[]).includes(name);
  return [name, { name, kind: row.kind, in: row.in, isConnect }];
}));
