/**
 * The matcher `listener`: the client has connected to a listener of some name.
 *
 * @module
 */
import { map } from "../../lib/kinds.ts";
import { NO, YES } from "./call.ts";
import type { Matcher } from "./matcher.ts";
import {
  coverPatterns,
  formatPatterns,
  matches,
  type Pattern,
  patternsOf,
} from "./pattern.ts";

/** The client has connected to a listener of such a name. */
export interface ListenerMatch {
  readonly kind: "listener";
  readonly patterns: readonly Pattern[];
}

/** The matcher of listeners. */
export const LISTENER: Matcher<ListenerMatch> = {
  keys: {
    listener: {
      kind: map(
        patternsOf("text", "a name", "the name of a listener"),
        (patterns) => [{ kind: "listener", patterns }],
      ),
      help: "The name of the listener that the client connected to.",
    },
  },
  needsBytes: false,
  compile({ patterns }) {
    return ({ client }) =>
      patterns.some((pattern) => matches(pattern, client.listener)) ? YES : NO;
  },
  describe: ({ patterns }) => `listener ${formatPatterns(patterns)}`,
  covers: (wide, narrow) => coverPatterns(wide.patterns, narrow.patterns),
};
