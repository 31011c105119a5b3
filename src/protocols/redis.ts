import { isDigit } from "./_address.ts";
import {
  byteClass,
  bytesOf,
  Cursor,
  latin1,
  MAX_MESSAGE,
  oneOf,
  TEXT,
  utf8,
  VISIBLE,
} from "./_bytes.ts";
import type { Input } from "./types.ts";

const CR = 0x0d;
const LF = 0x0a;
const STAR = 0x2a;
const DOLLAR = 0x24;
/** The shortest argument has six bytes: `$0` and twice CR LF. */
const MAX_ARGUMENTS = Math.floor(MAX_MESSAGE / 6);
const MAX_COMMAND = 64;
const LINE = byteClass((byte) => TEXT[byte] === 1 || byte === 0x09);
const LETTER = byteClass((byte) =>
  (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
);
const SEPARATOR = oneOf(" \t\r\n");
/** Commands that are recognised when they come as a line. */
const INLINE =
  "AUTH CLIENT COMMAND DBSIZE ECHO HELLO INFO PING QUIT RESET ROLE SELECT TIME"
    .split(" ");
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

/** The first command of a Redis client. */
export interface RedisCommand {
  /** Command in upper case, such as `AUTH`, `HELLO`, `SELECT` or `GET`. */
  readonly command: string;
  /** Arguments behind the command, as UTF-8. */
  readonly arguments: readonly string[];
  /** Length of the command in bytes. */
  readonly length: number;
}

/**
 * Reads the first command of a Redis client.
 *
 * Follows the "Redis serialization protocol specification": an array of
 * strings, as programs send it, or a line of text, as people type it. A line is
 * recognised when it begins with AUTH, CLIENT, COMMAND, DBSIZE, ECHO, HELLO,
 * INFO, PING, QUIT, RESET, ROLE, SELECT or TIME: any other could as well be of
 * another protocol. A command may have 65,536 bytes.
 *
 * @param data The first bytes of the connection.
 * @returns The command; `null` if this is not Redis; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { redis } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode("*2\r\n$6\r\nselect\r\n$1\r\n3\r\n");
 * const command = redis(bytes);
 * assert.equal(command?.command, "SELECT");
 * assert.deepEqual(command.arguments, ["3"]);
 * ```
 */
export function redis(data: Input): RedisCommand | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_MESSAGE);
  return c.bytes[0] === STAR ? readArray(c) : readLine(c);
}

function readArray(c: Cursor): RedisCommand | null | undefined {
  const count = readNumber(c, STAR, 1, MAX_ARGUMENTS);
  if (count < 0) return c.answer;
  const name = readNumber(c, DOLLAR, 1, MAX_COMMAND);
  if (name < 0 || !c.run(name, VISIBLE)) return c.answer;
  const command = latin1(c.bytes, c.pos - name, c.pos).toUpperCase();
  if (!endOfString(c)) return c.answer;
  const args: string[] = [];
  for (let i = 1; i < count; i++) {
    const length = readNumber(c, DOLLAR, 0, MAX_MESSAGE);
    if (length < 0 || !c.skip(length)) return c.answer;
    args.push(utf8(c.bytes, c.pos - length, c.pos));
    if (!endOfString(c)) return c.answer;
  }
  return { command, arguments: args, length: c.pos };
}

/** A number between `prefix` and CR LF, or -1. */
function readNumber(
  c: Cursor,
  prefix: number,
  min: number,
  max: number,
): number {
  if (c.uint(1, prefix, prefix) < 0) return -1;
  let value = 0;
  for (let digits = 0;; digits++) {
    const byte = c.uint(1);
    if (byte < 0) return -1;
    if (byte === CR && digits > 0 && value >= min) break;
    const hasLeadingZero = digits > 0 && value === 0;
    if (!isDigit(byte) || hasLeadingZero) return c.reject();
    value = value * 10 + byte - 0x30;
    if (value > max) return c.reject();
  }
  return c.uint(1, LF, LF) < 0 ? -1 : value;
}

function endOfString(c: Cursor): boolean {
  return c.uint(2, CR << 8 | LF, CR << 8 | LF) >= 0;
}

function readLine(c: Cursor): RedisCommand | null | undefined {
  const { bytes } = c;
  const wordEnd = c.over(LETTER, MAX_COMMAND);
  if (wordEnd < 0 && c.answer === null) return null;
  const word = latin1(bytes, 0, wordEnd < 0 ? bytes.length : wordEnd)
    .toUpperCase();
  if (wordEnd < 0) {
    return INLINE.some((command) => command.startsWith(word))
      ? undefined
      : null;
  }
  if (!INLINE.includes(word) || SEPARATOR[bytes[wordEnd]!] === 0) return null;
  const lineEnd = c.over(LINE, MAX_MESSAGE);
  if (lineEnd < 0 || !c.endOfLine()) return c.answer;
  const words = splitLine(utf8(bytes, 0, lineEnd));
  if (words === null) return null;
  return { command: word, arguments: words.slice(1), length: c.pos };
}

/**
 * Words, some of them in quotes; `null` when a quote is not closed or is in a
 * word.
 */
function splitLine(line: string): string[] | null {
  const words: string[] = [];
  let pos = 0;
  for (;;) {
    while (line[pos] === " " || line[pos] === "\t") pos++;
    if (pos === line.length) return words;
    const quote = line[pos];
    if (quote !== '"' && quote !== "'") {
      const start = pos;
      while (pos < line.length && !` \t"'`.includes(line[pos]!)) pos++;
      words.push(line.slice(start, pos));
    } else {
      const end = closingQuote(line, pos);
      if (end < 0) return null;
      words.push(unescape(line.slice(pos + 1, end), quote));
      pos = end + 1;
    }
    if (pos < line.length && line[pos] !== " " && line[pos] !== "\t") {
      return null;
    }
  }
}

function closingQuote(line: string, open: number): number {
  for (let i = open + 1; i < line.length; i++) {
    if (line[i] === "\\") i++;
    else if (line[i] === line[open]) return i;
  }
  return -1;
}

/** In single quotes only `\'` is special. */
function unescape(text: string, quote: string): string {
  if (quote === "'") return text.replaceAll("\\'", "'");
  return text.replace(
    /\\(?:x([0-9a-f]{2})|(.))/gi,
    (_, hex?: string, character?: string) => {
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return ESCAPES[character!] ?? character!;
    },
  );
}
