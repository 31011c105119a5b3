/**
 * The schema of TLS with remotes. For the main thread only.
 *
 * @module
 */
import { z } from "zod";
import { isAlpn, isServerName } from "../net/tls_options.ts";
import type { TlsInput } from "./to_table.ts";
import { mapping, nonEmpty, oneOrMore, rule, text } from "./schema_parts.ts";

/** One protocol of ALPN. */
export const protocol: z.ZodType<string> = text(
  "a protocol",
  (value) => isAlpn([value]) ? undefined : "must be 1 to 255 ASCII characters",
);

/** How to speak TLS with a remote. */
export const remoteTls: z.ZodType<boolean | TlsInput> = z.union(
  [
    z.boolean(),
    mapping({
      serverName: text(
        "a host name",
        (value) =>
          isServerName(value)
            ? undefined
            : "must be a host name or an IP address",
      ).optional().describe(
        "The name that the certificate must have; default: the host of remote.",
      ),
      ca: oneOrMore(nonEmpty("a path"), "a path").optional().describe(
        "Files (PEM) of authorities to trust beside those that are known.",
      ),
      alpn: oneOrMore(protocol, "a protocol").optional()
        .describe("Application protocols to offer."),
    }),
  ],
  rule("must be true, or a mapping of serverName, ca and alpn"),
);
