/**
 * The schema of a route table: which keys there are, and the rule of each. For
 * the main thread only.
 *
 * @module
 */
import { z } from "zod";
import {
  type ConnectSettings,
  KEYS,
  type SettingKey,
  SETTINGS,
} from "../decision/keys.ts";
import { isRouteName, ROUTE_NAME_RULE } from "../decision/route_name.ts";
import { parseNetwork } from "../net/cidr.ts";
import { MAX_REMOTES } from "../net/remote.ts";
import { MAX_PREREAD } from "../options/rows.ts";
import { parseExpression, parsePattern } from "./pattern.ts";
import { type FieldKind, type Protocol, PROTOCOLS } from "./protocols.ts";
import {
  checkedBy,
  checkHex,
  hex,
  mapping,
  nonEmpty,
  oneOrMore,
  rule,
  text,
  whole,
} from "./schema_parts.ts";
import { admin, listener } from "./schema_listen.ts";
import { options } from "./schema_options.ts";
import { pools } from "./schema_pools.ts";
import { tables } from "./schema_tables.ts";
import { remoteTls } from "./schema_tls.ts";
import { parseTemplate } from "./template.ts";

/** The keys that are those of a decision. */
const settings = Object.fromEntries(
  SETTINGS.map((key) => {
    const { kind, help } = KEYS[key].table;
    return [key, checkedBy(kind).optional().describe(help)];
  }),
) as unknown as {
  [Key in SettingKey]: z.ZodOptional<z.ZodType<ConnectSettings[Key]>>;
};

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
  consume: whole(1, MAX_PREREAD).describe(
    "How many bytes to drop before routing goes on with those that follow.",
  ).optional(),
  close: z.union(
    [z.literal(true), text("true or a text", parseTemplate), hex],
    rule("must be true, a text, or a mapping with hex"),
  ).describe("Close: at once, or after these last bytes.").optional(),
  ...settings,
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
  within: whole(1, MAX_PREREAD).optional()
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

/** What stands in a route table. */
export const tableSchema = mapping({
  listen: oneOrMore(
    listener,
    `"host:port", "unix:/path", a port, or a mapping`,
  ).optional()
    .describe("Where to listen; the command line's -h and -p win."),
  ...options,
  admin: admin.optional().describe("Where the admin server listens."),
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
