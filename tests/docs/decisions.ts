/**
 * The reference page of decisions.
 *
 * @module
 */
import { cell, table } from "./markdown.ts";
import type { Field, Types } from "./types.ts";

const CONTRACT = "src/router/contract.ts";
const MODULE = "src/router/decision.ts";

/** The kinds of decisions: heading, type, and keys that are described elsewhere. */
const KINDS: readonly (readonly [heading: string, type: string])[] = [
  ["A remote", "RemoteDecision"],
  ["A pool", "PoolDecision"],
  ["An answer, and on", "ReplyDecision"],
  ["The end", "CloseDecision"],
  ["Nothing yet", "NoopDecision"],
];

/** Makes the page. */
export function decisionsPage(types: Types): string {
  return `# Decisions

What a hook of a [router](../routers.md) may return. ${
    types.comment(MODULE, "Decision")
  }

${KINDS.map(([heading, type]) => section(heading, type, types)).join("\n\n")}

## \`tls\`

${types.comment(MODULE, "RemoteTls")} See [TLS](../tls.md#to-a-remote).

${fieldTable(types.fields(MODULE, "RemoteTls"))}

## The client

The argument \`client\` of each hook. ${types.comment(CONTRACT, "Client")}

${fieldTable(types.fields(CONTRACT, "Client"))}

An address is one of these:

${fieldTable(types.fields(CONTRACT, "TcpAddress"))}

${fieldTable(types.fields(CONTRACT, "UnixAddress"))}

\`client.tls\`: ${types.comment(CONTRACT, "ClientTls")}

${fieldTable(types.fields(CONTRACT, "ClientTls"))}
`;
}

function section(heading: string, type: string, types: Types): string {
  return `## ${heading}

${types.comment(MODULE, type)}

${fieldTable(types.fields(MODULE, type))}`;
}

function fieldTable(fields: readonly Field[]): string {
  const rows = fields.map(({ name, type, text, byDefault }) => [
    `\`${name}\``,
    `\`${type.replaceAll("|", "\\|")}\``,
    cell(text),
    byDefault === undefined ? "" : cell(byDefault),
  ]);
  return table(["key", "type", "meaning", "default"], rows);
}
