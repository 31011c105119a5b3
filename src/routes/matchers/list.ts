/**
 * All matchers, by the kind of their matches.
 *
 * @module
 */
import { AGREED } from "./agreed.ts";
import { BYTES } from "./bytes.ts";
import { CLIENT } from "./client.ts";
import { LISTENER } from "./listener.ts";
import { LOCAL_PORT } from "./local_port.ts";
import type { Matcher } from "./matcher.ts";
import { FIELD, PROTOCOL } from "./protocol.ts";

/** In the order in which messages and editors list their keys. */
export const MATCHERS = {
  client: CLIENT,
  localPort: LOCAL_PORT,
  listener: LISTENER,
  agreed: AGREED,
  bytes: BYTES,
  protocol: PROTOCOL,
  field: FIELD,
};

type All = typeof MATCHERS;

/** A match that one of the matchers is for. */
export type SimpleMatch = {
  [Name in keyof All]: All[Name] extends Matcher<infer Match> ? Match : never;
}[keyof All];

/** The matcher that a match is for. */
export function matcherOf(match: SimpleMatch): Matcher<SimpleMatch> {
  // each kind is listed with the matcher for it
  return MATCHERS[match.kind] as unknown as Matcher<SimpleMatch>;
}
