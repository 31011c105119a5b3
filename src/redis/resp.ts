/**
 * The "Redis serialization protocol specification", version 3, as far as a
 * client needs it that asks for texts.
 *
 * @module
 */

/** An error in place of a reply. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

/** A message of the server that answers no command. */
export class Push {
  /** What it consists of, such as `["invalidate", ["a", "b"]]`. */
  readonly items: readonly Reply[];

  /** @param items What it consists of. */
  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** What the server says: numbers and booleans are texts, maps are lists. */
export type Reply = string | null | ReplyError | Push | readonly Reply[];

/** Bytes of one text, at most. */
const MAX_TEXT = 1024 * 1024;

/** Items of one list, at most. */
const MAX_ITEMS = 1024 * 1024;

/** Lists in lists, at most. */
const MAX_DEPTH = 8;

/** Bytes of a line, at most. */
const MAX_LINE = 64 * 1024;

const CR = 0x0d;
const LF = 0x0a;
const encoder = new TextEncoder();
// a key may begin with what looks like a byte order mark
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes a command.
 *
 * @param words The command and its arguments; they may have any characters.
 */
export function encodeCommand(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) {
    text += `$${encoder.encode(word).length}\r\n${word}\r\n`;
  }
  return text;
}

/** A list of which not all items have come. */
interface OpenList {
  readonly kind: "list" | "push" | "attribute";
  readonly items: Reply[];
  left: number;
}

/** Reads replies, wherever the bytes of the stream are split. */
export class ReplyDecoder {
  #bytes = new Uint8Array(0);
  #at = 0;
  readonly #open: OpenList[] = [];

  /**
   * Reads bytes.
   *
   * @param bytes What came next; they are copied if they are needed later.
   * @returns The replies that are complete.
   * @throws {Error} If this is no such protocol, or too much of it.
   */
  read(bytes: Uint8Array): Reply[] {
    const rest = this.#bytes.subarray(this.#at);
    if (rest.length === 0) this.#bytes = bytes as Uint8Array<ArrayBuffer>;
    else {
      this.#bytes = new Uint8Array(rest.length + bytes.length);
      this.#bytes.set(rest);
      this.#bytes.set(bytes, rest.length);
    }
    this.#at = 0;
    const replies: Reply[] = [];
    for (;;) {
      const reply = this.#token();
      if (reply === undefined) break;
      const whole = this.#close(reply);
      if (whole !== undefined) replies.push(whole);
    }
    this.#bytes = this.#bytes.slice(this.#at);
    this.#at = 0;
    return replies;
  }

  /** Reads a value, or the head of a list; `undefined` if it is incomplete. */
  #token(): Reply | OpenList | undefined {
    const end = this.#bytes.indexOf(LF, this.#at);
    if (end < 0) {
      if (this.#bytes.length - this.#at > MAX_LINE) throw malformed();
      return undefined;
    }
    if (this.#bytes[end - 1] !== CR || end - this.#at < 2) throw malformed();
    const type = String.fromCharCode(this.#bytes[this.#at] as number);
    const line = decoder.decode(this.#bytes.subarray(this.#at + 1, end - 1));
    switch (type) {
      case "$":
      case "=":
      case "!":
        return this.#text(type, line, end + 1);
      case "*":
      case "~":
      case "%":
      case ">":
      case "|":
        this.#at = end + 1;
        return openList(type, line);
      case "+":
      case ":":
      case ",":
      case "(":
      case "#":
        this.#at = end + 1;
        return line;
      case "_":
        this.#at = end + 1;
        return null;
      case "-":
        this.#at = end + 1;
        return new ReplyError(line);
    }
    throw malformed();
  }

  #text(type: string, line: string, start: number): Reply | undefined {
    const length = count(line, MAX_TEXT);
    if (length < 0) {
      this.#at = start;
      return null;
    }
    if (this.#bytes.length < start + length + 2) return undefined;
    this.#at = start + length + 2;
    const text = decoder.decode(this.#bytes.subarray(start, start + length));
    return type === "!" ? new ReplyError(text) : text;
  }

  /** Puts a value into the list that it belongs to; gives what is complete. */
  #close(token: Reply | OpenList): Reply | undefined {
    let value: Reply;
    if (!isOpen(token)) value = token;
    else if (token.left > 0) {
      if (this.#open.length === MAX_DEPTH) throw malformed();
      this.#open.push(token);
      return undefined;
    } else if (token.kind === "attribute") return undefined;
    else value = finish(token);
    for (;;) {
      const list = this.#open.at(-1);
      if (list === undefined) return value;
      list.items.push(value);
      if (--list.left > 0) return undefined;
      this.#open.pop();
      // it only describes what follows
      if (list.kind === "attribute") return undefined;
      value = finish(list);
    }
  }
}

function isOpen(token: Reply | OpenList): token is OpenList {
  return typeof token === "object" && token !== null && "left" in token;
}

function openList(type: string, line: string): OpenList | null {
  const length = count(line, MAX_ITEMS);
  if (length < 0) return null;
  return {
    kind: type === ">" ? "push" : type === "|" ? "attribute" : "list",
    items: [],
    left: type === "%" || type === "|" ? length * 2 : length,
  };
}

function finish({ kind, items }: OpenList): Reply {
  return kind === "push" ? new Push(items) : items;
}

/** A length; -1 is how version 2 writes null. */
function count(line: string, most: number): number {
  const length = /^(-1|\d{1,9})$/.test(line) ? Number(line) : NaN;
  if (!(length <= most)) throw malformed();
  return length;
}

function malformed(): Error {
  return new Error("it does not speak RESP3, or says too much at once");
}
