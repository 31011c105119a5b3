/**
 * The console of a router: what it writes goes to the log, and not between the
 * lines of the access log.
 *
 * @module
 */
import process from "node:process";
import type { Level, Log } from "../log/log.ts";

type Methods = Record<string, (...values: unknown[]) => unknown>;

/** The levels of methods; all others inform. */
const LEVEL_OF: Readonly<Record<string, Level>> = {
  error: "error",
  assert: "error",
  warn: "warn",
  debug: "debug",
};

/**
 * Makes the methods of `console` write to the log, one line for each call.
 *
 * @param router What the operator calls the router.
 * @param log Gives the log as it is now; it bounds the length of lines, and how
 * many there are.
 */
export function redirectConsole(router: string, log: () => Log): void {
  let level: Level = "info";
  let redirected: Methods | undefined;
  const write = (message: string) =>
    log()[level]("{router}: {message}", { router, message });
  const methods = console as unknown as Methods;
  for (const name of METHODS) {
    methods[name] = (...values) => {
      const before = level;
      level = LEVEL_OF[name] ?? "info";
      try {
        if (level === "debug" && !log().verbose) return;
        redirected ??= consoleTo(write);
        redirected[name]?.(...values);
      } finally {
        level = before; // a value that is written may write, too
      }
    };
  }
}

/** Those that write something, or say how the next ones do. */
const METHODS = [
  "log",
  "info",
  "debug",
  "warn",
  "error",
  "assert",
  "trace",
  "dir",
  "dirxml",
  "table",
  "count",
  "countReset",
  "time",
  "timeLog",
  "timeEnd",
  "group",
  "groupCollapsed",
  "groupEnd",
];

/**
 * Makes a console. That of Deno writes only to the streams of the process, that
 * of Node.js to any; it is loaded when it is first needed, as that takes 10 ms
 * and 1.4 MB in each worker.
 */
function consoleTo(write: (text: string) => void): Methods {
  const { Console } = process.getBuiltinModule("node:console");
  const { Writable } = process.getBuiltinModule("node:stream");
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      write(text.endsWith("\n") ? text.slice(0, -1) : text);
      done();
    },
  });
  return new Console(stream) as unknown as Methods;
}
