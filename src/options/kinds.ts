/**
 * The kinds of values that options have.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import {
  exactly,
  type Kind,
  kind,
  nonEmpty,
  oneOrMore,
  positiveSeconds,
  readFields,
  secondsOrNone,
  whole,
  word,
} from "../lib/kinds.ts";
import type { Rate } from "../limits/address_table.ts";
import { isUnix, parseSocketPath } from "../net/address.ts";
import { parseNetwork } from "../net/cidr.ts";
import type { AcceptProxy } from "../net/listen.ts";
import { isAlpn } from "../net/tls_options.ts";
import type { OptionKind } from "./option.ts";

/** One kind of permission: nothing, everything, or what the list names. */
export type Grant = boolean | readonly string[];

/** The most seconds that an option may be. */
const MAX_SECONDS = 1_000_000;

/** Connections per second of one address, and at a time after a rest. */
const RATE = [0.001, 10_000] as const;
const BURST = [1, 1_000_000] as const;

/** Adds how `--check` writes a value. */
function shown<T>(
  one: Kind<T>,
  show: (value: T) => string | undefined,
): OptionKind<T> {
  return { ...one, show };
}

/** A number that is shown as it is. */
export function number(least: number, most: number): OptionKind<number> {
  return shown(whole(least, most), String);
}

/**
 * The most that there may be of something.
 *
 * @param what Of what, such as ` bytes`.
 */
export function count(most: number, what = ""): OptionKind<number> {
  return shown(whole(1, most), (value) => `at most ${value}${what}`);
}

/** The same, where 0 stands for no limit. */
export function countOrNone(most: number, what = ""): OptionKind<number> {
  const show = (value: number) =>
    value === 0 ? undefined : `at most ${value}${what}`;
  return { ...shown(whole(0, most), show), zero: true };
}

/**
 * A positive time in seconds, read as milliseconds.
 *
 * @param show Writes the seconds.
 */
export function seconds(
  show = (seconds: number) => `at most ${seconds} seconds`,
): OptionKind<number> {
  return shown(positiveSeconds(MAX_SECONDS), (value) => show(value / 1000));
}

/** A time in seconds, read as milliseconds; 0 stands for no limit. */
export const SECONDS_OR_NONE: OptionKind<number> = {
  ...shown(
    secondsOrNone(MAX_SECONDS),
    (value) => value === 0 ? undefined : `at most ${value / 1000} seconds`,
  ),
  zero: true,
};

/** One of some words. */
export function words<const W extends string>(
  all: readonly W[],
): OptionKind<W> {
  return shown(word(all), String);
}

/** An option without a value. */
export const FLAG: OptionKind<boolean> = shown(
  exactly<boolean>(true, false),
  String,
);

/**
 * A text that is not empty.
 *
 * @param what What it is, such as `a path`.
 * @param show Writes it.
 */
export function name(
  what: string,
  show: (value: string) => string = String,
): OptionKind<string> {
  return shown(nonEmpty(what), show);
}

const PER_SECOND: Kind<number> = kind(
  `must be a number per second from ${RATE[0]} to ${RATE[1]}`,
  { type: "number", minimum: RATE[0], maximum: RATE[1] },
  (value) =>
    typeof value === "number" && value >= RATE[0] && value <= RATE[1]
      ? value
      : undefined,
);

const BURST_COUNT = whole(...BURST);

/** A rate without a burst of its own lets come what may come in a second. */
function withBurst(perSecond: number, burst?: number): Rate {
  return { perSecond, burst: burst ?? Math.max(1, Math.ceil(perSecond)) };
}

const RATE_RULE = "must be a number, or a mapping of perSecond and burst";

function readRate(value: unknown): Rate | undefined | Broken {
  if (value === 0) return undefined;
  if (typeof value === "number") {
    const perSecond = PER_SECOND.read(value);
    return perSecond instanceof Broken ? perSecond : withBurst(perSecond);
  }
  const fields = readFields(
    value,
    { perSecond: PER_SECOND, burst: BURST_COUNT },
    RATE_RULE,
  );
  if (fields instanceof Broken) return fields;
  const { perSecond, burst } = fields;
  return perSecond === undefined
    ? new Broken("is needed", undefined, ["perSecond"])
    : withBurst(perSecond, burst);
}

function parseRate(text: string): Rate | undefined | Broken {
  if (/^0*\.?0+$/.test(text)) return undefined;
  const [, first, second] = /^(\d*\.?\d+)(?::(\d+))?$/.exec(text) ?? [];
  const perSecond = PER_SECOND.read(Number(first));
  const burst = second === undefined
    ? undefined
    : BURST_COUNT.read(Number(second));
  return perSecond instanceof Broken || burst instanceof Broken
    ? new Broken(
      `must be connections per second from ${RATE[0]} to ${
        RATE[1]
      }, or such and a burst as in 5:20`,
      text,
    )
    : withBurst(perSecond, burst);
}

