/**
 * What a route does: the keys of an action in a route table, and what they are
 * read as.
 *
 * @module
 */
import {
  type ConnectSettings,
  KEYS,
  type SettingKey,
  SETTINGS,
  settingsOf,
} from "../decision/keys.ts";
import {
  type Kind,
  nonEmpty,
  oneOrMore,
  parsed,
  type Read,
  whole,
} from "../lib/kinds.ts";
import { MAX_REMOTES } from "../net/remote.ts";
import { MAX_PREREAD } from "../options/rows.ts";
import { CONTENT, LAST_CONTENT, TEMPLATE, TLS } from "./content.ts";
import type { Action } from "./route_table.ts";
import { parseTemplate } from "./template.ts";

const REMOTE = "a text host:port or unix:/path";

/** The keys that are not as in a decision: what they hold, and their help. */
const OWN_KEYS = {
  remote: [
    oneOrMore(
      parsed(REMOTE, parseTemplate),
      `must be ${REMOTE}, or a list of those`,
      MAX_REMOTES,
    ),
    "Where to connect: host:port or unix:/path; variables such as ${tls.serverName} are filled in. Of a list, each is tried in order.",
  ],
  pool: [
    nonEmpty("the name of a pool"),
    "Connect to a member of this pool, one of pools.",
  ],
  table: [
    nonEmpty("the name of a table"),
    "Connect to what this table, one of tables, has for the key; if it has nothing, the routes below are tried.",
  ],
  key: [
    TEMPLATE,
    "What is looked up in the table; or what chooses the member if the policy of the pool is hash; default: the client's IP address.",
  ],
  reply: [
    CONTENT,
    "Sent to the client: before connecting to the remote or, with consume, to go on routing.",
  ],
  consume: [
    whole(1, MAX_PREREAD),
    "How many bytes to drop before routing goes on with those that follow.",
  ],
  close: [LAST_CONTENT, "Close: at once, or after these last bytes."],
  tls: [TLS, "Speak TLS with the remote, and verify its certificate."],
} as const;

type OwnKeys = typeof OWN_KEYS;

/** What an action is read as: settings stay as they are in the file. */
export type ActionValues =
  & {
    readonly [Key in keyof OwnKeys]?: Read<OwnKeys[Key][0]> | undefined;
  }
  & Readonly<ConnectSettings>;

/** A key of an action. */
interface ActionKey {
  readonly kind: Kind<unknown>;
  readonly help: string;
  /** Whether a decision has it as well, with the same values. */
  readonly isSetting: boolean;
}

const { tls, ...first } = OWN_KEYS;

/** All keys of an action. */
export const ACTION_KEYS: ReadonlyMap<keyof OwnKeys | SettingKey, ActionKey> =
  new Map([
    ...Object.entries(first).map(own),
    ...SETTINGS.map((name) =>
      [name, { ...KEYS[name].table, isSetting: true }] as const
    ),
    own(["tls", tls]),
  ]);

function own(
  [name, [kind, help]]: [string, readonly [Kind<unknown>, string]],
): readonly [keyof OwnKeys, ActionKey] {
  return [name as keyof OwnKeys, { kind, help, isSetting: false }];
}

/** Makes an action of what its keys were read as. */
export function toAction(values: ActionValues): Action {
  const { remote, pool, table, key, reply, consume = 0, close, tls } = values;
  if ((remote ?? pool ?? table) !== undefined) {
    return {
      kind: "remote",
      pool,
      table,
      key,
      remotes: remote ?? [],
      reply,
      ...settingsOf(values),
      tls,
    };
  }
  return reply !== undefined
    ? { kind: "reply", reply, consume }
    : { kind: "close", content: close };
}
