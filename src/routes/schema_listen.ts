/**
 * The schema of what a route table says about listeners and the admin server,
 * and what it is read as. For the main thread only.
 *
 * @module
 */
import { resolve } from "node:path";
import { z } from "zod";
import { parsed } from "../lib/kinds.ts";
import {
  formatAddress,
  parseBindAddress,
  withoutBrackets,
} from "../net/address.ts";
import type { ListenOptions } from "../net/listen.ts";
import type { AdminOptions } from "../options/admin.ts";
import { parseListen, parseListenPath } from "../options/listen.ts";
import { LISTENER_OPTIONS, type ListenerValues } from "../options/options.ts";
import { describeOption } from "./schema_options.ts";
import {
  fromKind,
  mapping,
  nonEmpty,
  oneOrMore,
  rule,
  whole,
} from "./schema_parts.ts";

/** What is known only with the folder of the table, which paths begin in. */
type InFolder<T> = (folder: string) => T;

const PORT = whole(0, 65_535);

const CERTIFICATE = mapping({
  cert: nonEmpty("a path").describe(
    "The file of the certificate and those of its issuers (PEM).",
  ),
  key: nonEmpty("a path").describe("The file of its private key (PEM)."),
});

const LISTEN_TEXT = parsed("host:port or unix:/path", parseListen);

const LISTENER_MAPPING = mapping({
  host: nonEmpty("a host name or an IP address").optional()
    .describe("A host name or an IP address; default 0.0.0.0."),
  port: PORT.optional().describe("The port; 0 for any that is free."),
  path: fromKind(parsed("an absolute path", parseListenPath)).optional()
    .describe("A socket file, in place of host and port."),
  tls: oneOrMore(CERTIFICATE, "a mapping of cert and key").optional()
    .describe(
      "Speak TLS, with the certificate for the name that a client asks for; otherwise the first.",
    ),
  ...optionsOfListeners(),
}).superRefine((value, context) => {
  const refuse = (message: string, key: string) =>
    context.addIssue({ code: "custom", message, path: [key] });
  if (value.path === undefined) {
    if (value.port === undefined) refuse("is needed", "port");
    const { mode } = value as ListenerValues;
    if (mode !== undefined) refuse("must stand beside path", "mode");
    return;
  }
  for (const key of ["host", "port"] as const) {
    if (value[key] !== undefined) refuse("cannot stand beside path", key);
  }
});

/** The keys of a listener that need no more than their rows. */
function optionsOfListeners(): Record<string, z.ZodType> {
  return Object.fromEntries(LISTENER_OPTIONS.map((option) => [
    option.key,
    fromKind(option.kind).optional().describe(describeOption(option)),
  ]));
}

type ListenerInput = z.infer<typeof LISTENER_MAPPING>;

/** A listener, in any of its forms. */
export const listener: z.ZodType<InFolder<ListenOptions>> = z.union(
  [
    fromKind(LISTEN_TEXT).transform((value) => () => value),
    PORT.transform((port) => () => ({
      name: String(port),
      hostname: "0.0.0.0",
      port,
    })),
    LISTENER_MAPPING.transform((value) => (folder: string) =>
      toListener(value, folder)
    ),
  ],
  rule(
    `must be "host:port", "unix:/path", a port, or a mapping of host, port and name, or of path, mode and name`,
  ),
);

function toListener(input: ListenerInput, folder: string): ListenOptions {
  const { host = "0.0.0.0", port = 0, path, tls } = input;
  const values = Object.fromEntries(
    LISTENER_OPTIONS.map((
      { key },
    ) => [key, (input as Record<string, unknown>)[key]])
      .filter(([, value]) => value !== undefined),
  ) as ListenerValues;
  const { alpn = [], ...others } = values;
  const address = path ?? { hostname: withoutBrackets(host), port };
  const certificates = [tls ?? []].flat().map(({ cert, key }) => ({
    certFile: resolve(folder, cert),
    keyFile: resolve(folder, key),
    names: [],
  }));
  return {
    name: formatAddress(address),
    ...address,
    ...others,
    ...certificates.length === 0 ? {} : { tls: { certificates, alpn } },
  };
}

/** Where the admin server listens. */
export const admin: z.ZodType<InFolder<AdminOptions>> = z.union([
  fromKind(parsed("a text host:port", parseBindAddress)).transform(
    (address) => () => ({ ...address, tokenFile: undefined }),
  ),
  mapping({
    host: nonEmpty("a host name or an IP address").optional()
      .describe("A host name or an IP address; default 127.0.0.1."),
    port: PORT.describe("The port; 0 for any that is free."),
    tokenFile: nonEmpty("a path").optional().describe(
      "A file with the token that requests must have; needed if the host is not a loopback address.",
    ),
  }).transform(
    ({ host = "127.0.0.1", port, tokenFile }) => (folder: string) => ({
      hostname: withoutBrackets(host),
      port,
      tokenFile: tokenFile && resolve(folder, tokenFile),
    }),
  ),
], rule(`must be "host:port", or a mapping of host, port and tokenFile`));
