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
 * Characters that are cleaned, at most: what clients send may be part of a text,
 * and cost no more than this.
 */
const CLEANED = 4 * MAX_LENGTH;

/** Characters of the description of a value, at most. */
const MAX_VALUE = 200;

/** Lines of a stack that are looked at, at most. */
const MAX_LINES = 200;

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
  const start = hideModules(text).slice(0, CLEANED);
  const line = start
    // deno-lint-ignore no-control-regex
    .replaceAll(/\x1b\[[0-9;]*m/g, "")
    .replaceAll(
      // deno-lint-ignore no-control-regex
      /[\s\x00-\x1f\x7f-\x9f]+/g,
      // deno-lint-ignore no-control-regex
      (run) => /[\x00-\x1f\x7f-\x9f]/.test(run) ? " " : run,
    )
    .trim();
  return line.length > MAX_LENGTH || start.length === CLEANED
    ? `${line.slice(0, MAX_LENGTH)}…`
    : line;
}

/**
 * Writes `<standard input>` in place of modules that came as `data:` URLs. Goes
 * over the text once: a pattern that searches for the comma of each `data:` would
 * go over the rest for each of them.
 */
function hideModules(text: string): string {
  let shown = "";
  let from = 0;
  for (;;) {
    const start = text.indexOf("data:", from);
    if (start < 0 || shown.length > CLEANED) return shown + text.slice(from);
    const end = findFrom(text, /[\s)"']/g, start);
    const module = text.slice(start, end);
    const comma = module.indexOf(",");
    const isModule = /^data:[\w/+.-]+;/.test(module) && comma >= 0;
    const place = isModule ? findFrom(module, /:\d+:\d+/g, comma) : 0;
    shown += text.slice(from, start) +
      (isModule ? `<standard input>${module.slice(place)}` : module);
    from = end;
  }
}

/** Where a pattern first matches from a place on; the end if it does not. */
function findFrom(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
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
  const { stack } = error;
  if (typeof stack !== "string") return undefined;
  // the message comes first, and may be long and have lines that look like places
  const text = `${error.message}\n`;
  const head = [`${error.name}: `, "Error: ", ""]
    .find((start) => stack.startsWith(start + text));
  let at = head === undefined ? 0 : head.length + text.length;
  for (let lines = 0; lines < MAX_LINES && at < stack.length; lines++) {
    const end = findFrom(stack, /\n/g, at);
    const place = placeIn(stack.slice(at, end).trim());
    at = end + 1;
    if (place === undefined) continue;
    if (place.includes(within) && !place.startsWith(OWN_FOLDER)) return place;
  }
  return undefined;
}

/** The place that a line of a stack names, such as `at f (file:///r.ts:3:5)`. */
function placeIn(line: string): string | undefined {
  if (!line.startsWith("at ")) return undefined;
  const call = line.endsWith(")") ? line.slice(0, -1) : line;
  if (!/:\d{1,9}:\d{1,9}$/.test(call.slice(-20))) return undefined;
  const start = /(?:file|data|https?):/.exec(call)?.index;
  return start === undefined ? undefined : oneLine(call.slice(start));
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
    text = typeof value === "string"
      ? JSON.stringify(value.slice(0, MAX_VALUE))
      : Deno.inspect(value, {
        breakLength: Infinity,
        compact: true,
        depth: 2,
        strAbbreviateSize: 80,
        iterableLimit: 16,
      });
  } catch {
    text = "a value that cannot be shown";
  }
  // cut first, then cleaned
  const line = text.slice(0, CLEANED)
    .replaceAll(/\s+/g, (run) => run.includes("\n") ? " " : run);
  return line.length > MAX_VALUE ? `${line.slice(0, MAX_VALUE)}…` : line;
}
