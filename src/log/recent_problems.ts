/**
 * The last warnings and errors of the log, for whoever asks later.
 *
 * @module
 */
import type { Level } from "./log.ts";

/** How many are kept. */
const MOST = 50;

/** Characters of a message that are kept. */
const MAX_LENGTH = 1000;

/** A warning or an error. */
export interface Trouble {
  /** When it was logged the last time, as in RFC 3339. */
  readonly time: string;
  readonly level: Level;
  /** The message, the last time. */
  readonly message: string;
  /** How often it was logged, for whatever client. */
  readonly count: number;
}

/** Where messages name a client, or count. */
const CLIENT =
  /(?<=^Cannot (?:route|go on with the connection of|read the PROXY header of|accept TLS from) )\S+|(?<=: )\S+(?: has sent \d+)?(?= since the decision$| is closed$)| \((?:client [^)]*|#\d+)\)/g;

/** What messages have in common that are about the same, for many clients. */
function withoutClient(message: string): string {
  return message.replace(CLIENT, "");
}

/** Keeps the last warnings and errors; the same one is counted. */
export class Troubles {
  /** By the message without its client or number; the last is the newest. */
  readonly #kept = new Map<string, Trouble>();

  /**
   * Keeps a line of the log, if it is important enough.
   *
   * @param level How important it is.
   * @param message What it says.
   */
  add(level: Level, message: string): void {
    if (level !== "error" && level !== "warn") return;
    const text = message.length > MAX_LENGTH
      ? `${message.slice(0, MAX_LENGTH)}…`
      : message;
    const key = `${level} ${withoutClient(text)}`;
    const count = (this.#kept.get(key)?.count ?? 0) + 1;
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    const time = new Date().toISOString();
    this.#kept.set(key, { time, level, message: text, count });
  }

  /** Lists them, the newest first. */
  list(): Trouble[] {
    return [...this.#kept.values()].reverse();
  }
}
