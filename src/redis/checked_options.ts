/**
 * What a router says about a table in Redis, checked.
 *
 * @module
 */
import { describe } from "../lib/errors.ts";
import { Broken } from "../lib/broken.ts";
import {
  type Kind,
  kind,
  parsed,
  readFields,
  secondsFrom,
  text,
  whole,
} from "../lib/kinds.ts";
import { formatAddress, type HostPort, parseHostPort } from "../net/address.ts";
import type { RedisTableOptions } from "./options.ts";

/** A table that cannot be made; the message is one line for the operator. */
export class TableError extends TypeError {
  override readonly name = "TableError";
}

/** A table that was checked. */
export interface TablePlan {
  /** What logs call it: the URL without user and password, and the prefix. */
  readonly title: string;
  readonly address: HostPort;
  readonly tls: boolean;
  readonly ca: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly prefix: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly maxEntries: number;
}

/** The longest prefix, in characters. */
const MAX_PREFIX = 256;

/** The part of a plan that stands in a URL. */
type Server = Pick<
  TablePlan,
  "address" | "tls" | "user" | "password" | "database"
>;

const URL_KIND: Kind<Server> = parsed(
  `a string "redis://host:port/database", or the same with rediss://`,
  parseServer,
);

const FIELDS = {
  url: URL_KIND,
  prefix: text(
    `must be a string of at most ${MAX_PREFIX} characters`,
    (prefix) => prefix.length <= MAX_PREFIX && prefix.isWellFormed(),
  ),
  password: text("must be a string"),
  ca: kind("must be a string, or a list of those", {}, (value) => {
    const list: readonly unknown[] = [value].flat();
    return list.every((one) => typeof one === "string") ? list : undefined;
  }),
  timeout: secondsFrom(0.01, 60),
  maxEntries: whole(2, 10_000_000),
} satisfies Record<keyof RedisTableOptions, Kind<unknown>>;

/**
 * Checks a table.
 *
 * @param options Anything at all, as the router may be JavaScript.
 * @returns The table, with all defaults.
 * @throws {TableError} If a rule is broken; the message names key, rule, value,
 * but no password.
 */
export function planTable(options: unknown): TablePlan {
  const plan = readOptions(options);
  if (!(plan instanceof Broken)) return plan;
  const { path: [key], rule, value, known } = plan;
  const what = key === undefined ? "its options" : `"${key}"`;
  const current = known === undefined
    ? `: current value is ${describeOption(key, value)}`
    : "";
  throw new TableError(`Cannot make a table as ${what} ${rule}${current}`);
}

/**
 * Reads the options of a table.
 *
 * @param options Anything at all.
 * @returns The table, or a rule that is broken; its value may be a secret.
 */
export function readOptions(options: unknown): TablePlan | Broken {
  const fields = readFields(options, FIELDS);
  if (fields instanceof Broken) return fields;
  const { url: server, prefix = "route:", ca = [], timeout = 1000 } = fields;
  const { password, maxEntries = 100_000 } = fields;
  const values = options as Readonly<Record<string, unknown>>;
  const broken = (key: keyof RedisTableOptions, rule: string) =>
    new Broken(rule, values[key], [key]);
  if (server === undefined) return broken("url", URL_KIND.rule);
  if (password !== undefined && server.password !== undefined) {
    return broken("password", "cannot stand beside a password in the URL");
  }
  if (server.user !== undefined && !(password ?? server.password)) {
    return broken("url", "must have a password beside the user");
  }
  if (ca.length > 0 && !server.tls) {
    return broken("ca", "must go with rediss://");
  }
  const { tls, address, database } = server;
  return {
    ...server,
    password: password ?? server.password,
    title: `${prefix}* in ${tls ? "rediss" : "redis"}://${
      formatAddress(address)
    }/${database}`,
    ca,
    prefix,
    timeout,
    maxEntries,
  };
}

function parseServer(text: string): Server | string {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol)) return URL_KIND.rule;
  if (url.search !== "" || url.hash !== "") {
    return "must have nothing behind the number of the database";
  }
  const address = parseHostPort(`${url.hostname}:${url.port || 6379}`);
  if (typeof address === "string") return URL_KIND.rule;
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (database === undefined) {
    return "must have the number of a database behind the host";
  }
  const user = decode(url.username);
  const password = decode(url.password);
  if (user === null || password === null) {
    return "must have user and password in percent-encoded UTF-8";
  }
  return {
    address,
    tls: url.protocol === "rediss:",
    user,
    password,
    database: Number(database),
  };
}

/** Decodes a part of a URL: `undefined` if it is empty, `null` if it cannot. */
function decode(text: string): string | undefined | null {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    return null;
  }
}

function describeOption(key: unknown, value: unknown): string {
  if (key === "password") return "a secret";
  return describe(
    key === "url" && typeof value === "string" ? withoutSecrets(value) : value,
  );
}

/**
 * Makes the URL of a server one that can be shown.
 *
 * @param url The URL, which need not be one.
 * @returns The same without user and password.
 */
export function withoutSecrets(url: string): string {
  return url.replace(/^(\w*:\/*).*@/s, "$1…@");
}
