/**
 * What a route table has as texts with variables, as bytes, or as TLS: what each
 * is read as.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import {
  fieldsJson,
  type Kind,
  kind,
  nonEmpty,
  oneOrMore,
  parsed,
  readFields,
} from "../lib/kinds.ts";
import { isAlpn, isServerName } from "../net/tls_options.ts";
import { HEX } from "./matchers/hex.ts";
import type { Content, Template, TlsAction } from "./route_table.ts";
import { parseTemplate } from "./template.ts";

/** A text with variables. */
export const TEMPLATE: Kind<Template> = parsed("a text", parseTemplate);

const HEX_RULE = "must be a mapping";

/** A mapping with bytes. */
export const HEX_MAPPING: Kind<Uint8Array> = kind(
  HEX_RULE,
  fieldsJson({ hex: HEX }, {
    hex: "Bytes as hexadecimal digits; spaces do not matter.",
  }, ["hex"]),
  (value) => {
    const fields = readFields(value, { hex: HEX }, HEX_RULE);
    if (fields instanceof Broken) return fields;
    return fields.hex ?? new Broken("is needed", undefined, ["hex"]);
  },
);

/** A text with variables, or bytes. */
export const CONTENT: Kind<Content> = kind(
  "must be a text, or a mapping with hex",
  { anyOf: [TEMPLATE.json, HEX_MAPPING.json] },
  readContent,
);

/** The last bytes for a client; `undefined` for none. */
export const LAST_CONTENT: Kind<Content | undefined> = {
  rule: "must be true, a text, or a mapping with hex",
  json: { anyOf: [{ const: true }, TEMPLATE.json, HEX_MAPPING.json] },
  read: readLast,
  parse: readLast,
};

function readLast(value: unknown): Content | undefined | Broken {
  if (value === true) return undefined;
  return readContent(value) ?? new Broken(LAST_CONTENT.rule, value);
}

function readContent(value: unknown): Content | Broken | undefined {
  if (typeof value === "string") return TEMPLATE.read(value);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? HEX_MAPPING.read(value)
    : undefined;
}

const PATH = nonEmpty("a path");

/** Files of authorities. */
const PATHS = oneOrMore(PATH, `${PATH.rule}, or a list of those`);

/** One protocol of ALPN. */
const PROTOCOL = parsedText(
  "a protocol",
  (text) => isAlpn([text]),
  "must be 1 to 255 ASCII characters",
);

const TLS_FIELDS = {
  serverName: parsedText(
    "a host name",
    isServerName,
    "must be a host name or an IP address",
  ),
  ca: PATHS,
  alpn: oneOrMore(PROTOCOL, "must be a protocol, or a list of those"),
};

const TLS_RULE = "must be true, or a mapping of serverName, ca and alpn";

/** How to speak TLS with a remote, with paths of authorities. */
export const TLS: Kind<true | TlsAction | undefined> = {
  rule: TLS_RULE,
  json: {
    anyOf: [
      { type: "boolean" },
      fieldsJson(TLS_FIELDS, {
        serverName:
          "The name that the certificate must have; default: the host of remote.",
        ca: "Files (PEM) of authorities to trust beside those that are known.",
        alpn: "Application protocols to offer.",
      }),
    ],
  },
  read: readTls,
  parse: readTls,
};

function readTls(value: unknown): true | TlsAction | undefined | Broken {
  if (typeof value === "boolean") return value || undefined;
  const fields = readFields(value, TLS_FIELDS, TLS_RULE);
  if (fields instanceof Broken) return fields;
  const { serverName, ca = [], alpn } = fields;
  return { serverName, ca, alpn };
}

/** A text that must fit; what is no text is told what it must be. */
function parsedText(
  what: string,
  fits: (text: string) => boolean,
  rule: string,
): Kind<string> {
  return kind(`must be ${what}`, { type: "string" }, (value) => {
    if (typeof value !== "string") return undefined;
    return fits(value) ? value : new Broken(rule, value);
  });
}
