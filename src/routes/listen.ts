/**
 * Where to listen, as it stands in a route table.
 *
 * @module
 */
import { resolve } from "node:path";
import {
  formatAddress,
  isUnix,
  MAX_LISTEN_PATH,
  parseBindAddress,
  parsePort,
  parseSocketPath,
  type SocketPath,
  withoutBrackets,
} from "../net/address.ts";
import type { ListenOptions } from "../net/listen.ts";

/** A listener in the form of a mapping. */
export interface ListenInput {
  readonly host?: string | undefined;
  /** Needed, unless there is a path. */
  readonly port?: number | undefined;
  /** In place of host and port. */
  readonly path?: string | undefined;
  readonly mode?: string | undefined;
  readonly name?: string | undefined;
  readonly acceptProxy?: true | string | readonly string[] | undefined;
  readonly tls?: TlsInput | readonly TlsInput[] | undefined;
  readonly alpn?: string | readonly string[] | undefined;
}

/** A certificate with its key, as paths. */
export interface TlsInput {
  readonly cert: string;
  readonly key: string;
}

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
 * Makes a listener of what stands in a table and has been checked.
 *
 * @param input A text, a port, or a mapping.
 * @param folder What paths are relative to.
 * @returns The listener; without a name it is called as it stands there.
 */
export function toListener(
  input: string | number | ListenInput,
  folder: string,
): ListenOptions {
  if (typeof input === "object") {
    const { host = "0.0.0.0", port = 0, name, path, acceptProxy } = input;
    const mode = input.mode === undefined ? undefined : parseMode(input.mode);
    const address = path === undefined
      ? { hostname: withoutBrackets(host), port }
      : { path };
    const certificates = [input.tls ?? []].flat().map(({ cert, key }) => ({
      certFile: resolve(folder, cert),
      keyFile: resolve(folder, key),
      names: [],
    }));
    return {
      name: name ?? formatAddress(address),
      ...address,
      ...typeof mode === "number" ? { mode } : {},
      ...acceptProxy === undefined ? {} : {
        acceptProxy: typeof acceptProxy === "string"
          ? [acceptProxy]
          : acceptProxy,
      },
      ...certificates.length === 0 ? {} : {
        tls: { certificates, alpn: [input.alpn ?? []].flat() },
      },
    };
  }
  const parsed = parseListen(String(input));
  if (typeof parsed === "string") throw new TypeError(parsed);
  return parsed;
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

/**
 * Reads the permissions of a file.
 *
 * @param text Octal digits, as chmod(1) takes them.
 * @returns The bits, or a text that says which rule they break.
 */
export function parseMode(text: string): number | string {
  return /^0?[0-7]{3}$/.test(text)
    ? parseInt(text, 8)
    : "must be three octal digits, such as 660";
}
