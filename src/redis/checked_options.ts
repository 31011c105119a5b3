/**
 * What a router says about a table in Redis, checked.
 *
 * @module
 */
import { formatAddress, type HostPort, parseHostPort } from "../net/address.ts";
import { describe } from "../lib/errors.ts";
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

/** A rule that an option breaks. */
export interface BrokenOption {
  readonly key: keyof RedisTableOptions;
  readonly rule: string;
}

/** The longest prefix, in characters. */
const MAX_PREFIX = 256;

/** The longest time-out, in seconds. */
const MAX_TIMEOUT = 60;

/** The most remotes that can be remembered. */
const MAX_ENTRIES = 10_000_000;

const KEYS: readonly (keyof RedisTableOptions)[] = [
  "url",
  "prefix",
  "password",
  "ca",
  "timeout",
  "maxEntries",
];

/**
 * Checks a table.
 *
 * @param options Anything at all, as the router may be JavaScript.
 * @returns The table, with all defaults.
 * @throws {TableError} If a rule is broken; the message names key, rule, value,
 * but no password.
 */
export function planTable(options: unknown): TablePlan {
  if (
    typeof options !== "object" || options === null || Array.isArray(options)
  ) {
    throw new TableError(
      `Cannot make a table as its options must be an object: current value is ${
        describe(options)
      }`,
    );
  }
  const values = options as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(values)) {
    if ((KEYS as readonly string[]).includes(key)) continue;
    throw new TableError(
      `Cannot make a table as "${key}" is not one of ${KEYS.join(", ")}`,
    );
  }
  const plan = readOptions(values);
  if (!("rule" in plan)) return plan;
  const { key, rule } = plan;
  throw new TableError(
    `Cannot make a table as "${key}" ${rule}: current value is ${
      describeOption(key, values[key])
    }`,
  );
}

/**
 * Reads the options of a table.
 *
 * @param values The options; each value may be anything.
 * @returns The table, or the rule that is broken.
 */
export function readOptions(
  values: Readonly<Record<string, unknown>>,
): TablePlan | BrokenOption {
  const { prefix = "route:", password, timeout = 1, maxEntries = 100_000 } =
    values;
  const server = typeof values.url === "string"
    ? parseServer(values.url)
    : URL_RULE;
  if (typeof server === "string") return { key: "url", rule: server };
  if (
    typeof prefix !== "string" || prefix.length > MAX_PREFIX ||
    !prefix.isWellFormed()
  ) {
    const rule = `must be a string of at most ${MAX_PREFIX} characters`;
    return { key: "prefix", rule };
  }
  if (password !== undefined && typeof password !== "string") {
    return { key: "password", rule: "must be a string" };
  }
  if (password !== undefined && server.password !== undefined) {
    const rule = "cannot stand beside a password in the URL";
    return { key: "password", rule };
  }
  if (server.user !== undefined && !(password ?? server.password)) {
    return { key: "url", rule: "must have a password beside the user" };
  }
  const ca: readonly unknown[] = [values.ca ?? []].flat();
  if (!ca.every((one) => typeof one === "string")) {
    return { key: "ca", rule: "must be a string, or a list of those" };
  }
  if (ca.length > 0 && !server.tls) {
    return { key: "ca", rule: "must go with rediss://" };
  }
  if (
    typeof timeout !== "number" || !(timeout >= 0.01 && timeout <= MAX_TIMEOUT)
  ) {
    const rule = `must be a number of seconds from 0.01 to ${MAX_TIMEOUT}`;
    return { key: "timeout", rule };
  }
  if (
    typeof maxEntries !== "number" || !Number.isInteger(maxEntries) ||
    maxEntries < 2 || maxEntries > MAX_ENTRIES
  ) {
    const rule = `must be a whole number from 2 to ${MAX_ENTRIES}`;
    return { key: "maxEntries", rule };
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
    timeout: timeout * 1000,
    maxEntries,
  };
}

/** The part of a plan that stands in a URL. */
type Server = Pick<
  TablePlan,
  "address" | "tls" | "user" | "password" | "database"
>;

const URL_RULE =
  `must be a string "redis://host:port/database", or the same with rediss://`;

function parseServer(text: string): Server | string {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol)) return URL_RULE;
  if (url.search !== "" || url.hash !== "") {
    return "must have nothing behind the number of the database";
  }
  const address = parseHostPort(`${url.hostname}:${url.port || 6379}`);
  if (typeof address === "string") return URL_RULE;
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

function describeOption(key: keyof RedisTableOptions, value: unknown): string {
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
