/**
 * The options that each listener has for itself: a row each.
 *
 * @module
 */
import { ACCEPT_PROXY, ALPN, MODE, name } from "./kinds.ts";
import type { Option } from "./option.ts";

/** Those options, in the order in which they are printed. */
export const LISTENER_ROWS = [
  {
    name: "host",
    short: "h",
    argument: "HOST",
    key: "host",
    part: "listener",
    listener: true,
    default: "0.0.0.0",
    help: "host name or address to bind, or a socket file as unix:/PATH; " +
      "once more for another listener",
  },
  {
    name: "port",
    short: "p",
    argument: "PORT",
    key: "port",
    part: "listener",
    listener: true,
    default: "5432",
    help: "port to listen on, 0 for any; once more for another listener",
  },
  {
    name: "name",
    argument: "NAME",
    kind: name("a text"),
    key: "name",
    part: "listener",
    listener: true,
    unset: "its host:port",
    help: "what routers call the listener of the -h or -p before it",
  },
  {
    name: "socket-mode",
    argument: "MODE",
    kind: MODE,
    key: "mode",
    part: "listener",
    listener: true,
    unset: "what the umask leaves",
    help: "permissions of a socket file, in octal digits",
  },
  {
    name: "accept-proxy",
    argument: "CIDR",
    kind: ACCEPT_PROXY,
    key: "acceptProxy",
    part: "listener",
    list: true,
    each: "network",
    listener: true,
    help: "connections begin with a PROXY header (version 1 or 2), from " +
      "these peers only; without a list: from any",
  },
  {
    name: "tls-cert",
    argument: "FILE",
    key: "tls.cert",
    part: "listener",
    listener: true,
    path: true,
    help: "speak TLS, with this certificate (PEM); once more for others, " +
      "chosen by the name that a client asks for",
  },
  {
    name: "tls-key",
    argument: "FILE",
    key: "tls.key",
    part: "listener",
    listener: true,
    path: true,
    help: "the private key (PEM) of that certificate",
  },
  {
    name: "alpn",
    argument: "PROTOCOLS",
    kind: ALPN,
    key: "alpn",
    part: "listener",
    many: true,
    listener: true,
    help: "application protocols of TLS, such as h2,http/1.1; the best " +
      "first",
  },
] as const satisfies readonly Option[];
