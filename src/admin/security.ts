/**
 * Who may ask the admin server for what.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpAsked } from "./http_message.ts";
import { type AdminOptions, isLoopback } from "../options/admin.ts";

/** Why a request is refused. */
export interface Refusal {
  /** The status of the answer. */
  readonly status: 401 | 403;
  readonly error: string;
}

/**
 * Checks for whom a request was meant: a page of another site may have been
 * given a name that leads here (DNS rebinding), but cannot hide that name.
 *
 * @param options Where the server listens: its own name is allowed; if that is
 * all addresses, any IP address is.
 * @returns Why it is refused, or `undefined`.
 */
export function checkHost(
  request: HttpAsked,
  options: Pick<AdminOptions, "hostname">,
): Refusal | undefined {
  const hosts = [new URL(request.url).host, request.headers.get("host")];
  for (const host of hosts) {
    if (host === null || isOwnHost(host, options.hostname)) continue;
    return {
      status: 403,
      error:
        "the Host header must be a loopback address or name, or the host of --admin",
    };
  }
  return undefined;
}

function isOwnHost(host: string, own: string): boolean {
  if (!URL.canParse(`http://${host}/`)) return false;
  const { hostname } = new URL(`http://${host}/`);
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(bare) || bare === own.toLowerCase()) return true;
  const isAll = own === "0.0.0.0" || own === "::";
  return isAll && (bare.includes(":") || /^\d+(?:\.\d+){3}$/.test(bare));
}

/**
 * Checks the token of a request, in a time that says nothing about it.
 *
 * @param token What it must have in `Authorization: Bearer`; `undefined`: none.
 * @returns Why it is refused, or `undefined`.
 */
export function checkToken(
  request: HttpAsked,
  token: string | undefined,
): Refusal | undefined {
  if (token === undefined) return undefined;
  const header = request.headers.get("authorization") ?? "";
  const [, given] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
  if (given !== undefined && timingSafeEqual(hash(given), hash(token))) {
    return undefined;
  }
  return {
    status: 401,
    error: given === undefined
      ? "the header Authorization: Bearer TOKEN is needed, with the token of --admin-token-file"
      : "the token is not that of --admin-token-file",
  };
}

function hash(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/**
 * Checks where a request that changes something comes from: from a page of this
 * server, or from no page at all.
 *
 * @param authorized Whether it has shown the token.
 * @returns Why it is refused, or `undefined`.
 */
export function checkOrigin(
  request: HttpAsked,
  authorized: boolean,
): Refusal | undefined {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (site === null && origin === null) {
    // a form of another site can send neither of both
    if (authorized || headers.get("x-proxymachine") === "1") return undefined;
    return {
      status: 403,
      error: "the header x-proxymachine: 1 is needed without a browser",
    };
  }
  const sameSite = site === null || site === "same-origin";
  if (sameSite && (origin === null || isSameHost(origin, request))) {
    return undefined;
  }
  return { status: 403, error: "pages of other sites may change nothing" };
}

function isSameHost(origin: string, request: HttpAsked): boolean {
  return URL.canParse(origin) &&
    new URL(origin).host === new URL(request.url).host;
}
