/**
 * Where to listen, as it stands in a route table.
 *
 * @module
 */
import {
  formatAddress,
  parseHostPort,
  parsePort,
} from "../connection/address.ts";
import type { ListenOptions } from "../connection/listener.ts";

/** A listener in the form of a mapping. */
export interface ListenInput {
  readonly host?: string | undefined;
  readonly port: number;
  readonly name?: string | undefined;
  readonly acceptProxy?: true | string | readonly string[] | undefined;
}

/**
 * Reads a listener.
 *
 * @param text `host:port`, with IPv6 as `[::]:443`; without a host, all.
 * @returns The listener, or a text that says which rule it breaks.
 */
export function parseListen(text: string): ListenOptions | string {
  const colon = text.lastIndexOf(":");
  const port = parsePort(text.slice(colon + 1), 0);
  if (port === undefined) {
    return `must be "host:port" with a port from 0 to 65535`;
  }
  if (colon <= 0) return { name: text, hostname: "0.0.0.0", port };
  // a remote has no port 0
  const parsed = parseHostPort(`${text.slice(0, colon)}:1`);
  if (typeof parsed === "string") return parsed;
  return { name: text, hostname: parsed.hostname, port };
}

/**
 * Makes a listener of what stands in a table and has been checked.
 *
 * @param input A text, a port, or a mapping.
 * @returns The listener; without a name it is called as it stands there.
 */
export function toListener(
  input: string | number | ListenInput,
): ListenOptions {
  if (typeof input === "object") {
    const { host: hostname = "0.0.0.0", port, name, acceptProxy } = input;
    const bare = hostname.replace(/^\[(.*)\]$/, "$1");
    const address = { hostname: bare, port };
    return {
      name: name ?? formatAddress(address),
      ...address,
      ...acceptProxy === undefined ? {} : {
        acceptProxy: typeof acceptProxy === "string"
          ? [acceptProxy]
          : acceptProxy,
      },
    };
  }
  const parsed = parseListen(String(input));
  if (typeof parsed === "string") throw new TypeError(parsed);
  return parsed;
}
