/**
 * The access log: one line at the end of each connection.
 *
 * @module
 */
import { formatAddress } from "../net/address.ts";
import type { Client } from "../router/contract.ts";

/** What a line tells of a connection. */
export interface Ended {
  /** Without an address if the client was gone before it could be asked. */
  readonly info: Pick<Client, "id"> & Partial<Pick<Client, "remoteAddr">>;
  readonly route: string | undefined;
  readonly remote: string | undefined;
  /** Bytes received from the client. */
  readonly received: number;
  /** Bytes sent to the client. */
  readonly sent: number;
  /** `performance.now()` at accept. */
  readonly started: number;
  readonly endReason: string | undefined;
}

/** A field of a line. */
export interface AccessField {
  readonly name: string;
  /** What it means, in Markdown, for the documentation. */
  readonly doc: string;
  /** Gives the value; `undefined` is `-` in text, and `null` in JSON. */
  readonly read: (connection: Ended) => string | number | undefined;
  /**
   * The text may have any characters, so that it needs quotes now and then.
   *
   * @default false
   */
  readonly isFree?: boolean;
  /**
   * The number is of milliseconds, a whole one, and is written as seconds.
   *
   * @default false
   */
  readonly isDuration?: boolean;
}

/** The fields of a line behind its time, in their order. */
export const ACCESS_FIELDS: readonly AccessField[] = [
  {
    name: "id",
    doc: "the number of the connection since the start, as in the log",
    read: ({ info }) => info.id,
  },
  {
    name: "client",
    doc:
      "the address of the client; `-` if it has reset the connection before that was accepted",
    read: ({ info: { remoteAddr } }) =>
      remoteAddr === undefined ? undefined : formatAddress(remoteAddr),
  },
  {
    name: "route",
    doc:
      'who has decided: the name of the route in a table (`"route 3"` if it has none, or `default`), or what the router has said; `-` for nobody',
    read: ({ route }) => route,
    isFree: true,
  },
  {
    name: "remote",
    doc: "the last remote that was tried; `-` for none",
    read: ({ remote }) => remote,
  },
  {
    name: "in",
    doc: "bytes received from the client, PROXY headers not included",
    read: ({ received }) => received,
  },
  {
    name: "out",
    doc: "bytes sent to the client",
    read: ({ sent }) => sent,
  },
  {
    name: "seconds",
    doc: "from accept to close",
    read: ({ started }) => Math.round(performance.now() - started),
    isDuration: true,
  },
  {
    name: "end",
    doc: "why: one of the [reasons](end-reasons.md)",
    read: ({ endReason }) => endReason,
  },
];

/** Takes the connections that have ended. */
export interface AccessLog {
  /** Writes the line of a connection. Does not block or throw. */
  connection(connection: Ended): void;
}

/** How a line is written. */
export type Format = "text" | "json";

/**
 * Makes an access log.
 *
 * @param format How a line is written; the fields are the same.
 * @param write Takes a line with its newline.
 */
export function accessLog(
  format: Format,
  write: (line: string) => void,
): AccessLog {
  const line = format === "json" ? jsonLine : textLine;
  return { connection: (connection) => write(line(connection)) };
}

/** An access log that is switched off. */
export const NO_ACCESS_LOG: AccessLog = { connection() {} };

/** The fields, each with what stands before its value. */
function withPrefix(
  prefixOf: (name: string) => string,
): (Required<Omit<AccessField, "name" | "doc">> & { prefix: string })[] {
  return ACCESS_FIELDS.map((
    { name, read, isFree = false, isDuration = false },
  ) => ({ prefix: prefixOf(name), read, isFree, isDuration }));
}

const TEXT_FIELDS = withPrefix((name) => ` ${name}=`);

function textLine(connection: Ended): string {
  let line = isoTime(Date.now());
  // an index costs less than an iterator, which is a tenth of a line
  for (let at = 0; at < TEXT_FIELDS.length; at++) {
    const { prefix, read, isFree, isDuration } = TEXT_FIELDS[at]!;
    const value = read(connection);
    line += prefix;
    if (typeof value === "string") line += isFree ? quoted(value) : value;
    else if (value === undefined) line += "-";
    else line += isDuration ? inSeconds(value) : value;
  }
  return `${line}\n`;
}

/** Writes a text such that it is one field. */
function quoted(text: string): string {
  return /[\s"=\\]/.test(text) ? JSON.stringify(text) : text;
}

const JSON_FIELDS = withPrefix((name) => `,${JSON.stringify(name)}:`);

function jsonLine(connection: Ended): string {
  let line = `{"time":"${isoTime(Date.now())}"`;
  for (const { prefix, read, isDuration } of JSON_FIELDS) {
    const value = read(connection);
    line += prefix +
      (typeof value === "string"
        ? JSON.stringify(value)
        : value === undefined
        ? "null"
        : isDuration
        ? value / 1000
        : value);
  }
  return `${line}}\n`;
}

/** Three digits for each number below 1000. */
const DIGITS: readonly string[] = Array.from(
  { length: 1000 },
  (_, number) => String(number).padStart(3, "0"),
);

let second = NaN;
/** The text of the second, up to its point. */
let secondText = "";

/**
 * Writes a time as `Date.prototype.toISOString` does. That takes as long as all
 * else of a line together, so the text of a second is kept.
 *
 * @param now Milliseconds since 1970, a whole number.
 */
export function isoTime(now: number): string {
  const whole = Math.floor(now / 1000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1000).toISOString().slice(0, -4);
  }
  return `${secondText}${DIGITS[now - whole * 1000]}Z`;
}

/** Writes seconds with three digits behind the point. */
function inSeconds(milliseconds: number): string {
  return `${Math.floor(milliseconds / 1000)}.${DIGITS[milliseconds % 1000]}`;
}
