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
import { LEVELS } from "../log/log.ts";
import { isPoolReports } from "../pool/main_thread.ts";

/** Characters of a text in an answer, at most. */
const MAX_TEXT = 4096;

/**
 * Checks what is used of a message.
 *
 * @param message Anything at all.
 */
export function isMessage(message: unknown): message is FromWorker {
  if (!isMapping(message)) return false;
  const { type, log, access, dropped, text, message: failure } = message;
  const { hooks, imports, pools } = message;
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
    case "report":
      return isReport(message);
    default:
      return typeof type === "string";
  }
}

/**
 * Checks a list of connections.
 *
 * @param answer Anything at all.
 * @param query What was asked for.
 */
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

function isTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((item) => typeof item === "string");
}

function isLine(line: unknown): boolean {
  return Array.isArray(line) && typeof line[1] === "string" &&
    (LEVELS as readonly unknown[]).includes(line[0]);
}
