/**
 * The options of the program: a row each, in the order in which they are
 * printed. The parser of the command line, `--help`, the completions of shells,
 * the manual pages, the keys of a route table and `--check` all derive from
 * these rows; those of a listener are in `listener_rows.ts`.
 *
 * @module
 */
import type { Format } from "../log/access_log.ts";
import { LEVELS } from "../log/log.ts";
import {
  checkHost,
  count,
  countOrNone,
  FLAG,
  grant,
  name,
  number,
  RATE_LIMIT,
  seconds,
  SECONDS_OR_NONE,
  words,
} from "./kinds.ts";
import { LISTENER_ROWS } from "./listener_rows.ts";
import type { Option, Section } from "./option.ts";

/** The formats of the logs. */
const FORMATS: readonly Format[] = ["text", "json"];

/** The shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/** The most bytes that may be read before a decision. */
export const MAX_PREREAD: number = 2 ** 30;

/** All options, in the order in which they are printed. */
export const SECTIONS = [
  {
    title: "Options",
    note: "a route table may set them, too; those given here win",
    options: [
      {
        name: "config",
        short: "c",
        argument: "FILE",
        words: ["-"],
        path: true,
        help: "router module (.ts, .js) or route table (.yaml, .yml); - " +
          "reads a module from standard input",
      },
      ...LISTENER_ROWS,
      {
        name: "workers",
        short: "w",
        argument: "N",
        kind: number(1, 1024),
        key: "workers",
        unset: "number of CPU cores",
        check: { title: "workers" },
        help: "worker threads",
      },
      {
        name: "check",
        help: "load and check the configuration, print what it found, exit",
      },
      {
        name: "dry-run",
        argument: "FILE",
        kind: name("a path"),
        words: ["-"],
        path: true,
        help: "feed FILE (- = standard input) to the router byte by byte, " +
          "print each decision, exit",
      },
    ],
  },
  {
    title: "Limits",
    options: [
      {
        name: "max-preread",
        argument: "BYTES",
        kind: count(MAX_PREREAD, " bytes"),
        key: "maxPreread",
        part: "connection",
        default: "65536",
        check: { title: "preread" },
        help: "read at most this much before the router has decided",
      },
      {
        name: "preread-timeout",
        argument: "SECS",
        kind: seconds((seconds) => `${seconds} seconds`),
        key: "prereadTimeout",
        part: "connection",
        default: "30",
        check: { title: "preread", join: " and " },
        help: "time until the router has decided",
      },
      {
        name: "connect-timeout",
        argument: "SECS",
        kind: SECONDS_OR_NONE,
        key: "connectTimeout",
        part: "connection",
        default: "0",
        none: "as long as the system tries",
        check: { title: "connect" },
        help: "time of one try to connect to a remote",
      },
      {
        name: "dns-hold",
        argument: "SECS",
        kind: SECONDS_OR_NONE,
        key: "dnsHold",
        default: "3600",
        none: "not at all",
        check: { title: "dns-hold" },
        help: "time for which the last known addresses of a name hold " +
          "while no name server answers",
      },
      {
        name: "half-close-timeout",
        argument: "SECS",
        kind: seconds((seconds) =>
          `at most ${seconds} seconds without progress`
        ),
        key: "halfCloseTimeout",
        part: "connection",
        default: "30",
        check: { title: "half-close" },
        help: "time without progress after one side has ended",
      },
      {
        name: "idle-timeout",
        argument: "SECS",
        kind: SECONDS_OR_NONE,
        key: "idleTimeout",
        part: "connection",
        default: "0",
        check: { title: "idle" },
        help: "time without a byte in either direction between client and " +
          "remote",
      },
      {
        name: "max-duration",
        argument: "SECS",
        kind: SECONDS_OR_NONE,
        key: "maxDuration",
        part: "connection",
        default: "0",
        check: { title: "duration" },
        help: "time from accept to the end of a connection",
      },
      {
        name: "max-connections",
        argument: "N",
        kind: count(10_000_000),
        key: "maxConnections",
        unset: "as many as there are file descriptors for",
        check: { title: "connections" },
        help: "connections open at a time",
      },
      {
        name: "max-connections-per-ip",
        argument: "N",
        kind: countOrNone(10_000_000, " connections"),
        key: "maxConnectionsPerIp",
        part: "addresses",
        default: "0",
        check: { title: "per address" },
        help:
          "connections open at a time of one client address (IPv6: of one " +
          "/64)",
      },
      {
        name: "rate-limit",
        argument: "N[:BURST]",
        kind: RATE_LIMIT,
        key: "rateLimit",
        part: "addresses",
        default: "0",
        check: { title: "per address" },
        help: "new connections per second of one client address, and at a " +
          "time after a rest",
      },
    ],
  },
  {
    title: "Permissions of the router",
    note: "none but the network by default",
    column: 38,
    options: [
      {
        name: "allow-net",
        argument: "HOST[:PORT]",
        kind: grant("a host", checkHost),
        key: "net",
        part: "grants",
        list: true,
        unset: "all but socket files",
        help: "connect to these only; unix:/PATH is one",
      },
      {
        name: "allow-read",
        argument: "PATH",
        kind: grant("a path"),
        key: "read",
        part: "grants",
        initial: false,
        list: true,
        path: true,
        help: "read these files and folders",
      },
      {
        name: "allow-env",
        argument: "NAME",
        kind: grant("a name"),
        key: "env",
        part: "grants",
        initial: false,
        list: true,
        help: "see these environment variables",
      },
      {
        name: "allow-import",
        argument: "HOST",
        kind: grant("a host"),
        key: "import",
        part: "grants",
        initial: false,
        list: true,
        help: "import modules from these hosts",
      },
    ],
  },
  {
    title: "Logs",
    options: [
      {
        name: "log-level",
        argument: "LEVEL",
        kind: words(LEVELS),
        key: "logLevel",
        default: "info",
        words: LEVELS,
        help: "error, warn, info or debug; the log goes to standard error",
      },
      {
        name: "log-format",
        argument: "FORMAT",
        kind: words(FORMATS),
        key: "logFormat",
        default: "text",
        words: FORMATS,
        help: "text or json, for both logs",
      },
      {
        name: "access-log",
        argument: "FILE",
        kind: name(
          "a path, - or off",
          (path) => path === "-" ? "standard output" : path,
        ),
        key: "accessLog",
        default: "-",
        check: { title: "access log" },
        words: ["-", "off"],
        path: true,
        help: "one line at the end of each connection; - is standard output, " +
          "off is none",
      },
    ],
  },
  {
    title: "Admin",
    options: [
      {
        name: "admin",
        argument: "HOST:PORT",
        key: "admin",
        default: "off",
        words: ["off"],
        help: "status page, its API, metrics, /healthz and /readyz by HTTP",
      },
      {
        name: "admin-token-file",
        argument: "FILE",
        key: "admin.tokenFile",
        path: true,
        help: "a token that requests must have; needed if HOST is not a " +
          "loopback address",
      },
    ],
  },
  {
    title: "Reload and watchdog",
    options: [
      {
        name: "watch",
        kind: FLAG,
        key: "watch",
        commandLineOnly: true,
        initial: false,
        help: "reload when the configuration or a file that it imports " +
          "changes",
      },
      {
        name: "drain-timeout",
        argument: "SECS",
        kind: SECONDS_OR_NONE,
        key: "drainTimeout",
        default: "0",
        none: "as long as needed",
        help: "time for the connections from before a reload to end",
      },
      {
        name: "watchdog",
        argument: "SECS",
        kind: SECONDS_OR_NONE,
        key: "watchdog",
        commandLineOnly: true,
        default: "5",
        none: "never",
        help: "replace a worker that does not answer for this long",
      },
      {
        name: "max-stuck-workers",
        argument: "N",
        kind: number(0, 1024),
        key: "maxStuckWorkers",
        commandLineOnly: true,
        unset: "as many as there are workers",
        help: "exit with status 70 when more of them never answered again",
      },
    ],
  },
  {
    title: "Others",
    options: [
      {
        name: "types",
        help: "print the declarations that a router is checked against",
      },
      {
        name: "completions",
        argument: "SHELL",
        kind: words(SHELLS),
        words: SHELLS,
        help: "print what bash, zsh or fish needs to complete options",
      },
      { name: "help", help: "print this" },
      { name: "version", help: "print the version" },
    ],
  },
] as const satisfies readonly Section[];

/** All options, in one list. */
export const OPTIONS: readonly Option[] = SECTIONS.flatMap(
  (section: Section) => section.options,
);

/** The row of any option. */
export type Row = typeof SECTIONS[number]["options"][number];
