/**
 * The schema of a route table: which keys there are, and the rule of each. For
 * the main thread only.
 *
 * @module
 */
import { z } from "zod";
import {
  isUnix,
  parseBindAddress,
  parseSocketPath,
  type SocketPath,
} from "../net/address.ts";
import { isRouteName, ROUTE_NAME_RULE } from "../decision/route_name.ts";
import { parseNetwork } from "../net/cidr.ts";
import { MAX_REMOTES } from "../net/remote.ts";
import { LEVELS } from "../log/log.ts";
import { LIMITS, MAX_SECONDS } from "../cli/values.ts";
import { FORMATS } from "../cli/option_table.ts";
import { parseListen, parseListenPath, parseMode } from "./listen.ts";
import { parseExpression, parsePattern } from "./pattern.ts";
import { type FieldKind, type Protocol, PROTOCOLS } from "./protocols.ts";
import {
  checkHex,
  hex,
  mapping,
  nonEmpty,
  number,
  oneOrMore,
  rule,
  seconds,
  secondsOrOff,
  text,
  whole,
} from "./schema_parts.ts";
import { pools } from "./schema_pools.ts";
import { tables } from "./schema_tables.ts";
import { protocol, remoteTls } from "./schema_tls.ts";
import { parseTemplate } from "./template.ts";

/** The most that a timer can count, in seconds. */
const MAX_TIMEOUT = 2_147_482;

/** Text with variables, or bytes. */
const content = z.union(
  [text("a text", parseTemplate), hex],
  rule("must be a text, or a mapping with hex"),
);

const action = {
  remote: oneOrMore(
    text("a text host:port or unix:/path", parseTemplate),
    "a text host:port or unix:/path",
    MAX_REMOTES,
  ).describe(
    "Where to connect: host:port or unix:/path; variables such as ${tls.serverName} are filled in. Of a list, each is tried in order.",
  ).optional(),
  pool: nonEmpty("the name of a pool").optional().describe(
    "Connect to a member of this pool, one of pools.",
  ),
  table: nonEmpty("the name of a table").optional().describe(
    "Connect to what this table, one of tables, has for the key; if it has nothing, the routes below are tried.",
  ),
  key: text("a text", parseTemplate).optional().describe(
    "What is looked up in the table; or what chooses the member if the policy of the pool is hash; default: the client's IP address.",
  ),
  reply: content.describe(
    "Sent to the client: before connecting to the remote or, with consume, to go on routing.",
  ).optional(),
  consume: whole(1, LIMITS.maxPreread[1]).describe(
    "How many bytes to drop before routing goes on with those that follow.",
  ).optional(),
  close: z.union(
    [z.literal(true), text("true or a text", parseTemplate), hex],
    rule("must be true, a text, or a mapping with hex"),
  ).describe("Close: at once, or after these last bytes.").optional(),
  connectTimeout: seconds(MAX_TIMEOUT).describe(
    "Seconds for one try to connect.",
  ).optional(),
  inactivityTimeout: seconds(MAX_TIMEOUT).describe(
    "Seconds for the first byte of the remote.",
  ).optional(),
  idleTimeout: seconds(MAX_TIMEOUT).describe(
    "Seconds in which both directions may be silent.",
  ).optional(),
  maxDuration: seconds(MAX_TIMEOUT).describe(
    "Seconds from accept to the end of the connection.",
  ).optional(),
  proxyProtocol: z.literal([1, 2], rule("must be 1 or 2")).describe(
    "Send the remote a header of the PROXY protocol, of this version.",
  ).optional(),
  tls: remoteTls.optional().describe(
    "Speak TLS with the remote, and verify its certificate.",
  ),
};

const bytes = mapping({
  prefix: text("a text of one character per byte", checkPrefix).optional()
    .describe("The first bytes, one character per byte."),
  hex: text("bytes in hexadecimal", checkHex).optional()
    .describe("The first bytes as hexadecimal digits."),
  regex: text("a regular expression between slashes", parseExpression)
    .optional()
    .describe("A /regex/ for the first bytes, one character per byte."),
  within: whole(1, LIMITS.maxPreread[1]).optional()
    .describe("The regex is to match within so many bytes; then it says no."),
}).superRefine((value, context) => {
  const has = (key: "prefix" | "hex" | "regex") => value[key] !== undefined;
  const refuse = (message: string, path: string[]) =>
    context.addIssue({ code: "custom", message, path });
  if (!has("prefix") && !has("hex") && !has("regex")) {
    refuse("must have one of prefix, hex, regex", []);
  }
  if (has("prefix") && has("hex")) {
    refuse("cannot stand beside prefix", ["hex"]);
  }
  if (value.within !== undefined && !has("regex")) {
    refuse("must stand beside regex", ["within"]);
  }
});

/** The fields of a protocol, each with its patterns. */
function protocolMatch(protocol: Protocol): z.ZodType {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, kind] of Object.entries(protocol.fields)) {
    shape[name] = fieldMatch(kind).optional();
  }
  return z.union(
    [z.literal(true), mapping(shape)],
    rule("must be true, or a mapping of its fields"),
  );
}

