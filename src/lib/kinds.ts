/**
 * Kinds of values: for each, what a value must be, and what it is read as.
 * Options, decisions, pools and tables in Redis are checked with the same ones,
 * so that a rule and its words exist once.
 *
 * @module
 */

import { Broken, unknownKey } from "./broken.ts";

/** A part of JSON Schema: what an editor is told about a kind. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a value must be, and what it is read as. */
export interface Kind<T> {
  /** The rule, such as `must be a whole number from 1 to 1024`. */
  readonly rule: string;
  /** The values that are allowed, for editors. */
  readonly json: JsonSchema;
  /**
   * Reads a value, as it is in a module or a YAML file.
   *
   * @param value Anything, but not `undefined`.
   */
  read(value: unknown): T | Broken;
  /**
   * Reads a text, as it is on a command line.
   *
   * @param text The text, which may be empty.
   */
  parse(text: string): T | Broken;
}

/** What a kind reads values as. */
export type Read<K> = K extends Kind<infer T> ? T : never;

/**
 * Makes a kind.
 *
 * @param rule The rule, such as `must be 1 or 2`.
 * @param json The values that are allowed, for editors.
 * @param read Reads a value; `undefined` if it breaks the rule.
 * @param parse Reads a text; without it, the text is read as a value.
 */
export function kind<T>(
  rule: string,
  json: JsonSchema,
  read: (value: unknown) => T | Broken | undefined,
  parse: (text: string) => T | Broken | undefined = read,
): Kind<T> {
  return {
    rule,
    json,
    read: (value) => read(value) ?? new Broken(rule, value),
    parse: (text) => parse(text) ?? new Broken(rule, text),
  };
}

/** The same kind whose values are read as something else. */
export function map<T, U>(one: Kind<T>, change: (value: T) => U): Kind<U> {
  const changed = (value: T | Broken) =>
    value instanceof Broken ? value : change(value);
  return {
    rule: one.rule,
    json: one.json,
    read: (value) => changed(one.read(value)),
    parse: (text) => changed(one.parse(text)),
  };
}

/**
 * The same kind with a rule in other words.
 *
 * @param one A kind without parts.
 * @param rule The rule, such as `must be a positive number`.
 */
export function reworded<T>(one: Kind<T>, rule: string): Kind<T> {
  const word = (read: T | Broken) =>
    read instanceof Broken ? new Broken(rule, read.value) : read;
  return {
    rule,
    json: one.json,
    read: (value) => word(one.read(value)),
    parse: (text) => word(one.parse(text)),
  };
}

/** A whole number. */
export function whole(least: number, most: number): Kind<number> {
  const read = (value: unknown) =>
    typeof value === "number" && Number.isInteger(value) && value >= least &&
      value <= most
      ? value
      : undefined;
  return kind(
    `must be a whole number from ${least} to ${most}`,
    { type: "integer", minimum: least, maximum: most },
    read,
    (text) => /^\d+$/.test(text) ? read(Number(text)) : undefined,
  );
}

/** A number of seconds from `least` to `most`, read as milliseconds. */
export function secondsFrom(least: number, most: number): Kind<number> {
  return times(
    `must be a number of seconds from ${least} to ${most}`,
    { type: "number", minimum: least, maximum: most },
    (value) => value >= least && value <= most,
  );
}

/** A positive number of seconds, read as milliseconds. */
export function positiveSeconds(most: number): Kind<number> {
  return times(
    `must be a positive number of seconds, at most ${most}`,
    { type: "number", exclusiveMinimum: 0, maximum: most },
    (value) => value > 0 && value <= most,
  );
}

/** A number of seconds, read as milliseconds; 0 stands for no limit. */
export function secondsOrNone(most: number): Kind<number> {
  return times(
    `must be a number of seconds, at most ${most}, or 0 for no limit`,
    { type: "number", minimum: 0, maximum: most },
    (value) => value >= 0 && value <= most,
  );
}

function times(
  rule: string,
  json: JsonSchema,
  fits: (seconds: number) => boolean,
): Kind<number> {
  const read = (value: unknown) =>
    typeof value === "number" && fits(value) ? value * 1000 : undefined;
  return kind(
    rule,
    json,
    read,
    (text) => /^\d*\.?\d+$/.test(text) ? read(Number(text)) : undefined,
  );
}

/** One of some words. */
export function word<const W extends string>(words: readonly W[]): Kind<W> {
  return kind(
    `must be one of ${words.join(", ")}`,
    { type: "string", enum: words },
    (value) => words.find((one) => one === value),
  );
}

/** One of some values that are no texts, such as 1 and 2. */
export function exactly<const V extends number | boolean>(
  ...values: readonly V[]
): Kind<V> {
  return kind(
    `must be ${values.join(" or ")}`,
    { enum: values },
    (value) => values.find((one) => one === value),
    (text) => values.find((one) => String(one) === text),
  );
}

/**
 * A text.
 *
 * @param rule The rule, such as `must be a host name`.
 * @param fits Whether a text obeys it; without it, every text does.
 */
