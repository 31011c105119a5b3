/**
 * Checking what a worker says: the router runs there, and may have found a way
 * to speak for it.
 *
 * @module
 */
import type { FromWorker } from "../worker/messages.ts";
import { isCount, isMapping, isReport } from "../stats/check_report.ts";
import type {
  ConnectionList,
  ConnectionQuery,
} from "../stats/connection_list.ts";
import { LEVELS, type Line } from "../log/log.ts";
import { MAX_LENGTH } from "../log/outbox.ts";
import { parseIp } from "../net/cidr.ts";
import { isPoolReports } from "../pool/main_thread.ts";

/** Characters of a text in an answer, at most. */
const MAX_TEXT = 4096;

/** Addresses of a name, at most. */
const MAX_ADDRESSES = 2000;

/** Fields of a line of the log, at most. */
const MAX_FIELDS = 16;

/** Milliseconds since 1970 that are a date, at most. */
const MAX_TIME = 8.64e15;

/** Checks what is used of a message. */
export function isMessage(message: unknown): message is FromWorker {
  if (!isMapping(message)) return false;
  const { type, log, access, dropped, text, message: failure } = message;
  const { hooks, imports, pools, name, error, addresses } = message;
  switch (type) {
    case "lines":
      return typeof access === "string" && typeof dropped === "number" &&
        Array.isArray(log) && log.every(isLine);
    case "failed":
      return typeof failure === "string" && isTexts(imports);
    case "dry-run-line":
      return typeof text === "string";
    case "loaded":
      return isTexts(hooks) && isTexts(imports) && isPoolReports(pools);
    case "name":
      return isShort(name) && (error === undefined || isShort(error)) &&
        Array.isArray(addresses) && addresses.length <= MAX_ADDRESSES &&
        addresses.every((address) =>
          isShort(address) && parseIp(address) !== undefined
        );
    case "report":
      return isReport(message);
    default:
      return typeof type === "string";
  }
}

/** Checks a list of connections. */
export function isConnectionList(
  answer: unknown,
  { limit }: ConnectionQuery,
): answer is ConnectionList {
  if (!isMapping(answer)) return false;
  const { total, rows } = answer;
  return isCount(total) && Array.isArray(rows) && rows.length <= limit &&
    rows.every((row: unknown) => {
      if (!isMapping(row)) return false;
      const { id, listener, client, remote, route, stage, seconds, ...bytes } =
        row;
      return [id, seconds, bytes.in, bytes.out].every(isCount) &&
        [listener, client, stage, remote ?? "", route ?? ""].every((text) =>
          typeof text === "string" && text.length <= MAX_TEXT
        );
    });
}

function isShort(text: unknown): text is string {
  return typeof text === "string" && text.length <= MAX_TEXT;
}

function isTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === "string");
}

function isLine(line: unknown): line is Line {
  if (!isMapping(line)) return false;
  const { level, time, text, fields } = line;
  return (LEVELS as readonly unknown[]).includes(level) &&
    isCount(time) && time <= MAX_TIME &&
    typeof text === "string" && text.length <= MAX_LENGTH &&
    isMapping(fields) && Object.keys(fields).length <= MAX_FIELDS &&
    Object.entries(fields).every(isField);
}

/** Tells whether a field has a plain name, and a text, number or boolean. */
function isField([name, value]: [string, unknown]): boolean {
  if (!/^[A-Za-z]\w{0,31}$/.test(name)) return false;
  // one character more says that some were cut off
  return typeof value === "string"
    ? value.length <= MAX_LENGTH + 1
    : typeof value === "number" || typeof value === "boolean";
}
