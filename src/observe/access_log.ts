/**
 * The access log: one line at the end of each connection.
 *
 * @module
 */
import { formatAddress } from "../connection/address.ts";
import type { Connection } from "../connection/connection.ts";

/** Takes the connections that have ended. */
export interface AccessLog {
  /** Writes the line of a connection. Does not block or throw. */
  connection(connection: Connection): void;
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

function textLine(connection: Connection): string {
  return `${new Date().toISOString()} id=${connection.info.id} client=${
    formatAddress(connection.info.remoteAddr)
  } remote=${
    connection.remote ?? "-"
  } in=${connection.received} out=${connection.sent} seconds=${
    seconds(connection)
  } end=${connection.endReason}\n`;
}

function jsonLine(connection: Connection): string {
  return `${
    JSON.stringify({
      time: new Date().toISOString(),
      id: connection.info.id,
      client: formatAddress(connection.info.remoteAddr),
      remote: connection.remote ?? null,
      in: connection.received,
      out: connection.sent,
      seconds: Number(seconds(connection)),
      end: connection.endReason,
    })
  }\n`;
}

function seconds(connection: Connection): string {
  return ((performance.now() - connection.started) / 1000).toFixed(3);
}
