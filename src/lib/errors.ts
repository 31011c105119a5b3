/**
 * Errors and values on one line, whatever they are.
 *
 * @module
 */

/** Where the program itself is: never the place of a router's mistake. */
const OWN_FOLDER = new URL("../", import.meta.url).href;

/** Characters of a description, at most. */
const MAX_LENGTH = 1000;

/**
 * Writes anything that was thrown on one line, with the place where it was.
 *
 * @param error Anything; a router can throw what it likes.
 * @returns For example `TypeError: x is not a function at file:///r.ts:3:5`.
 * Never throws.
 */
export function describeError(error: unknown): string {
  try {
    if (!(error instanceof Error)) return oneLine(String(error));
    const text = oneLine(`${error.name}: ${error.message}`);
    // the message of this one says all, and it is thrown by the program
    if (error.name === "DecisionError") return text;
    const place = placeOf(error);
    return place === undefined ? text : `${text} at ${place}`;
  } catch {
    return "what it threw cannot be written";
  }
}

/**
 * Makes one line of a text: control characters and the escape sequences of
 * terminals become spaces or vanish, and a module that came as a `data:` URL is
 * not printed again.
 *
 * @param text Any text.
 * @returns The line, shortened if it is very long.
 */
export function oneLine(text: string): string {
  const line = text
    // deno-lint-ignore no-control-regex
    .replaceAll(/\x1b\[[0-9;]*m/g, "")
    .replaceAll(
      /data:[\w/+.-]+;[^\s)]*?,[^\s)]*?(?=:\d+:\d+|[\s)"']|$)/g,
      "<standard input>",
    )
    // deno-lint-ignore no-control-regex
    .replaceAll(/\s*[\x00-\x1f\x7f-\x9f]+\s*/g, " ")
    .trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

/**
 * Finds where an error was thrown.
 *
 * @param error The error.
 * @param within What the place must contain.
 * @returns `url:line:column`, or `undefined` if its stack has no such place.
 */
export function placeOf(
  error: Error,
  within = "",
): string | undefined {
  if (typeof error.stack !== "string") return undefined;
  for (const line of error.stack.split("\n")) {
    const place = /^\s*at (?:.*\()?(.+:\d+:\d+)\)?$/.exec(line)?.[1];
    if (place === undefined || !/(?:file|data|https?):/.test(place)) continue;
    const text = oneLine(place);
    if (text.includes(within) && !text.startsWith(OWN_FOLDER)) return text;
  }
  return undefined;
}

/**
 * The message of anything that was thrown.
 *
 * @param error An error, or anything else.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Makes an error of anything that was thrown, if it is none. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * Says why a file cannot be read.
 *
 * @param error What reading it has thrown.
 */
export function whyUnreadable(error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? "there is no such file"
    : messageOf(error);
}

/** Writes any value on one short line; never throws. */
export function describe(value: unknown): string {
  let text: string;
  try {
    text = typeof value === "string" ? JSON.stringify(value) : Deno.inspect(
      value,
      {
        breakLength: Infinity,
        compact: true,
        depth: 2,
        strAbbreviateSize: 80,
        iterableLimit: 16,
      },
    );
  } catch {
    text = "a value that cannot be shown";
  }
  text = text.replaceAll(/\s*\n\s*/g, " ");
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
