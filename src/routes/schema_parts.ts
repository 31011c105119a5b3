/**
 * What the schema of a route table is made of. For the main thread only.
 *
 * @module
 */
import { z } from "zod";
import { Broken, unknownKey } from "../lib/broken.ts";
import type { JsonSchema, Kind } from "../lib/kinds.ts";

/** What an error says: that a key is missing, or the rule of its value. */
export function rule(
  text: string,
): { error: (issue: { input?: unknown }) => string } {
  return { error: ({ input }) => input === undefined ? "is needed" : text };
}

/** A mapping of these keys, and no others. */
export function mapping<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") {
        return issue.input === undefined ? "is needed" : "must be a mapping";
      }
      // a line for each of the keys
      return issue.keys.map((key) => unknownKey(key, Object.keys(shape)))
        .join("\n");
    },
  });
}

/**
 * A value that a kind reads: what comes out is what it is read as.
 *
 * @param kind The kind, whose rules are those of the messages.
 */
export function fromKind<T>(kind: Kind<T>): z.ZodType<T> {
  return z.unknown().meta(kind.json).transform((input, context): T => {
    const read = kind.read(input);
    if (!(read instanceof Broken)) return read;
    for (const { rule, path } of read.all) {
      const message = input === undefined ? "is needed" : rule;
      const isOtherType = path.length === 0 && !hasType(input, kind.json);
      context.issues.push(
        isOtherType
          // among several alternatives, this is not the one that was meant
          ? { code: "invalid_type", expected: "custom", input, message }
          : { code: "custom", input, message, path: [...path] },
      );
    }
    return z.NEVER;
  });
}

/**
 * A value that a kind reads later: what comes out is what stands in the file.
 *
 * @param kind The kind, whose rules are those of the messages.
 */
export function checkedBy<T>(kind: Kind<unknown>): z.ZodType<T> {
  const unread: Kind<unknown> = {
    ...kind,
    read(value) {
      const read = kind.read(value);
      return read instanceof Broken ? read : value;
    },
  };
  // what the kind accepts is of that type
  return fromKind(unread) as z.ZodType<T>;
}

/** Whether a value is of the type that a schema is for. */
function hasType(value: unknown, { type, anyOf }: JsonSchema): boolean {
  if (Array.isArray(anyOf)) return anyOf.some((one) => hasType(value, one));
  switch (type) {
    case "integer":
    case "number":
      return typeof value === "number";
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && !Array.isArray(value);
  }
  return type === "string" ? typeof value === "string" : type === undefined;
}

/** A text that a function can read; it returns a text when it cannot. */
export function text(
  what: string,
  read: (value: string) => unknown,
): z.ZodString {
  return z.string(rule(`must be ${what}`)).superRefine((value, context) => {
    const result = read(value);
    if (typeof result === "string") {
      context.addIssue({ code: "custom", message: result });
    }
  });
}

/** One value, or a list of them. */
export function oneOrMore<One extends z.ZodType>(
  one: One,
  what: string,
  most = Infinity,
): z.ZodUnion<[One, z.ZodArray<One>]> {
  const must = rule(`must be ${what}, or a list of those`);
  const list = z.array(one, must).min(1, must);
  if (most === Infinity) return z.union([one, list], must);
  const atMost = rule(`must be a list of at most ${most}`);
  return z.union([one, list.max(most, atMost)], must);
}

/** A whole number. */
export function whole(least: number, most: number): z.ZodNumber {
  const must = rule(`must be a whole number from ${least} to ${most}`);
  return z.int(must).min(least, must).max(most, must);
}

/** A text that is not empty. */
export function nonEmpty(what: string): z.ZodString {
  return z.string(rule(`must be ${what}`)).min(1, rule("must not be empty"));
}
