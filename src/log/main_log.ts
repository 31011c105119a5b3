/**
 * The operational log of the main thread: the one place where lines of all
 * threads are written.
 *
 * @module
 */
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import type { Format } from "./access_log.ts";
import type { LineWriter } from "./line_writer.ts";
import { type Level, LEVELS, type Log } from "./log.ts";
import type { Troubles } from "./recent_problems.ts";

const NAMES: Record<Level, LogLevel> = {
  error: "error",
  warn: "warning",
  info: "info",
  debug: "debug",
};

/**
 * Sets the log up. Once per process.
 *
 * @param level The least important level to write.
 * @param format How a line is written.
 * @param writer Takes the lines.
 * @param troubles Keeps the warnings and errors.
 * @returns The log.
 */
export function mainLog(
  level: Level,
  format: Format,
  writer: LineWriter,
  troubles: Troubles,
): Log {
  const formatter: (record: LogRecord) => string = format === "json"
    ? getJsonLinesFormatter({ categorySeparator: ".", message: "rendered" })
    : getTextFormatter({
      timestamp: "rfc3339",
      level: "full",
      format: ({ timestamp, message, record: { level } }) =>
        `${timestamp} ${level === "warning" ? "warn" : level} ${message}`,
    });
  configureSync({
    reset: true,
    sinks: { lines: (record) => writer.write(formatter(record)) },
    loggers: [
      {
        category: "proxymachine",
        sinks: ["lines"],
        lowestLevel: NAMES[level],
      },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "error" },
    ],
  });
  const logger = getLogger("proxymachine");
  const write = (name: Level) => (message: string) => {
    troubles.add(name, message);
    logger[name](literal(message));
  };
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    verbose: LEVELS.indexOf(level) >= LEVELS.indexOf("debug"),
  };
}

/** A message may come from a client or a router: one line, and no template. */
function literal(message: string): string {
  return message
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\x00-\x1f\x7f]+/g, " ")
    .replaceAll("{", "{{")
    .replaceAll("}", "}}");
}