function fieldMatch(kind: FieldKind): z.ZodType {
  const read = (value: string) => parsePattern(value, kind);
  switch (kind) {
    case "boolean":
      return z.boolean(rule("must be true or false"));
    case "number":
    case "numbers":
      return oneOrMore(
        z.union(
          [z.int(), text("a number", read)],
          rule("must be a whole number or a pattern"),
        ),
        "a whole number or a pattern",
      );
    case "lookup":
      return z.record(
        z.string(),
        oneOrMore(text("a text", read), "a text in quotes"),
        rule("must be a mapping of names to patterns"),
      );
    case "host":
      return oneOrMore(text("a host name", read), "a host name");
    default:
      return oneOrMore(text("a text", read), "a text in quotes");
  }
}

const protocols: Record<string, z.ZodType> = {};
for (const [name, protocol] of Object.entries(PROTOCOLS)) {
  protocols[name] = protocolMatch(protocol).optional()
    .describe(`The client speaks ${name}: true, or its fields.`);
}

const match: z.ZodType = z.lazy(() => matchMapping).meta({ id: "match" });

const matches = z.array(match, rule("must be a list of matches"))
  .min(1, rule("must have at least one match"));

const listenerName = text("a name", (value) => parsePattern(value, "text"));

const network = text("an IP address or a network", parseNetwork);

const matchMapping: z.ZodType = mapping({
  client: oneOrMore(network, "an IP address or a network").optional().describe(
    "The client's IP address or network (CIDR).",
  ),
  localPort: oneOrMore(whole(1, 65_535), "a port from 1 to 65535").optional()
    .describe("The port that the client connected to."),
  listener: oneOrMore(listenerName, "the name of a listener").optional()
    .describe("The name of the listener that the client connected to."),
  serverName: oneOrMore(
    text("a host name", (value) => parsePattern(value, "host")),
    "a host name",
  ).optional().describe(
    "The name that the client has asked the TLS of the listener for.",
  ),
  alpn: oneOrMore(
    text("a text", (value) => parsePattern(value, "text")),
    "a text in quotes",
  ).optional().describe("The protocol that the TLS of the listener agreed on."),
  bytes: bytes.optional().describe(
    "The first bytes, whatever the protocol; all that is given has to match.",
  ),
  any: matches.optional().describe("At least one of these."),
  all: matches.optional().describe("All of these."),
  not: match.optional().describe("Not this."),
  ...protocols,
}).refine(
  (value) => Object.values(value).some((one) => one !== undefined),
  "must have at least one key; true matches every client",
);

const route = mapping({
  name: text(
    "a text",
    (value) => isRouteName(value) ? undefined : ROUTE_NAME_RULE,
  ).optional().describe("For logs, statistics and --dry-run."),
  match: z.union(
    [z.literal(true), match],
    rule("must be a mapping, or true for every client"),
  ).describe("Which clients the route is for: all keys have to match."),
  ...action,
});

const port = whole(0, 65_535);

const LISTENER =
  `must be "host:port", "unix:/path", a port, or a mapping of host, port and name, or of path, mode and name`;

const certificate = mapping({
  cert: nonEmpty("a path").describe(
    "The file of the certificate and those of its issuers (PEM).",
  ),
  key: nonEmpty("a path").describe("The file of its private key (PEM)."),
});

const listener = z.union([
  text("host:port or unix:/path", parseListen),
  port,
  mapping({
    host: nonEmpty("a host name or an IP address").optional()
      .describe("A host name or an IP address; default 0.0.0.0."),
    port: port.optional().describe("The port; 0 for any that is free."),
    path: text("an absolute path", parseListenPath).optional()
      .describe("A socket file, in place of host and port."),
    mode: text(`octal digits in quotes, such as "660"`, readMode).optional()
      .describe("The permissions of the socket file; default: by the umask."),
    name: nonEmpty("a text").optional()
      .describe("For match.listener; default: the host and port."),
    acceptProxy: z.union(
      [z.literal(true), network, z.array(network).min(1)],
      rule("must be true, an IP address or a network, or a list of those"),
    ).optional().describe(
      "Connections begin with a header of the PROXY protocol: from any peer, or from these networks (CIDR) only.",
    ),
    tls: oneOrMore(certificate, "a mapping of cert and key").optional()
      .describe(
        "Speak TLS, with the certificate for the name that a client asks for; otherwise the first.",
      ),
    alpn: oneOrMore(protocol, "a protocol").optional()
      .describe("Application protocols of TLS, the best first."),
  }).superRefine((value, context) => {
    const refuse = (message: string, key: string) =>
      context.addIssue({ code: "custom", message, path: [key] });
    if (value.path === undefined) {
      if (value.port === undefined) refuse("is needed", "port");
      if (value.mode !== undefined) refuse("must stand beside path", "mode");
      return;
    }
    for (const key of ["host", "port"] as const) {
      if (value[key] !== undefined) refuse("cannot stand beside path", key);
    }
  }),
], rule(LISTENER));

