/**
 * The listeners of a command line: which options belong to which.
 *
 * @module
 */
import { resolve } from "node:path";
import { broken, ConfigError } from "../lib/config_error.ts";
import {
  formatAddress,
  type HostPort,
  isUnix,
  MAX_LISTEN_PATH,
  parsePort,
  parseSocketPath,
  withoutBrackets,
} from "../net/address.ts";
import type { ListenOptions, ListenTls } from "../net/listen.ts";
import { isNameless } from "../options/listen.ts";
import { LISTENER_ROWS } from "../options/listener_rows.ts";
import {
  LISTENER_OPTIONS,
  type ListenerValues,
  parseOption,
} from "../options/options.ts";

/** An option as it was given on the command line. */
export interface Given {
  /** The long name of the option. */
  readonly name: string;
  readonly value: string;
}

/** The options of one listener: all values of each, in order. */
type Group = ReadonlyMap<string, readonly string[]>;

/**
 * Finds out where to listen.
 *
 * A `--host` or `--port` that the listener before it has already begins another
 * one; the other options belong to the listener before them. Those in front of
 * all listeners are for all. What a listener has not been given of host and
 * port is that of the one before it, or else of the first after it: `-h ::1 -p
 * 80 -p 443` and `-h 127.0.0.1 -h ::1 -p 80` are two each. A socket file is a
 * host without a port.
 *
 * @param given The options of listeners.
 * @param settings The listeners of the route table, if it has any: they hold
 * unless a `--host` or `--port` was given.
 * @param unread Whether there is a route table that was not read yet.
 * @returns At least one.
 * @throws {ConfigError} If a value breaks its rule, or two listeners have the
 * same address or name.
 */
export function parseListeners(
  given: readonly Given[],
  settings: readonly ListenOptions[] | undefined,
  unread = false,
): readonly ListenOptions[] {
  const { common, groups } = group(given);
  const mode = last(common, "socket-mode");
  if (groups.length === 0 && settings !== undefined) {
    const listeners = withCommon(settings, common);
    if (mode !== undefined) requireFile(listeners, mode);
    return distinct(listeners);
  }
  const tcp = groups.filter((group) => !isFile(group));
  let host = first(tcp, "host") ?? defaultOf("host");
  let port = first(tcp, "port") ?? defaultOf("port");
  const listeners = (groups.length === 0 ? [new Map()] : groups)
    .map((group): ListenOptions => {
      const options = new Map([...common, ...group]);
      if (isFile(group)) return socketFile(last(group, "host") ?? "", options);
      const misplaced = last(group, "socket-mode");
      if (misplaced !== undefined) requireFile([], misplaced);
      host = last(group, "host") ?? host;
      port = last(group, "port") ?? port;
      const address = parseAddress(host, port);
      const { mode: _ofFiles, ...others } = optionsOf(options);
      return { name: formatAddress(address), ...address, ...others };
    });
  // the route table, which was not read yet, may have some
  const pending = unread && groups.length === 0;
  if (mode !== undefined && !pending) requireFile(listeners, mode);
  return distinct(listeners);
}

/** What its row says, for when nothing says where to listen. */
function defaultOf(name: "host" | "port"): string {
  return LISTENER_ROWS.filter((row) => "default" in row)
    .find((row) => row.name === name)?.default ?? "";
}

/**
 * Options in front of all listeners hold for those of the route table, too.
 */
function withCommon(
  settings: readonly ListenOptions[],
  common: Group,
): ListenOptions[] {
  const { mode, ...options } = optionsOf(common);
  return settings.map((one): ListenOptions => {
    if (mode === undefined || !("path" in one)) return { ...one, ...options };
    return { ...one, mode, ...options };
  });
}

