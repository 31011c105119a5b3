/**
 * The schema of the pools of a route table. For the main thread only.
 *
 * @module
 */
import { z } from "zod";
import type { ProxyVersion } from "../net/proxy_header.ts";
import { parseTarget } from "../net/remote.ts";
import {
  COUNT,
  HEADER_VERSION,
  isPoolName,
  MAX_MEMBERS,
  NAME_RULE,
  POLICY,
  type Policy,
  TIME,
  WEIGHT,
} from "../pool/checked_options.ts";
import { Broken } from "../lib/broken.ts";
import { type Kind, kind } from "../lib/kinds.ts";
import type { PoolOptions } from "../pool/options.ts";
import type { Bytes } from "../router/bytes.ts";
import { HEX_MAPPING, TLS } from "./content.ts";
import { parseExpression } from "./matchers/pattern.ts";
import { isMapping } from "./unchecked.ts";
import {
  checkedBy,
  fromKind,
  mapping,
  oneOrMore,
  rule,
  text,
} from "./schema_parts.ts";

const remote = text("a text host:port or unix:/path", parseTarget);

const member = z.union([
  remote,
  mapping({
    remote: remote.describe("host:port or unix:/path."),
    weight: checkedBy<number>(WEIGHT).optional().describe(
      "Its share compared with that of the others; 0 drains it; default 1.",
    ),
  }),
], rule("must be a text host:port, or a mapping of remote and weight"));

const count = checkedBy<number>(COUNT).optional();

const time = checkedBy<number>(TIME).optional();

const passive = mapping({
  failures: count.describe(
    "So many failures in a row make a member down; default 3.",
  ),
  backoff: time.describe("Seconds that it is left alone then; default 1."),
  maxBackoff: time.describe("Seconds at most, after doubling; default 60."),
});

const BYTES: Kind<Bytes> = kind(
  "must be a text, or a mapping with hex",
  { anyOf: [{ type: "string" }, HEX_MAPPING.json] },
  (value) => {
    if (typeof value === "string") return value;
    return isMapping(value) ? HEX_MAPPING.read(value) : undefined;
  },
);

/** The same, or a text between slashes, which is an expression. */
const EXPECTED: Kind<Bytes | RegExp> = kind(
  BYTES.rule,
  BYTES.json,
  (value) => {
    if (typeof value !== "string" || !value.startsWith("/")) {
      return BYTES.read(value);
    }
    const parsed = parseExpression(value);
    return typeof parsed === "string"
      ? new Broken(parsed, value)
      : parsed.regex;
  },
);

const check = mapping({
  interval: time.describe("Seconds from check to check; default 5."),
  timeout: time.describe("Seconds that a check may take; default 2."),
  rise: count.describe(
    "Good checks in a row that make a member usable; default 2.",
  ),
  fall: count.describe(
    "Bad checks in a row that make it unusable; default 3.",
  ),
  proxyProtocol: checkedBy<ProxyVersion>(HEADER_VERSION).optional().describe(
    "Begin with a header of the PROXY protocol, of this version.",
  ),
  tls: fromKind(TLS).optional().describe(
    "Speak TLS with the members, and verify their certificates.",
  ),
  send: fromKind(BYTES).optional().describe("What to send: a text or hex."),
  expect: fromKind(EXPECTED).optional().describe(
    "What the answer begins with: a text or hex; or a /regex/ that matches it.",
  ),
});

/** A pool, as a router has it, but that `check.tls.ca` are paths. */
export const pool: z.ZodType<PoolOptions> = mapping({
  members: oneOrMore(member, "a text host:port or a mapping", MAX_MEMBERS)
    .describe("The remotes."),
  policy: checkedBy<Policy>(POLICY).optional().describe(
    "How a member is chosen; default round-robin.",
  ),
  passive: z.union(
    [z.literal(false), passive],
    rule("must be false, or a mapping"),
  ).optional().describe("What connections tell about a member."),
  check: check.optional().describe("Checks of the members; default: none."),
}).transform(({ members, ...rest }) => ({
  ...rest,
  members: Array.isArray(members) ? members : [members],
}));

/** The pools, by name. */
export const pools: z.ZodRecord<z.ZodString, typeof pool> = z.record(
  z.string().refine(isPoolName),
  pool,
  {
    error: ({ code }) =>
      code === "invalid_key"
        ? `must have a name of ${NAME_RULE}`
        : "must be a mapping of names to pools",
  },
);
