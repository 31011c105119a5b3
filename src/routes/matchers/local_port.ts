/**
 * The matcher `localPort`: the client has connected to one of some ports.
 *
 * @module
 */
import { type Kind, kind, map, oneOrMore, whole } from "../../lib/kinds.ts";
import { NO, YES } from "./call.ts";
import type { Matcher } from "./matcher.ts";

/** The client has connected to one of these ports. */
export interface LocalPortMatch {
  readonly kind: "localPort";
  readonly ports: readonly number[];
}

const NUMBER = whole(1, 65_535);

const PORT: Kind<number> = kind(
  "must be a port from 1 to 65535",
  NUMBER.json,
  (value) => typeof value === "number" ? NUMBER.read(value) : undefined,
);

const PORTS = oneOrMore(PORT, `${PORT.rule}, or a list of those`);

/** The matcher of ports. */
export const LOCAL_PORT: Matcher<LocalPortMatch> = {
  keys: {
    localPort: {
      kind: map(PORTS, (ports) => [{ kind: "localPort", ports }]),
      help: "The port that the client connected to.",
    },
  },
  needsBytes: false,
  compile(match) {
    const ports = new Set(match.ports);
    return ({ client: { localAddr } }) =>
      localAddr.transport === "tcp" && ports.has(localAddr.port) ? YES : NO;
  },
  describe: ({ ports }) => `localPort ${ports.join(" | ")}`,
  covers: (wide, narrow) =>
    narrow.ports.every((port) => wide.ports.includes(port)),
};
