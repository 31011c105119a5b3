/**
 * What a matcher is: all that there is to know of one thing that a route can
 * ask for. Each is a file here, and all are named in `list.ts`.
 *
 * @module
 */
import type { Kind } from "../../lib/kinds.ts";
import type { Call, Matched } from "./call.ts";

/** A compiled match. */
export type Test = (call: Call) => Matched;

/** A key of `match` in a route table. */
export interface MatchKey<Match> {
  /** What it holds, read as matches that must all be for the client. */
  readonly kind: Kind<readonly Match[]>;
  /** What editors are told about it. */
  readonly help: string;
}

/** A matcher for matches of one kind, which are plain data. */
export interface Matcher<Match extends { readonly kind: string }> {
  /** Its keys in a route table. */
  readonly keys: Readonly<Record<string, MatchKey<Match>>>;
  /** Whether it can only wait before the first byte has come. */
  readonly needsBytes: boolean;
  compile(match: Match): Test;
  /** Writes a match, such as `client 10.0.0.0/8`. */
  describe(match: Match): string;
  /**
   * Tells whether a match is for all clients of another of its kind, as far as
   * that is obvious.
   */
  covers(wide: Match, narrow: Match): boolean;
}
