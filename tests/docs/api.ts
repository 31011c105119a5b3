/**
 * The reference page of the API of the admin server.
 *
 * @module
 */
import type { Types } from "./types.ts";
import { cell, table } from "./markdown.ts";

const MODULE = "src/admin/json_types.ts";

/** A call of the API. */
interface Call {
  readonly heading: string;
  /** The type of what it answers, in {@linkcode MODULE}. */
  readonly type: string;
  /** What stands above the table. */
  readonly text: string;
}

const CALLS: readonly Call[] = [
  {
    heading: "`/healthz` and `/readyz`",
    type: "Health",
    text: "200 if all is well, otherwise 503. They need no token.",
  },
  {
    heading: "`/api/status`",
    type: "Status",
    text:
      "`ended` has the [reasons of ends](end-reasons.md), `limits` the counters of [limits](../operations.md#limits).",
  },
  {
    heading: "`/api/history`",
    type: "History",
    text: "The last 300 seconds.",
  },
  {
    heading: "`/api/connections`",
    type: "ConnectionList",
    text:
      `The connections that are open: \`/api/connections?search=TEXT&sort=FIELD&order=asc|desc&limit=N\`.
\`search\` looks for a text in the id, client, listener, remote, route and stage;
\`sort\` is any field of a connection, \`id\` if not given; \`limit\` is 100 if not
given, and at most 1000.`,
  },
  { heading: "`/api/pools`", type: "Pool", text: "A list of pools." },
  {
    heading: "`/api/routes`",
    type: "RouteEntry",
    text:
      `A list of 200 names at most, the first that were seen; the others together are
\`(other)\`. Connections whose router names no route are \`(none)\`.`,
  },
  {
    heading: "`/api/remotes`",
    type: "RemoteEntry",
    text: "A list of remotes, at most as many as there are of routes.",
  },
  {
    heading: "`/api/errors`",
    type: "LogEntry",
    text:
      "A list of the last 50 different texts of warnings and errors of the log, the newest first.",
  },
  {
    heading: "`/api/config`",
    type: "ConfigurationInUse",
    text: "There are no keys, passwords or tokens in it.",
  },
];

/** Makes the page. */
export function apiPage(types: Types): string {
  return `# API

The [admin server](../operations.md#admin-server) answers with JSON. Times are
those of RFC 3339, durations are in seconds, sizes in bytes. Fields may be
added; none is removed, renamed or given another meaning. Something that is not
there, or is wrong, is answered with a status from 400 and \`{"error": "…"}\`;
what was changed, with 204.

${CALLS.map((call) => section(call, types)).join("\n\n")}

## Changes

| call | what |
|---|---|
| \`POST /api/connections/ID/close\` | closes a connection |
| \`POST /api/pools/NAME/drain?remote=REMOTE\` | gives a member of a pool no new connections, until a restart or \`undrain\` |
| \`POST /api/pools/NAME/undrain?remote=REMOTE\` | gives it connections again |

They need the header \`x-proxymachine: 1\`, or the token.
`;
}

function section({ heading, type, text }: Call, types: Types): string {
  const rows = types.paths(MODULE, type)
    .map((
      { name, type, text },
    ) => [`\`${name}\``, cell(withValues(type, text))]);
  return `## ${heading}\n\n${text}\n\n${table(["field", "meaning"], rows)}`;
}

/** Adds the words that a field may be. */
function withValues(type: string, text: string): string {
  const words = [...type.matchAll(/"([^"]+)"/g)].map(([, word]) =>
    `\`${word}\``
  );
  return words.length === 0 ? text : `${text} ${words.join(", ")}`;
}
