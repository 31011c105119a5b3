/**
 * What the schema of a route table is made of. For the main thread only.
 *
 * @module
 */
import { z } from "zod";

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

/** Names the key that was probably meant: options have other names there. */
function unknownKey(key: string, known: readonly string[]): string {
  const plain = (text: string) => text.replaceAll(/[-_]/g, "").toLowerCase();
  const meant = known.find((name) => plain(name) === plain(key));
  return meant === undefined
    ? `is not one of ${known.join(", ")}`
    : `is written ${meant}`;
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

/** A positive number of seconds. */
export function seconds(most: number): z.ZodNumber {
  const must = rule(`must be a positive number of seconds, at most ${most}`);
  return z.number(must).positive(must).max(most, must);
}

/** A number; the text is its rule. */
export function number(least: number, most: number, text: string): z.ZodNumber {
  const must = rule(text);
  return z.number(must).min(least, must).max(most, must);
}

/** A number of seconds, or 0. */
export function secondsOrOff(most: number): z.ZodNumber {
  const must = rule(
    `must be a number of seconds, at most ${most}, or 0 for no limit`,
  );
  return z.number(must).nonnegative(must).max(most, must);
}

/** A text that is not empty. */
export function nonEmpty(what: string): z.ZodString {
  return z.string(rule(`must be ${what}`)).min(1, rule("must not be empty"));
}

/** Bytes. */
export const hex: z.ZodObject<{ hex: z.ZodString }, z.core.$strict> = mapping({
  hex: text("bytes in hexadecimal", checkHex).describe(
    "Bytes as hexadecimal digits; spaces do not matter.",
  ),
});

/** Reads bytes in hexadecimal; a text says which rule they break. */
export function checkHex(value: string): string | undefined {
  return /^\s*([\da-f]{2}\s*)+$/i.test(value)
    ? undefined
    : "must be bytes of two hexadecimal digits each";
}