const grant = (what: string, item = nonEmpty(what)) =>
  z.union(
    [z.boolean(), item, z.array(item)],
    rule(`must be true, ${what}, or a list of those`),
  ).optional();

const perSecond = number(
  ...LIMITS.rate,
  `must be a number per second from ${LIMITS.rate[0]} to ${LIMITS.rate[1]}`,
);

/** What stands in a route table. */
export const tableSchema = mapping({
  listen: oneOrMore(
    listener,
    `"host:port", "unix:/path", a port, or a mapping`,
  ).optional()
    .describe("Where to listen; the command line's -h and -p win."),
  workers: whole(...LIMITS.workers).optional()
    .describe("Worker threads; default: one per core."),
  maxConnections: whole(...LIMITS.maxConnections).optional()
    .describe("Connections open at a time."),
  maxConnectionsPerIp: whole(...LIMITS.maxConnectionsPerIp).optional()
    .describe(
      "Connections open at a time of one client address (IPv6: of one /64); 0: no limit.",
    ),
  rateLimit: z.union([
    z.literal(0),
    perSecond,
    mapping({
      perSecond,
      burst: whole(...LIMITS.burst).optional()
        .describe("Connections at a time after a rest; default: of a second."),
    }),
  ], rule("must be a number, or a mapping of perSecond and burst")).optional()
    .describe("New connections per second of one client address; 0: no limit."),
  maxPreread: whole(...LIMITS.maxPreread).optional()
    .describe("Bytes to read, at most, before there is a decision."),
  prereadTimeout: seconds(MAX_SECONDS).optional()
    .describe("Seconds for that."),
  connectTimeout: secondsOrOff(MAX_SECONDS).optional()
    .describe("Seconds for one try to connect to a remote; 0: no limit."),
  halfCloseTimeout: seconds(MAX_SECONDS).optional()
    .describe("Seconds without progress after one side has ended."),
  idleTimeout: secondsOrOff(MAX_SECONDS).optional()
    .describe("Seconds in which both directions may be silent; 0: no limit."),
  maxDuration: secondsOrOff(MAX_SECONDS).optional()
    .describe("Seconds from accept to the end of a connection; 0: no limit."),
  drainTimeout: secondsOrOff(MAX_SECONDS).optional()
    .describe("Seconds for connections from before a reload to end."),
  logLevel: z.enum(LEVELS, rule(`must be one of ${LEVELS.join(", ")}`))
    .optional().describe("How much to log."),
  logFormat: z.enum(FORMATS, rule(`must be one of ${FORMATS.join(", ")}`))
    .optional().describe("The format of both logs."),
  accessLog: nonEmpty("a path, - or off").optional()
    .describe("A file; - is standard output, off is none."),
  admin: z.union([
    text("a text host:port", parseBindAddress),
    mapping({
      host: nonEmpty("a host name or an IP address").optional()
        .describe("A host name or an IP address; default 127.0.0.1."),
      port: port.describe("The port; 0 for any that is free."),
      tokenFile: nonEmpty("a path").optional().describe(
        "A file with the token that requests must have; needed if the host is not a loopback address.",
      ),
    }),
  ], rule(`must be "host:port", or a mapping of host, port and tokenFile`))
    .optional().describe("Where the admin server listens."),
  allow: mapping({
    net: grant("a host", text("a host", checkHost)),
    read: grant("a path"),
    env: grant("a name"),
    import: grant("a host"),
  }).optional().describe("Permissions of the router module."),
  router: nonEmpty("the path of a module").optional()
    .describe("A module that serves what no route is for."),
  pools: pools.optional().describe("Pools of remotes, by name."),
  tables: tables.optional().describe("Tables of remotes in Redis, by name."),
  routes: z.array(route, rule("must be a list of routes")).optional()
    .describe("Tried in order: the first that matches wins."),
  default: mapping(action).optional()
    .describe("What to do when no route matches; default: close."),
});

/** A route table as it stands in the file. */
export type TableInput = z.infer<typeof tableSchema>;

/** Looks at the permissions of a socket file; a text says which rule they break. */
function readMode(value: string): string | undefined {
  const mode = parseMode(value);
  return typeof mode === "string" ? mode : undefined;
}

/** Looks at an item of `allow.net`; a text says which rule it breaks. */
function checkHost(value: string): SocketPath | string | undefined {
  if (value === "") return "must not be empty";
  return isUnix(value) ? parseSocketPath(value) : undefined;
}

function checkPrefix(value: string): string | undefined {
  if (value === "") return "must not be empty";
  return /^[\0-\xff]+$/.test(value)
    ? undefined
    : "must have characters up to U+00FF only, as each stands for one byte";
}

/** The JSON Schema of a route table, for editors. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(tableSchema, { io: "input" });
  return `${
    JSON.stringify({ ...schema, title: "proxymachine route table" }, null, 2)
  }\n`;
}
