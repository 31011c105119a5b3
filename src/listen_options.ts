/**
 * The listeners of a command line: which options belong to which.
 *
 * @module
 */
import { ConfigError, unusable } from "./config_error.ts";
import { parseNetwork } from "./config/network.ts";
import { formatAddress, parsePort } from "./connection/address.ts";
import type { AcceptProxy, ListenOptions } from "./connection/listener.ts";
import { listOption } from "./list_option.ts";

/** What stands on the command line, in order. */
export interface Given {
  /** The long name of the option. */
  readonly name: string;
  readonly value: string;
}

/** The options of one listener: all values of each, in order. */
type Group = ReadonlyMap<string, readonly string[]>;

/** Where to listen when nothing says where. */
const DEFAULT = { host: "0.0.0.0", port: "5432" } as const;

/**
 * Finds out where to listen.
 *
 * A `--host` or `--port` that the listener before it has already begins another
 * one; the other options belong to the listener before them. Those in front of
 * all listeners are for all. What a listener has not been given of host and
 * port is that of the one before it, or else of the first after it: `-h ::1 -p
 * 80 -p 443` and `-h 127.0.0.1 -h ::1 -p 80` are two each.
 *
 * @param given The options of listeners.
 * @param settings The listeners of the route table, if it has any: they hold
 * unless a `--host` or `--port` was given.
 * @returns At least one.
 * @throws {ConfigError} If a value breaks its rule, or two listeners have the
 * same address or name.
 */
export function parseListeners(
  given: readonly Given[],
  settings: readonly ListenOptions[] | undefined,
): readonly ListenOptions[] {
  const { common, groups } = group(given);
  if (groups.length === 0 && settings !== undefined) {
    return distinct(settings.map((one) => ({ ...one, ...optionsOf(common) })));
  }
  let host = first(groups, "host") ?? DEFAULT.host;
  let port = first(groups, "port") ?? DEFAULT.port;
  const listeners = (groups.length === 0 ? [new Map()] : groups)
    .map((group) => {
      host = last(group, "host") ?? host;
      port = last(group, "port") ?? port;
      const address = parseAddress(host, port);
      return {
        name: formatAddress(address),
        ...address,
        ...optionsOf(new Map([...common, ...group])),
      };
    });
  return distinct(listeners);
}

/** Splits the options at each that begins another listener. */
function group(
  given: readonly Given[],
): { readonly common: Group; readonly groups: readonly Group[] } {
  const common = new Map<string, readonly string[]>();
  const groups: Map<string, readonly string[]>[] = [];
  for (const { name, value } of given) {
    const isPlace = name === "host" || name === "port";
    if (isPlace && groups.at(-1)?.has(name) !== false) groups.push(new Map());
    const group = groups.at(-1) ?? common;
    group.set(name, [...group.get(name) ?? [], value]);
  }
  return { common, groups };
}

function first(groups: readonly Group[], name: string): string | undefined {
  return groups.find((group) => group.has(name))?.get(name)?.[0];
}

/** The value that counts of an option that was repeated. */
function last(group: Group, name: string): string | undefined {
  return group.get(name)?.at(-1);
}

function parseAddress(
  host: string,
  port: string,
): Pick<ListenOptions, "hostname" | "port"> {
  // as in a URL
  const hostname = host.replace(/^\[(.*)\]$/, "$1");
  if (hostname === "") throw unusable("--host", "be not empty", host);
  const number = parsePort(port, 0);
  if (number === undefined) {
    throw unusable("--port", "be a whole number from 0 to 65535", port);
  }
  return { hostname, port: number };
}

/** What the options say beside the address. */
function optionsOf(group: Group): Partial<ListenOptions> {
  const name = last(group, "name");
  if (name === "") throw unusable("--name", "be not empty", name);
  const acceptProxy = parseAcceptProxy(group.get("accept-proxy"));
  return {
    ...name === undefined ? {} : { name },
    ...acceptProxy === undefined ? {} : { acceptProxy },
  };
}

function parseAcceptProxy(
  values: readonly string[] | undefined,
): AcceptProxy | undefined {
  const list = listOption("--accept-proxy", values);
  if (list === undefined || list === true) return list;
  for (const network of list) {
    const parsed = parseNetwork(network);
    if (typeof parsed !== "string") continue;
    throw new ConfigError(
      `Cannot use --accept-proxy as each network ${parsed}: current value is ${
        JSON.stringify(network)
      }`,
    );
  }
  return list;
}

/** Refuses listeners that cannot be told apart. */
function distinct(
  listeners: readonly ListenOptions[],
): readonly ListenOptions[] {
  const addresses = new Set<string>();
  const names = new Set<string>();
  for (const listener of listeners) {
    const address = formatAddress(listener);
    if (addresses.has(address)) {
      throw new ConfigError(
        `Cannot use -h and -p as they must name no address twice: current value is ${address}`,
      );
    }
    if (names.has(listener.name)) {
      throw unusable(
        "--name",
        "be different for each listener",
        listener.name,
      );
    }
    addresses.add(address);
    names.add(listener.name);
  }
  return listeners;
}
