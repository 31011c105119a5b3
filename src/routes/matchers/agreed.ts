/**
 * The matchers `serverName` and `alpn`: what the TLS of a listener has agreed on
 * with the client.
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

/** What the TLS of a listener has agreed on with the client. */
export interface AgreedMatch {
  readonly kind: "agreed";
  readonly field: "serverName" | "alpn";
  readonly patterns: readonly Pattern[];
}

/** The matcher of what TLS has agreed on. */
export const AGREED: Matcher<AgreedMatch> = {
  keys: {
    serverName: {
      kind: map(
        patternsOf("host", "a host name"),
        (patterns) => [{ kind: "agreed", field: "serverName", patterns }],
      ),
      help: "The name that the client has asked the TLS of the listener for.",
    },
    alpn: {
      kind: map(
        patternsOf("text", "a text", "a text in quotes"),
        (patterns) => [{ kind: "agreed", field: "alpn", patterns }],
      ),
      help: "The protocol that the TLS of the listener agreed on.",
    },
  },
  needsBytes: false,
  compile({ field, patterns }) {
    return ({ client: { tls } }) => {
      const value = tls?.[field];
      return value !== undefined &&
          patterns.some((pattern) => matches(pattern, value))
        ? YES
        : NO;
    };
  },
  describe: ({ field, patterns }) => `${field} ${formatPatterns(patterns)}`,
  covers: (wide, narrow) =>
    narrow.field === wide.field &&
    coverPatterns(wide.patterns, narrow.patterns),
};
