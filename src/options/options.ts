/**
 * The options of the program, checked: from the command line, from a route
 * table, or the defaults.
 *
 * @module
 */
import { broken, ConfigError } from "../lib/config_error.ts";
import { Broken } from "../lib/broken.ts";
import type { Kind } from "../lib/kinds.ts";
import type { CommonListenOptions, ListenOptions } from "../net/listen.ts";
import type { AdminOptions } from "./admin.ts";
import type { Option, OptionKind, Part } from "./option.ts";
import { OPTIONS, type Row } from "./rows.ts";

/** What a command line gives, by the long name of the option. */
export type Values = {
  readonly [R in Row as R["name"]]?: R extends { list: true }
    ? readonly string[]
    : R extends { argument: string } ? string
    : boolean;
};

/** A row whose value is read by its kind alone. */
type ReadRow = Extract<Row, { readonly kind: object; readonly key: string }>;

/** The value of an option. */
type ValueOf<R> = R extends { readonly kind: Kind<infer T> }
  ? R extends { readonly default: string } | { readonly initial: unknown } ? T
  : T | undefined
  : never;

/** The options of a part, by their keys. */
type PartOf<P extends Part> = {
  readonly [
    R in Extract<ReadRow, { readonly part: P }> as R["key"]
  ]: ValueOf<R>;
};

/** The options that are in no part. */
type Alone = Exclude<ReadRow, { readonly part: Part }>;

/** The limits that hold for each connection; times are in milliseconds. */
export type ConnectionOptions = PartOf<"connection">;

/** What the router may do beside computing. */
export interface Grants extends PartOf<"grants"> {
  /** Absolute paths of socket files to connect to; no more than that. */
  readonly unix: readonly string[];
}

/** The options that need no more than their rows; times are in milliseconds. */
export type ReadOptions =
  & { readonly [R in Alone as R["key"]]: ValueOf<R> }
  & {
    readonly connection: ConnectionOptions;
    readonly addresses: PartOf<"addresses">;
    readonly grants: PartOf<"grants">;
  };

/** The checked options; times are in milliseconds. */
export interface Options extends ReadOptions {
  /** A path, or `-` for standard input. */
  readonly config: string;
  /** At least one. */
  readonly listen: readonly ListenOptions[];
  readonly workers: number;
  readonly grants: Grants;
  /** Where the admin server listens, if there is to be one. */
  readonly admin: AdminOptions | undefined;
}

/** What may be left out. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The options that a route table sets; one on the command line wins. */
export interface Settings
  extends
    Optional<Omit<ReadOptions, Part>>,
    Optional<ConnectionOptions>,
    Optional<PartOf<"addresses">> {
  readonly listen?: readonly ListenOptions[] | undefined;
  readonly grants?: Optional<Grants> | undefined;
  readonly admin?: AdminOptions | undefined;
}

/** An option that its kind reads. */
export type ReadOption = Option & {
  readonly kind: OptionKind<unknown>;
  readonly key: string;
};

/** The options that need no more than their rows. */
export const READ_OPTIONS: readonly ReadOption[] = OPTIONS.filter(isRead)
  .filter(({ part }) => part !== "listener");

/** The options of a listener that need no more than their rows. */
export const LISTENER_OPTIONS: readonly ReadOption[] = OPTIONS.filter(isRead)
  .filter(({ part }) => part === "listener");

/** The options of a listener beside its address, as their kinds read them. */
export type ListenerValues = Partial<CommonListenOptions> & {
  readonly mode?: number;
  readonly alpn?: readonly string[];
};

function isRead(option: Option): option is ReadOption {
  return option.kind !== undefined && option.key !== undefined;
}

/**
 * Reads the options that need no more than their rows.
 *
 * @returns The value of each: that of the command line, or else of the route table,
 * or else the default.
 * @throws {ConfigError} If a value on the command line breaks its rule.
 */
export function readOptions(values: Values, settings: Settings): ReadOptions {
  const parts: Record<string, Record<string, unknown>> = {
    connection: {},
    addresses: {},
    grants: {},
  };
  const alone: Record<string, unknown> = {};
  for (const option of READ_OPTIONS) {
    const place = option.part === undefined ? alone : parts[option.part];
    const given = values[option.name as keyof Values];
    if (place === undefined) continue;
    place[option.key] = given === undefined
      ? valueIn(settings, option) ?? defaultOf(option)
      : parseOption(option, given);
  }
  // the rows, which the loop has followed, are what this type is made of
  return { ...alone, ...parts } as unknown as ReadOptions;
}

function valueIn(settings: Settings, { part, key }: ReadOption): unknown {
  const from = part === "grants" ? settings.grants ?? {} : settings;
  return (from as Readonly<Record<string, unknown>>)[key];
}

/** The value of an option. */
export function valueOf(
  options: ReadOptions,
  { part, key }: ReadOption,
): unknown {
  const from = part === undefined
    ? options
    : options[part as keyof ReadOptions];
  return (from as Readonly<Record<string, unknown>>)[key];
}

function defaultOf(option: ReadOption): unknown {
  return option.default === undefined
    ? option.initial
    : parseOption(option, option.default);
}

/**
 * Reads the value of an option on the command line.
 *
 * @param given The text; the texts of a list, which are empty where it was left
 * out; or `true` for an option without a value.
 * @returns What its kind reads it as.
 * @throws {ConfigError} If it breaks the rule.
 */
export function parseOption<T>(
  { name, each, kind }: Pick<Option, "name" | "each"> & { kind: Kind<T> },
  given: string | readonly string[] | boolean,
): T {
  if (typeof given === "boolean") return kind.read(given) as T; // a flag
  // a list that was left out once is everything
  const text = typeof given === "string"
    ? given
    : given.includes("")
    ? ""
    : given.join(",");
  const value = kind.parse(text);
  if (!(value instanceof Broken)) return value;
  if (each !== undefined && value.path.length > 0) {
    throw new ConfigError(
      `Cannot use --${name} as each ${each} ${value.rule}: current value is ${
        JSON.stringify(value.value)
      }`,
    );
  }
  throw broken(`--${name}`, value.rule, String(value.value));
}

/**
 * Tells a route table from a router module.
 *
 * @param config The value of `--config`.
 */
export function isRouteTable(config: string): boolean {
  return /\.ya?ml$/i.test(config);
}
