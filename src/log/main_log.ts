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
import { type Level, type Line, type Log, makeLog, partsOf } from "./log.ts";
import type { Troubles } from "./recent_problems.ts";

const NAMES: Record<Level, LogLevel> = {
  error: "error",
  warn: "warning",
  info: "info",
  debug: "debug",
};

/** The log of the main thread, which takes the lines of workers, too. */
export interface MainLog extends Log {
  /** Takes a line that another thread has made, whatever its level. */
  line(line: Line): void;
}

/**
 * Sets the log up. Once per process.
 *
 * @param level The least important level to write.
 * @param troubles Keeps the warnings and errors.
 */
export function mainLog(
  level: Level,
  format: Format,
  writer: LineWriter,
  troubles: Troubles,
): MainLog {
  const formatter = format === "json" ? jsonFormatter() : textFormatter();
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
  const write = (line: Line) => {
    troubles.add(line);
    // and not its method `error`, which knows no other time than now
    logger.emit({
      level: NAMES[line.level],
      message: partsOf(line),
      rawMessage: line.text,
      timestamp: line.time,
      properties: line.fields,
    });
  };
  return { ...makeLog(level, write), line: write };
}

/** One line, whatever bytes of clients and routers the values have. */
function textFormatter(): (record: LogRecord) => string {
  return getTextFormatter({
    timestamp: "rfc3339",
    level: "full",
    value: "bare",
    sanitize: { sgr: "escape", newlines: "escape" },
    format: ({ timestamp, message, record: { level } }) =>
      `${timestamp} ${level === "warning" ? "warn" : level} ${message}`,
  });
}

/** The fields are `properties`; the message is that of the text format. */
function jsonFormatter(): (record: LogRecord) => string {
  const format = getJsonLinesFormatter({ message: "template" });
  return (record) => format({ ...record, rawMessage: record.message.join("") });
}