/** Splits the options at each that begins another listener. */
function group(
  given: readonly Given[],
): { readonly common: Group; readonly groups: readonly Group[] } {
  const common = new Map<string, readonly string[]>();
  const groups: Map<string, readonly string[]>[] = [];
  for (const { name, value } of given) {
    if (beginsAnother(groups.at(-1), name, value)) groups.push(new Map());
    const group = groups.at(-1) ?? common;
    group.set(name, [...group.get(name) ?? [], value]);
  }
  return { common, groups };
}

function beginsAnother(
  before: Group | undefined,
  name: string,
  value: string,
): boolean {
  if (name !== "host" && name !== "port") return false;
  if (before === undefined || before.has(name)) return true;
  // a socket file has no port
  return name === "port" ? isFile(before) : isUnix(value);
}

/** Tells a socket file from a TCP socket. */
function isFile(group: Group): boolean {
  return isUnix(last(group, "host") ?? "");
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
): HostPort {
  // as in a URL
  const hostname = withoutBrackets(host);
  if (hostname === "") throw broken("--host", "must not be empty", host);
  const number = parsePort(port, 0);
  if (number === undefined) {
    throw broken("--port", "must be a whole number from 0 to 65535", port);
  }
  return { hostname, port: number };
}

function socketFile(host: string, options: Group): ListenOptions {
  const parsed = parseSocketPath(host, MAX_LISTEN_PATH);
  if (typeof parsed === "string") {
    throw broken("--host", parsed, host);
  }
  return {
    name: formatAddress(parsed),
    ...parsed,
    ...optionsOf(options),
  };
}

function requireFile(listeners: readonly ListenOptions[], mode: string): void {
  if (listeners.some((one) => "path" in one)) return;
  throw broken("--socket-mode", "must belong to a -h unix:/PATH", mode);
}

/** What the options say beside the address. */
function optionsOf(group: Group): Omit<ListenerValues, "alpn"> {
  const options: Record<string, unknown> = {};
  for (const option of LISTENER_OPTIONS) {
    const given = group.get(option.name);
    if (given === undefined) continue;
    options[option.key] = parseOption(
      option,
      option.list || option.many ? given : given.at(-1) ?? "",
    );
  }
  // each value was read by the kind of its row
  const { alpn = [], ...others } = options as ListenerValues;
  const tls = parseTls(group, alpn);
  return { ...others, ...tls === undefined ? {} : { tls } };
}

function parseTls(
  group: Group,
  alpn: readonly string[],
): ListenTls | undefined {
  const certs = group.get("tls-cert") ?? [];
  const keys = group.get("tls-key") ?? [];
  if (certs.length !== keys.length) {
    throw broken(
      "--tls-cert",
      "must have a --tls-key for each, in the same order",
      `${certs.length} and ${keys.length} keys`,
    );
  }
  if (certs.length === 0) {
    if (alpn.length === 0) return undefined;
    throw broken("--alpn", "must stand beside --tls-cert", alpn.join());
  }
  const file = (option: string, path = "") => {
    if (path === "") throw broken(option, "must not be empty", path);
    return resolve(path);
  };
  const certificates = certs.map((cert, index) => ({
    certFile: file("--tls-cert", cert),
    keyFile: file("--tls-key", keys[index]),
    names: [],
  }));
  return { certificates, alpn };
}

/**
 * Refuses listeners that cannot be told apart. Those that take any port that is
 * free get different ones, so they need no names.
 */
function distinct(
  listeners: readonly ListenOptions[],
): readonly ListenOptions[] {
  const addresses = new Set<string>();
  const names = new Set<string>();
  for (const listener of listeners) {
    const address = formatAddress(listener);
    const isAny = "port" in listener && listener.port === 0;
    if (isAny && isNameless(listener)) continue;
    if (!isAny && addresses.has(address)) {
      throw new ConfigError(
        `Cannot use -h and -p as they must name no address twice: current value is ${address}`,
      );
    }
    if (names.has(listener.name)) {
      throw broken(
        "--name",
        "must be different for each listener",
        listener.name,
      );
    }
    addresses.add(address);
    names.add(listener.name);
  }
  return listeners;
}
