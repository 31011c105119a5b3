/**
 * Measures route tables: nanoseconds per decision by the number of names.
 *
 * ```sh
 * deno run tests/bench/routes.ts [--json]
 * ```
 *
 * @module
 */
import { readArguments } from "../support/arguments.ts";
import { compileTable } from "../../src/routes/compile.ts";
import { parsePattern } from "../../src/routes/matchers/pattern.ts";
import type { Match } from "../../src/routes/matchers/match.ts";
import type { RouteTable } from "../../src/routes/route_table.ts";
import type { Client, Router } from "../../src/router/contract.ts";
import { Preread } from "../../src/router/preread.ts";
import { clientHello, serverName } from "../support/protocols/builders.ts";

const SIZES = [10, 100, 1000, 10_000] as const;
const ROUNDS = 15;
const ROUND_MILLISECONDS = 20;
/** How many different clients there are, so that no cache has one answer. */
const CLIENTS = 64;

const CLIENT: Client = {
  id: 1,
  remoteAddr: { transport: "tcp", hostname: "192.0.2.1", port: 50_000 },
  localAddr: { transport: "tcp", hostname: "192.0.2.9", port: 443 },
  listener: "0.0.0.0:443",
};

/** One line of the result. */
export interface Measurement {
  /** What the routes ask for. */
  readonly names: string;
  /** The number of routes. */
  readonly routes: number;
  /** Nanoseconds per decision in the fastest round. */
  readonly ns: number;
}

/** What the routes ask for, and what clients send that are for route i. */
export interface Kind {
  readonly names: string;
  readonly match: (i: number) => Match;
  readonly bytes: (i: number) => Uint8Array;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const hello = (name: string) => clientHello(serverName(name));
const get = (name: string) =>
  bytes(`GET /index.html HTTP/1.1\r\nHost: ${name}\r\nAccept: */*\r\n\r\n`);

/** What is measured. */
export const KINDS: readonly Kind[] = [
  {
    names: "exact tls.serverName",
    match: (i) => field("tls", "serverName", `host-${i}.example.com`),
    bytes: (i) => hello(`host-${i}.example.com`),
  },
  {
    names: "exact http.host",
    match: (i) => field("http", "host", `host-${i}.example.com`),
    bytes: (i) => get(`host-${i}.example.com`),
  },
  {
    names: "suffix tls.serverName",
    match: (i) => field("tls", "serverName", `*.host-${i}.example.com`),
    bytes: (i) => hello(`www.host-${i}.example.com`),
  },
  {
    names: "exact, client of no route",
    match: (i) => field("tls", "serverName", `host-${i}.example.com`),
    bytes: (i) => hello(`other-${i}.example.com`),
  },
  {
    names: "glob that no index holds",
    match: (i) => field("tls", "serverName", `host-${i}.*.com`),
    bytes: (i) => hello(`host-${i}.example.com`),
  },
];

function main(): void {
  const results = KINDS.flatMap(measureKind);
  if (readArguments(Deno.args, ["json"]).json) {
    return console.log(JSON.stringify(results, null, 2));
  }
  console.log(
    `${"ns per decision".padEnd(28)}${
      SIZES.map((size) => `${size} routes`.padStart(14)).join("")
    }`,
  );
  for (const { names } of KINDS) {
    const row = results.filter((result) => result.names === names);
    console.log(
      names.padEnd(28) +
        row.map(({ ns }) => ns.toFixed(0).padStart(14)).join(""),
    );
  }
}

function field(
  protocol: "tls" | "http",
  name: string,
  text: string,
): Match {
  const pattern = parsePattern(text, "host");
  if (typeof pattern === "string") throw new TypeError(pattern);
  return {
    kind: "field",
    protocol,
    field: name,
    key: undefined,
    patterns: [pattern],
  };
}

/**
 * Measures tables of all sizes by turns, so that what else the machine does is
 * the same for all.
 */
export function measureKind(kind: Kind): Measurement[] {
  const calls = SIZES.map((size) => callOf(kind, size));
  const counts = calls.map((call) => {
    let count = 1;
    while (run(call, count) < ROUND_MILLISECONDS) count *= 2; // this is the warm-up, too
    return count;
  });
  const fastest = SIZES.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, call] of calls.entries()) {
      const ns = run(call, counts[i]!) * 1e6 / counts[i]!;
      fastest[i] = Math.min(fastest[i]!, ns);
    }
  }
  return SIZES.map((routes, i) => ({
    names: kind.names,
    routes,
    ns: fastest[i]!,
  }));
}

/** One decision of a table of so many routes. */
function callOf({ match, bytes }: Kind, size: number): (i: number) => unknown {
  const table: RouteTable = {
    file: "bench",
    routes: Array.from({ length: size }, (_, i) => ({
      name: undefined,
      line: i + 1,
      match: match(i),
      action: {
        kind: "remote",
        pool: undefined,
        table: undefined,
        key: undefined,
        remotes: [[`10.0.0.${i % 256}:443`]],
        reply: undefined,
        connectTimeout: undefined,
        inactivityTimeout: undefined,
        idleTimeout: undefined,
        halfCloseTimeout: undefined,
        maxDuration: undefined,
        proxyProtocol: undefined,
        tls: undefined,
      },
    })),
    pools: [],
    tables: [],
    otherwise: { kind: "close", content: undefined },
  };
  const { router } = compileTable(table, undefined);
  // from all over the table
  const clients = Array.from(
    { length: CLIENTS },
    (_, i) => bytes(Math.floor(i * size / CLIENTS)),
  );
  return (i) => route(router, clients[i % CLIENTS]!);
}

function route(router: Router, data: Uint8Array): unknown {
  return router.route?.(new Preread(data), CLIENT);
}

let sink: unknown;

function run(call: (i: number) => unknown, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) sink = call(i);
  void sink; // so that no call can be left out
  return performance.now() - start;
}

if (import.meta.main) main();
