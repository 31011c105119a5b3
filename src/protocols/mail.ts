import { byteClass, bytesOf, Cursor, latin1, textOf } from "./_bytes.ts";
import type { Input } from "./types.ts";

/** RFC 5321 has 512 bytes, extensions more. */
const MAX_SMTP = 4096;
/** RFC 7162 section 4. */
const MAX_IMAP = 8192;
const SP = 0x20;
const LF = 0x0a;
const CR = 0x0d;
const LINE = byteClass((byte) => byte !== CR && byte !== LF && byte !== 0);
const SMTP_COMMANDS: ReadonlySet<string> = new Set(
  "AUTH DATA EHLO EXPN HELO HELP LHLO MAIL NOOP QUIT RCPT RSET STARTTLS VRFY XCLIENT"
    .split(" "),
);
const IMAP_COMMANDS: ReadonlySet<string> = new Set(
  "AUTHENTICATE CAPABILITY COMPRESS ENABLE ID LOGIN LOGOUT NOOP STARTTLS"
    .split(" "),
);

/** A command of an SMTP client. */
export interface SmtpCommand {
  /** Command in upper case, such as `EHLO`, `STARTTLS` or `MAIL`. */
  readonly command: string;
  /**
   * What comes behind the first space, such as the client's name; empty when
   * there is nothing. UTF-8, or else one character per byte.
   */
  readonly argument: string;
  /** Length of the line in bytes with its end: what a router `consume`s. */
  readonly length: number;
}

/** A command of an IMAP client. */
export interface ImapCommand {
  /** What the client calls the command; the answer has to repeat it. */
  readonly tag: string;
  /** Command in upper case, such as `CAPABILITY`, `STARTTLS` or `LOGIN`. */
  readonly command: string;
  /**
   * What comes behind the command; empty when there is nothing. UTF-8, or else
   * one character per byte.
   */
  readonly argument: string;
  /** Length of the line in bytes with its end: what a router `consume`s. */
  readonly length: number;
}

/**
 * Reads a command of an SMTP or LMTP client.
 *
 * Follows RFC 5321. The server speaks first (`220 host ESMTP`): a router uses
 * this in a dialogue, for instance to answer `EHLO` and `STARTTLS` and to read
 * the hello of TLS behind them. It is not meant for guessing.
 *
 * @param data What the client has sent.
 * @returns The command; `null` if this is none; `undefined` while its line is
 *   incomplete. A line may have 4,096 bytes.
 *
 * @example
 * ```ts
 * import { smtpCommand } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const line = new TextEncoder().encode("ehlo client.example\r\n");
 * assert.equal(smtpCommand(line)?.command, "EHLO");
 * assert.equal(smtpCommand(line)?.argument, "client.example");
 * ```
 */
export function smtpCommand(data: Input): SmtpCommand | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_SMTP);
  const end = c.over(LINE, MAX_SMTP);
  if (end < 0 || !c.endOfLine()) return c.answer;
  const [command, argument] = splitAt(c.bytes, 0, end);
  return SMTP_COMMANDS.has(command)
    ? { command, argument, length: c.pos }
    : null;
}

/**
 * Reads a command of an IMAP client that it may give before it has logged in.
 *
 * Follows RFC 9051 and 3501. The server speaks first (`* OK`): a router uses this
 * in a dialogue, for instance to answer `CAPABILITY` and `STARTTLS`. It is not
 * meant for guessing. The bytes of a literal (`{5}`) come behind the line.
 *
 * @param data What the client has sent.
 * @returns The command; `null` if this is none; `undefined` while its line is
 *   incomplete. A line may have 8,192 bytes.
 *
 * @example
 * ```ts
 * import { imapCommand } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const line = new TextEncoder().encode("a1 starttls\r\n");
 * assert.equal(imapCommand(line)?.tag, "a1");
 * assert.equal(imapCommand(line)?.command, "STARTTLS");
 * ```
 */
export function imapCommand(data: Input): ImapCommand | null | undefined {
  const c = new Cursor(bytesOf(data), 0, MAX_IMAP);
  const end = c.over(LINE, MAX_IMAP);
  if (end < 0 || !c.endOfLine()) return c.answer;
  let space = 0;
  while (space < end && c.bytes[space] !== SP) space++;
  if (space === 0 || space === end) return null;
  const [command, argument] = splitAt(c.bytes, space + 1, end);
  return IMAP_COMMANDS.has(command)
    ? { tag: latin1(c.bytes, 0, space), command, argument, length: c.pos }
    : null;
}

/** The first word in upper case, and what comes behind the space. */
function splitAt(
  bytes: Uint8Array,
  start: number,
  end: number,
): [command: string, argument: string] {
  let space = start;
  while (space < end && bytes[space] !== SP) space++;
  return [
    latin1(bytes, start, space).toUpperCase(),
    textOf(bytes, Math.min(end, space + 1), end).trim(),
  ];
}