/** How fast connections of one address may come; `undefined` for no limit. */
export const RATE_LIMIT: OptionKind<Rate | undefined> = {
  rule: RATE_RULE,
  json: {
    anyOf: [
      { const: 0 },
      PER_SECOND.json,
      {
        type: "object",
        properties: {
          perSecond: PER_SECOND.json,
          burst: {
            ...BURST_COUNT.json,
            description:
              "Connections at a time after a rest; default: of a second.",
          },
        },
        required: ["perSecond"],
        additionalProperties: false,
      },
    ],
  },
  zero: true,
  read: readRate,
  parse: parseRate,
  show: (rate) =>
    rate &&
    `at most ${rate.perSecond} new ones per second, ${rate.burst} at a time`,
};

const LIST_RULE = "must be a list with commas between";

/** Reads a text with commas between; it is empty if the list was left out. */
function parseList(
  text: string,
  check: (item: string) => string | undefined,
): true | readonly string[] | Broken {
  if (text === "") return true;
  const list = text.split(",");
  if (list.includes("")) return new Broken(LIST_RULE, text);
  for (const [index, item] of list.entries()) {
    const rule = check(item);
    if (rule !== undefined) return new Broken(rule, item, [index]);
  }
  return list;
}

/**
 * A permission.
 *
 * @param what What an item is, such as `a path`.
 * @param check Says which rule an item breaks.
 */
export function grant(
  what: string,
  check: (item: string) => string | undefined = () => undefined,
): OptionKind<Grant> {
  const item = checked(what, check);
  const list = oneOrMore(item, `must be true, ${what}, or a list of those`);
  return {
    rule: list.rule,
    json: {
      anyOf: [{ type: "boolean" }, item.json, {
        type: "array",
        items: item.json,
      }],
    },
    read: (value) =>
      typeof value === "boolean" || Array.isArray(value) && value.length === 0
        ? value
        : list.read(value),
    parse: (text) => parseList(text, check),
    show: (value) =>
      value === true ? "all" : value === false ? "none" : value.join(","),
  };
}

/** A text that is not empty, and that a function checks. */
function checked(
  what: string,
  check: (text: string) => string | undefined,
): Kind<string> {
  return kind(`must be ${what}`, { type: "string", minLength: 1 }, (value) => {
    if (typeof value !== "string") return undefined;
    const rule = value === "" ? "must not be empty" : check(value);
    return rule === undefined ? value : new Broken(rule, value);
  });
}

/** Says which rule a host breaks that may be a socket file. */
export function checkHost(host: string): string | undefined {
  if (!isUnix(host)) return undefined;
  const parsed = parseSocketPath(host);
  return typeof parsed === "string" ? parsed : undefined;
}

/**
 * Finds the socket files that a list of hosts names.
 *
 * @param hosts What `--allow-net` may have: hosts, and `unix:/path`.
 */
export function socketPaths(hosts: readonly string[]): string[] {
  return hosts.filter(isUnix).flatMap((host) => {
    const parsed = parseSocketPath(host);
    return typeof parsed === "string" ? [] : [parsed.path];
  });
}

function checkNetwork(network: string): string | undefined {
  const parsed = parseNetwork(network);
  return typeof parsed === "string" ? parsed : undefined;
}

const NETWORK = checked("an IP address or a network", checkNetwork);

const NETWORKS = oneOrMore(
  NETWORK,
  "must be true, an IP address or a network, or a list of those",
);

/** Who may send a header of the PROXY protocol: anyone, or some networks. */
export const ACCEPT_PROXY: OptionKind<AcceptProxy> = {
  rule: NETWORKS.rule,
  json: { anyOf: [{ const: true }, NETWORKS.json] },
  read: (value) => value === true ? true : NETWORKS.read(value),
  parse: (text) => parseList(text, checkNetwork),
  show: (value) => value === true ? "any peer" : value.join(" | "),
};

/** The permissions of a file, in octal digits as chmod(1) takes them. */
export const MODE: OptionKind<number> = shown(
  kind(
    `must be octal digits in quotes, such as "660"`,
    { type: "string", pattern: "^0?[0-7]{3}$" },
    (value) => {
      if (typeof value !== "string") return undefined;
      return /^0?[0-7]{3}$/.test(value)
        ? parseInt(value, 8)
        : new Broken("must be three octal digits, such as 660", value);
    },
  ),
  (value) => value.toString(8).padStart(3, "0"),
);

const PROTOCOLS = oneOrMore(
  kind(
    "must be a protocol",
    { type: "string" },
    (value) => {
      if (typeof value !== "string") return undefined;
      return isAlpn([value])
        ? value
        : new Broken("must be 1 to 255 ASCII characters", value);
    },
  ),
  "must be a protocol, or a list of those",
);

/** Application protocols of TLS, the best first. */
export const ALPN: OptionKind<readonly string[]> = {
  ...shown(PROTOCOLS, (value) => value.join(" | ")),
  parse(text) {
    const list = text.split(",");
    const rule = "must be protocols with commas between";
    return isAlpn(list) ? list : new Broken(rule, text);
  },
};
