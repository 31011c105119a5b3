/**
 * The options of the command line, described once. The parser, `--help`, the
 * completions of shells and the manual page are all made from this table.
 *
 * @module
 */
import type { Format } from "../log/access_log.ts";
import { LEVELS } from "../log/log.ts";

/** The formats of the logs. */
export const FORMATS: readonly Format[] = ["text", "json"];

/** The shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/** One option. */
export interface Option {
  /** The long name, without its dashes. */
  readonly name: string;
  /** The letter of the short name. */
  readonly short?: string;
  /** What the value is called; without it, the option takes none. */
  readonly argument?: string;
  /** The value is a list that can be left out, which means everything. */
  readonly list?: true;
  /** Words that the value may be. */
  readonly words?: readonly string[];
  /** The value may be the path of a file or folder. */
  readonly path?: true;
  /**
   * Each listener has it for itself: it can be given once more for another one,
   * and holds for all listeners if it stands in front of them.
   */
  readonly listener?: true;
  /** What it does, in plain words; `--help` breaks the lines. */
  readonly help: string;
}

/** Options that belong together. */
export interface Section {
  /** The heading, without a colon. */
  readonly title: string;
  /** What holds for all of them. */
  readonly note?: string;
  /**
   * The column at which `--help` begins the texts.
   *
   * @default 31
   */
  readonly column?: number;
  readonly options: readonly Option[];
}

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
      {
        name: "host",
        short: "h",
        argument: "HOST",
        listener: true,
        help: "host name or address to bind, or a socket file as unix:/PATH; " +
          "default 0.0.0.0; once more for another listener",
      },
      {
        name: "port",
        short: "p",
        argument: "PORT",
        listener: true,
        help: "port to listen on, 0 for any; default 5432; once more for " +
          "another listener",
      },
      {
        name: "name",
        argument: "NAME",
        listener: true,
        help: "what routers call the listener of the -h or -p before it; " +
          "default: its host:port",
      },
      {
        name: "socket-mode",
        argument: "MODE",
        listener: true,
        help: "permissions of a socket file, in octal digits; default: what " +
          "the umask leaves",
      },
      {
        name: "accept-proxy",
        argument: "CIDR",
        list: true,
        listener: true,
        help: "connections begin with a PROXY header (version 1 or 2), from " +
          "these peers only; default: from any",
      },
      {
        name: "tls-cert",
        argument: "FILE",
        listener: true,
        path: true,
        help: "speak TLS, with this certificate (PEM); once more for others, " +
          "chosen by the name that a client asks for",
      },
      {
        name: "tls-key",
        argument: "FILE",
        listener: true,
        path: true,
        help: "the private key (PEM) of that certificate",
      },
      {
        name: "alpn",
        argument: "PROTOCOLS",
        listener: true,
        help: "application protocols of TLS, such as h2,http/1.1; the best " +
          "first",
      },
      {
        name: "workers",
        short: "w",
        argument: "N",
        help: "worker threads; default: number of CPU cores",
      },
      {
        name: "check",
        help: "load and check the configuration, print what it found, exit",
      },
      {
        name: "dry-run",
        argument: "FILE",
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
        help: "read at most this much before the router has decided; " +
          "default 65536",
      },
      {
        name: "preread-timeout",
        argument: "SECS",
        help: "time for that; default 30",
      },
      {
        name: "max-connections",
        argument: "N",
        help: "connections open at a time; default: as many as there are " +
          "file descriptors for",
      },
      {
        name: "max-connections-per-ip",
        argument: "N",
        help:
          "connections open at a time of one client address (IPv6: of one " +
          "/64); default 0: no limit",
      },
      {
        name: "rate-limit",
        argument: "N[:BURST]",
        help: "new connections per second of one client address, and at a " +
          "time after a rest; default 0: no limit",
      },
      {
        name: "connect-timeout",
        argument: "SECS",
        help: "time of one try to connect to a remote; default 0: as long " +
          "as the system tries",
      },
      {
        name: "half-close-timeout",
        argument: "SECS",
        help: "time without progress after one side has ended; default 30",
      },
      {
        name: "idle-timeout",
        argument: "SECS",
        help: "time without a byte in either direction between client and " +
          "remote; default 0: no limit",
      },
      {
        name: "max-duration",
        argument: "SECS",
        help: "time from accept to the end of a connection; default 0: no " +
          "limit",
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
        list: true,
        help: "connect to these only; default: all but socket files; " +
          "unix:/PATH is one",
      },
      {
        name: "allow-read",
        argument: "PATH",
        list: true,
        path: true,
        help: "read these files and folders",
      },
      {
        name: "allow-env",
        argument: "NAME",
        list: true,
        help: "see these environment variables",
      },
      {
        name: "allow-import",
        argument: "HOST",
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
        words: LEVELS,
        help: "error, warn, info or debug; default info; the log goes to " +
          "standard error",
      },
      {
        name: "log-format",
        argument: "FORMAT",
        words: FORMATS,
        help: "text or json, for both logs; default text",
      },
      {
        name: "access-log",
        argument: "FILE",
        words: ["-", "off"],
        path: true,
        help: "one line at the end of each connection; - is standard output, " +
          "off is none; default -",
      },
    ],
  },
  {
    title: "Admin",
    options: [
      {
        name: "admin",
        argument: "HOST:PORT",
        words: ["off"],
        help: "status page, its API, metrics, /healthz and /readyz by HTTP; " +
          "default off",
      },
      {
        name: "admin-token-file",
        argument: "FILE",
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
        help: "reload when the configuration or a file that it imports " +
          "changes",
      },
      {
        name: "drain-timeout",
        argument: "SECS",
        help: "time for the connections from before a reload to end, 0 for " +
          "as long as needed; default 0",
      },
      {
        name: "watchdog",
        argument: "SECS",
        help: "replace a worker that does not answer for this long, 0 for " +
          "never; default 5",
      },
      {
        name: "max-stuck-workers",
        argument: "N",
        help: "exit with status 70 when more of them never answered again; " +
          "default: as many as there are workers",
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

type Known = typeof SECTIONS[number]["options"][number];

/** What the command line gives, by the long name of the option. */
export type Values = {
  readonly [O in Known as O["name"]]?: O extends { list: true }
    ? readonly string[]
    : O extends { argument: string } ? string
    : boolean;
};

/** The signals that the program answers, and what it does then. */
export const SIGNALS: readonly (readonly [names: string, help: string])[] = [
  [
    "QUIT",
    "stop accepting, wait as long as needed for all connections to end",
  ],
  [
    "TERM, INT",
    "stop accepting, wait for at most 10 seconds; a second one exits at once",
  ],
  [
    "HUP",
    "reload the configuration and reopen the access log; open connections go " +
    "on as they are",
  ],
  [
    "USR1, USR2",
    'log the connections: current/maximum/total, and the counters (under "deno run", Deno ' +
    "itself opens its debugger on USR1; USR2 does without)",
  ],
];

/** What the exit statuses mean. */
export const EXIT_STATUS: readonly (readonly [status: number, help: string])[] =
  [
    [0, "stopped as asked"],
    [1, "could not run"],
    [2, "usage or configuration error"],
    [70, "too many stuck workers: start it anew"],
  ];
