/**
 * Where to listen, in the form of a text.
 *
 * @module
 */
import {
  formatAddress,
  isUnix,
  MAX_LISTEN_PATH,
  parseBindAddress,
  parsePort,
  parseSocketPath,
  type SocketPath,
} from "../net/address.ts";
import type { ListenOptions } from "../net/listen.ts";

/**
 * Reads a listener.
 *
 * @param text `host:port`, with IPv6 as `[::]:443`; without a host, all. Or
 * `unix:/path`.
 * @returns The listener, or a text that says which rule it breaks.
 */
export function parseListen(text: string): ListenOptions | string {
  if (isUnix(text)) {
    const parsed = parseSocketPath(text, MAX_LISTEN_PATH);
    return typeof parsed === "string" ? parsed : { name: text, ...parsed };
  }
  const port = parsePort(text.replace(/^:/, ""), 0);
  if (port !== undefined) return { name: text, hostname: "0.0.0.0", port };
  const parsed = parseBindAddress(text);
  return typeof parsed === "string" ? parsed : { name: text, ...parsed };
}

/**
 * Tells whether a listener is called after its address.
 *
 * @param listener One that is complete.
 */
export function isNameless(listener: ListenOptions): boolean {
  const parsed = parseListen(listener.name);
  return typeof parsed === "object" &&
    formatAddress(parsed) === formatAddress(listener);
}

/**
 * Reads the path of a listener in the form of a mapping.
 *
 * @param path The path, without `unix:`.
 * @returns The path, or a text that says which rule it breaks.
 */
export function parseListenPath(path: string): SocketPath | string {
  return parseSocketPath(`unix:${path}`, MAX_LISTEN_PATH);
}