export function text(
  rule: string,
  fits: (text: string) => boolean = () => true,
): Kind<string> {
  return kind(
    rule,
    { type: "string" },
    (value) => typeof value === "string" && fits(value) ? value : undefined,
  );
}

/**
 * A text that is not empty.
 *
 * @param what What it is, for values that are no texts: `a path`.
 */
export function nonEmpty(what: string): Kind<string> {
  return kind(
    `must be ${what}`,
    { type: "string", minLength: 1 },
    (value) =>
      value === ""
        ? new Broken("must not be empty", value)
        : typeof value === "string"
        ? value
        : undefined,
  );
}

/**
 * A text that a function reads.
 *
 * @param what What it is, for values that are no texts: `a host`.
 * @param read Returns what it is read as, or the rule that it breaks.
 */
export function parsed<T extends object>(
  what: string,
  read: (text: string) => T | string,
): Kind<T> {
  return kind(`must be ${what}`, { type: "string" }, (value) => {
    if (typeof value !== "string") return undefined;
    const result = read(value);
    return typeof result === "string" ? new Broken(result, value) : result;
  });
}

const encoder = new TextEncoder();

/**
 * Bytes: a `Uint8Array`, which is not copied, or a string, encoded as UTF-8.
 *
 * @param what What it may be.
 */
export function bytes(
  what = "a Uint8Array or a string",
): Kind<Uint8Array> {
  return kind(`must be ${what}`, { type: "string" }, (value) => {
    if (typeof value === "string") return encoder.encode(value);
    return value instanceof Uint8Array ? value : undefined;
  });
}

/**
 * One value, or a list of at least one, read as a list. On a command line,
 * commas are between.
 *
 * @param one The kind of each value.
 * @param rule The rule for values that are neither.
 * @param most The most that a list may have.
 */
export function oneOrMore<T>(
  one: Kind<T>,
  rule: string,
  most = Infinity,
): Kind<readonly T[]> {
  const each = (values: readonly unknown[], read: Kind<T>["read"]) => {
    const list: T[] = [];
    const broken: Broken[] = [];
    for (const [index, value] of values.entries()) {
      const item = read(value);
      if (item instanceof Broken) broken.push(item.in(index));
      else list.push(item);
    }
    return broken.length === 0 ? list : Broken.ofAll(broken);
  };
  const items = {
    type: "array",
    minItems: 1,
    ...most === Infinity ? {} : { maxItems: most },
    items: one.json,
  };
  return kind<readonly T[]>(
    rule,
    { anyOf: [one.json, items] },
    (value) => {
      if (!Array.isArray(value)) {
        const item = one.read(value);
        if (!(item instanceof Broken)) return [item];
        // a value of the wrong type is told that a list is right as well
        return item.rule === one.rule ? undefined : item;
      }
      if (value.length === 0) return undefined;
      if (value.length > most) {
        return new Broken(`must be a list of at most ${most}`, value);
      }
      return each(value, one.read);
    },
    (text) => {
      const list = each(text.split(","), (item) => one.parse(String(item)));
      return list instanceof Broken ? new Broken(list.rule, list.value) : list;
    },
  );
}

/** The fields of an object: a kind for each; all may be left out. */
export type Fields = Readonly<Record<string, Kind<unknown>>>;

/** What the fields of an object are read as; `undefined` if left out. */
export type ReadFields<F extends Fields> = {
  readonly [K in keyof F]: Read<F[K]> | undefined;
};

/**
 * Reads an object of known fields. A field that is `undefined` counts as left
 * out.
 *
 * @param value Anything.
 * @param fields The fields that it may have.
 * @param rule The rule for values that are no objects.
 * @returns All fields, or the rules that are broken.
 */
export function readFields<const F extends Fields>(
  value: unknown,
  fields: F,
  rule = "must be an object",
): ReadFields<F> | Broken {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Broken(rule, value);
  }
  const values = value as Readonly<Record<string, unknown>>;
  const known = Object.keys(fields);
  const broken: Broken[] = [];
  const read: Record<string, unknown> = {};
  for (const key of known) {
    const field = values[key] === undefined
      ? undefined
      : fields[key]?.read(values[key]);
    if (field instanceof Broken) broken.push(field.in(key));
    else read[key] = field;
  }
  for (const key of Object.keys(values)) {
    if (Object.hasOwn(fields, key)) continue;
    const rule = unknownKey(key, known);
    broken.push(new Broken(rule, values[key], [key], known));
  }
  if (broken.length > 0) return Broken.ofAll(broken);
  // each field was read by its kind
  return read as ReadFields<F>;
}

/**
 * Makes the JSON Schema of an object.
 *
 * @param fields The fields that it may have.
 * @param help What editors are told about them.
 * @param required The fields that it must have.
 */
export function fieldsJson(
  fields: Fields,
  help: Readonly<Record<string, string>> = {},
  required: readonly string[] = [],
): JsonSchema {
  const properties = Object.entries(fields).map(([name, { json }]) => {
    const description = help[name];
    return [name, description === undefined ? json : { ...json, description }];
  });
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...required.length === 0 ? {} : { required },
    additionalProperties: false,
  };
}
