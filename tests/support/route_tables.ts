import { ConfigError } from "../../src/lib/config_error.ts";
import { compileTable } from "../../src/routes/compile.ts";
import { type LoadedRouteTable, readTable } from "../../src/routes/load.ts";
import type { Client, Router } from "../../src/router/contract.ts";
import type { Decision } from "../../src/router/decision.ts";
import { Preread } from "../../src/router/preread.ts";

/** Reads a table from a text. */
export function read(source: string): LoadedRouteTable {
  return readTable(source, "r.yaml");
}

/** The lines of mistakes that reading a table ends in. */
export function mistakes(source: string): string[] {
  try {
    read(source);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split("\n").slice(1);
  }
  return [];
}

/** Compiles a table from a text. */
export function router(source: string, rest?: Router): Router {
  return compileTable(read(source).table, rest).router;
}

/** A client at an address, connected to a port. */
export function client(
  hostname = "192.0.2.1",
  port = 443,
  listener = "main",
): Client {
  return {
    id: 1,
    remoteAddr: { transport: "tcp", hostname, port: 50_000 },
    localAddr: { transport: "tcp", hostname: "192.0.2.9", port },
    listener,
  };
}

/** Bytes of a text of one character per byte. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What a router that is not async decides about bytes. */
export function decide(
  router: Router,
  data: string | Uint8Array,
  who: Client = client(),
): Decision {
  const preread = new Preread(typeof data === "string" ? bytes(data) : data);
  return router.route?.(preread, who) as Decision;
}

/** The remote that a router decides on; `undefined`: it waits or closes. */
export function remoteOf(
  router: Router,
  data: string | Uint8Array,
  who: Client = client(),
): string | undefined {
  const remote = decide(router, data, who)?.remote;
  return remote === undefined ? undefined : String(remote);
}

/** A request of HTTP. */
export function get(host: string, path = "/", ...fields: string[]): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...fields, "", ""]
    .join("\r\n");
}
