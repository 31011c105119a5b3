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
 * @returns The access log.
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

function textLine(connection: Ended): string {
  return `${isoTime(Date.now())} id=${connection.info.id} client=${
    client(connection) ?? "-"
  } route=${quoted(connection.route)} remote=${
    connection.remote ?? "-"
  } in=${connection.received} out=${connection.sent} seconds=${
    seconds(connection)
  } end=${connection.endReason}\n`;
}

/** Writes a name such that it is one field. */
function quoted(name: string | undefined): string {
  if (name === undefined) return "-";
  return /[\s"=\\]/.test(name) ? JSON.stringify(name) : name;
}

function jsonLine(connection: Ended): string {
  return `${
    JSON.stringify({
      time: isoTime(Date.now()),
      id: connection.info.id,
      client: client(connection),
      route: connection.route ?? null,
      remote: connection.remote ?? null,
      in: connection.received,
      out: connection.sent,
      seconds: Number(seconds(connection)),
      end: connection.endReason,
    })
  }\n`;
}

function client({ info: { remoteAddr } }: Ended): string | null {
  return remoteAddr === undefined ? null : formatAddress(remoteAddr);
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

/** Seconds since accept, with three digits behind the point. */
function seconds(connection: Ended): string {
  const milliseconds = Math.round(performance.now() - connection.started);
  return `${Math.floor(milliseconds / 1000)}.${DIGITS[milliseconds % 1000]}`;
}
