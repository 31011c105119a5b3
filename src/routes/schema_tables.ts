/**
 * The schema of the tables in Redis of a route table. For the main thread only.
 *
 * @module
 */
import { z } from "zod";
import { isPoolName, NAME_RULE } from "../pool/checked_options.ts";
import { mapping, nonEmpty, oneOrMore, rule } from "./schema_parts.ts";

// the rules of the options themselves are those of a module, checked later
const table = mapping({
  redis: nonEmpty("a text redis://host:port/database").describe(
    "The server: redis://user:password@host:port/database; rediss:// for TLS.",
  ),
  prefix: z.string(rule("must be a text")).optional().describe(
    "What the keys in Redis begin with; default route:.",
  ),
  passwordFile: nonEmpty("a path").optional().describe(
    "A file with the password, if it is not in the URL.",
  ),
  ca: oneOrMore(nonEmpty("a path"), "a path").optional().describe(
    "Files (PEM) of authorities to trust beside those that are known.",
  ),
  timeout: z.number(rule("must be a number of seconds")).optional().describe(
    "Seconds that a client waits for Redis at most; default 1.",
  ),
  maxEntries: z.number(rule("must be a whole number")).optional().describe(
    "Remotes that each worker remembers at most; default 100000.",
  ),
});

/** The tables, by name. */
export const tables: z.ZodRecord<z.ZodString, typeof table> = z.record(
  z.string().refine(isPoolName),
  table,
  {
    error: ({ code }) =>
      code === "invalid_key"
        ? `must have a name of ${NAME_RULE}`
        : "must be a mapping of names to tables",
  },
);
