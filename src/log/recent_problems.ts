/**
 * The last warnings and errors of the log, for whoever asks later.
 *
 * @module
 */
import { type Level, type Line, render } from "./log.ts";

/** How many texts are kept. */
const MOST = 50;

/** Characters of a message that are kept. */
const MAX_LENGTH = 1000;

/** Warnings or errors of the same text. */
export interface Trouble {
  /** When it was logged the last time, as in RFC 3339. */
  readonly time: string;
  readonly level: Level;
  /** What all have in common: the text, with the names of fields in braces. */
  readonly text: string;
  /** The message, the last time. */
  readonly message: string;
  /** How often it was logged, for whatever client or remote. */
  readonly count: number;
}

/** Keeps the last warnings and errors; those of the same text are counted. */
export class Troubles {
  /** By level and text; the last is the newest. */
  readonly #kept = new Map<string, Trouble>();

  /** Keeps a line of the log, if it is important enough. */
  add(line: Line): void {
    const { level, text } = line;
    if (level !== "error" && level !== "warn") return;
    const key = `${level} ${text}`;
    const count = (this.#kept.get(key)?.count ?? 0) + 1;
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    const time = new Date(line.time).toISOString();
    const message = shorten(render(line));
    this.#kept.set(key, { time, level, text, message, count });
  }

  /** Lists them, the newest first. */
  list(): Trouble[] {
    return [...this.#kept.values()].reverse();
  }
}

function shorten(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
