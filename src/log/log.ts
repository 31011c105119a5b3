/**
 * The operational log: what the proxy does and what has gone wrong. A line is a
 * text with named fields: people read the text with the fields in their places,
 * programs read the fields, and lines of the same text are of the same kind.
 *
 * @module
 */

/** How important a line is, from the most to the least. */
export const LEVELS = ["error", "warn", "info", "debug"] as const;

/** One of {@linkcode LEVELS}. */
export type Level = typeof LEVELS[number];

/** The value of a field. */
export type FieldValue = string | number | boolean;

/**
 * Fields by name. The names in use: `client`, `remote` and `listener` are
 * addresses, `id` is the number of a connection, `pool`, `route`, `worker` and
 * `router` are names, `error` is the message of an error. One that is
 * `undefined` is left out.
 */
export type Fields = Readonly<Record<string, FieldValue | undefined>>;

/** The names in the braces of a text. */
type Placeholder<Text extends string> = Text extends
  `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;

/**
 * The fields of a line: those that its text names must be there. A text is known
 * to the compiler, as lines of the same text are of the same kind: what comes
 * from elsewhere is a field.
 */
export type FieldsOf<Text extends string> = string extends Text
  ? [fields: never]
  : [Placeholder<Text>] extends [never] ? [fields?: Fields]
  : [fields: Fields & Readonly<Record<Placeholder<Text>, FieldValue>>];

/** Takes a line: a text with placeholders such as `{remote}`, and its fields. */
export type LogMethod = <const Text extends string>(
  text: Text,
  ...fields: FieldsOf<Text>
) => void;

/**
 * Takes lines for the log. No method blocks or throws.
 *
 * ```ts ignore
 * log.error("Connect {remote} failed: {error}", { remote, error, client, id });
 * ```
 */
export interface Log {
  /** Something failed: a remote, the router, the proxy. */
  readonly error: LogMethod;
  /** Something is wrong but the proxy can go on: a retry, a limit. */
  readonly warn: LogMethod;
  /** What an operator wants to see: started, stopping. */
  readonly info: LogMethod;
  /** What helps to find a mistake in a router: every decision. */
  readonly debug: LogMethod;
  /** Whether `debug` lines are wanted; ask before building an expensive one. */
  readonly verbose: boolean;
}

/** A line of the log. */
export interface Line {
  readonly level: Level;
  /** When it happened: milliseconds since 1970. */
  readonly time: number;
  /** The text with its placeholders. */
  readonly text: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/**
 * Makes a log that passes each line on.
 *
 * @param level The least important level that is wanted; lines of others cost
 * nothing but the call.
 */
export function makeLog(level: Level, take: (line: Line) => void): Log {
  const wanted = LEVELS.indexOf(level);
  const method = (level: Level): LogMethod =>
    LEVELS.indexOf(level) > wanted
      ? () => {}
      : (text, fields?: Fields) =>
        take({ level, time: Date.now(), text, fields: withoutGaps(fields) });
  return {
    error: method("error"),
    warn: method("warn"),
    info: method("info"),
    debug: method("debug"),
    verbose: wanted >= LEVELS.indexOf("debug"),
  };
}

function withoutGaps(fields: Fields = {}): Line["fields"] {
  const present: Record<string, FieldValue> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) present[name] = value;
  }
  return present;
}

/**
 * Cuts a text at its placeholders.
 *
 * @returns Literal text and values in turns, beginning and ending with text, as
 * `LogRecord.message` of LogTape is. A placeholder that has no value stays.
 */
export function partsOf(
  { text, fields }: Pick<Line, "text" | "fields">,
): FieldValue[] {
  return text.split(/\{(\w+)\}/).map((part, index) =>
    index % 2 === 0
      ? part
      : Object.hasOwn(fields, part)
      ? fields[part] as FieldValue
      : `{${part}}`
  );
}

/**
 * Writes the values of fields in the place of their placeholders.
 *
 * @returns The text as a person reads it; it may have control characters.
 */
export function render(line: Pick<Line, "text" | "fields">): string {
  return partsOf(line).join("");
}
