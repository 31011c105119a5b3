/**
 * One decision, written for each of the programmable peers: TypeScript, Lua and
 * njs side by side, so that it can be seen that all of them do the same work.
 *
 * - `host`: the Host header, found by a regular expression, leads to the
 *   backend;
 * - `rules`: the Host header is tried against {@linkcode RULES} patterns in
 *   order, and the last fits; here, a `RegExpMap` holds the patterns;
 * - `loop`: the same with a loop over the patterns here, too;
 * - `iperf`: the cookie with which iperf3 opens its connections leads to the
 *   backend.
 *
 * Each waits for more bytes as long as its expression does not match.
 *
 * @module
 */

/** What the routers of one case decide by. */
export type Routing = "host" | "rules" | "loop" | "iperf";

/** Patterns of the `rules` routing. */
export const RULES = 1_000;

/**
 * The Host header that every HTTP case sends: it fits the last rule and no
 * other.
 */
export const HOST = `shop.tenant-${label(RULES - 1)}.example.com`;

/** A router module for this proxy; the naive peer runs the same one. */
export function typescriptRouter(routing: Routing, backend: string): string {
  if (routing === "rules" || routing === "loop") {
    const patterns = each((tenant) =>
      `  [/^[^.]+\\.${tenant}\\.example\\.com$/, "${backend}"],`
    );
    const host = "data.match(/\\r\\nHost: ([^\\r\\n:]+)/i)?.[1]?.toLowerCase()";
    return routing === "rules"
      ? `
import { RegExpMap, type Router } from "proxymachine";

const rules = new RegExpMap<string>([
${patterns}
]);

export default {
  route(data) {
    const host = ${host};
    if (host === undefined) return;
    const remote = rules.get(host);
    return remote === undefined ? { close: true } : { remote };
  },
} satisfies Router;
`
      : `
import type { Router } from "proxymachine";

const rules: [RegExp, string][] = [
${patterns}
];

export default {
  route(data) {
    const host = ${host};
    if (host === undefined) return;
    for (const [pattern, remote] of rules) {
      if (pattern.test(host)) return { remote };
    }
    return { close: true };
  },
} satisfies Router;
`;
  }
  const pattern = routing === "host"
    ? "/\\r\\nHost: ([^\\r\\n:]+)/i"
    : "/^[a-z2-7]{36}/";
  return `
import type { Router } from "proxymachine";

export default {
  route(data) {
    return data.match(${pattern}) ? { remote: "${backend}" } : undefined;
  },
} satisfies Router;
`;
}

/**
 * A Lua action for HAProxy that names the backend section in the variable
 * `txn.backend`. Lua has patterns, not regular expressions; these say the same.
 */
export function luaRouter(routing: Routing): string {
  const host = `data:match("\\r\\n[Hh][Oo][Ss][Tt]: ([^\\r\\n:]+)")`;
  const rules = `local rules = {
${
    each((tenant) =>
      `  { "^[^.]+%.${tenant.replace("-", "%-")}%.example%.com$", "upstream" },`
    )
  }
}

local function decide(data)
  local host = ${host}
  if not host then return nil end
  host = host:lower()
  for i = 1, #rules do
    if host:match(rules[i][1]) then return rules[i][2] end
  end
end
`;
  const single = `local function decide(data)
  if ${
    routing === "host" ? host : `data:match("^${"[a-z2-7]".repeat(36)}")`
  } then
    return "upstream"
  end
end
`;
  return `${routing === "rules" ? rules : single}
core.register_action("route", { "tcp-req" }, function(txn)
  local data = txn.req:data()
  while data do
    local backend = decide(data)
    if backend then
      txn:set_var("txn.backend", backend)
      return
    end
    core.yield()
    data = txn.req:data()
  end
end)
`;
}

/**
 * An njs module for nginx that puts the address into the variable `$remote`.
 *
 * The rules are a chain of `if`, as njs runs a module's body anew for every
 * connection: a list of regular expressions would be built each time, which
 * takes a third more than this.
 */
export function njsRouter(routing: Routing, backend: string): string {
  const host = "data.match(/\\r\\nHost: ([^\\r\\n:]+)/i)";
  const rules = `function decide(data) {
  const found = ${host};
  if (!found) return undefined;
  const host = found[1].toLowerCase();
${
    each((tenant) =>
      `  if (/^[^.]+\\.${tenant}\\.example\\.com$/.test(host)) return "${backend}";`
    )
  }
}
`;
  const single = `function decide(data) {
  return ${
    routing === "host" ? host : "data.match(/^[a-z2-7]{36}/)"
  } ? "${backend}" : undefined;
}
`;
  return `${routing === "rules" ? rules : single}
function route(s) {
  s.on("upload", (data) => {
    const remote = decide(data);
    if (remote) {
      s.variables.remote = remote;
      s.done();
    }
  });
}

export default { route };
`;
}

function label(index: number): string {
  return String(index).padStart(4, "0");
}

function each(line: (tenant: string) => string): string {
  return Array.from(
    { length: RULES },
    (_, index) => line(`tenant-${label(index)}`),
  ).join("\n");
}
