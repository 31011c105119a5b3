/**
 * Messages of HTTP/1.1 (RFC 9112), as far as the admin server needs them.
 *
 * @module
 */
import type { HttpRequest } from "../protocols/http.ts";

/** The most bytes of a head. */
export const MAX_HEAD = 16_384;

const LF = 0x0a;

/** What a handler is told of a request; a `Request` would do, too. */
export interface HttpAsked {
  /** As it was sent. */
  readonly method: string;
  /** The absolute URL: its host is that of the target or of the Host field. */
  readonly url: string;
  /** The header fields. */
  readonly headers: { get(name: string): string | null };
}

/** What a request is answered with. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined` for none, as with 204. */
  readonly body: string | undefined;
}

/** The reasons of the statuses that are used here. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** A request, and whether the connection ends with it. */
export interface Understood {
  readonly asked: HttpAsked;
  readonly isLast: boolean;
}

/**
 * Makes sense of a head. Nobody sends more before it is answered but a body,
 * which nothing here asks for: then the connection ends with the answer.
 *
 * @param hostname The address that it has come to, for HTTP/1.0.
 * @returns The request, or the status it is refused with.
 */
export function understand(
  head: HttpRequest,
  bytes: Uint8Array,
  hostname: string,
): Understood | number {
  const { method, headers, version, port, path, target } = head;
  // the address stands only for a host that nobody has named, well or badly
  const isNamed = version !== "1.0" || headers.has("host") ||
    !target.startsWith("/");
  if (isNamed && head.host === undefined) return 400;
  const host = head.host ?? hostname;
  const authority = `${host.includes(":") ? `[${host}]` : host}${
    port === undefined ? "" : `:${port}`
  }`;
  const url = URL.parse(`http://${authority}${path}`);
  if (url === null) return 400;
  const hasBody = (headers.get("content-length") ?? "0") !== "0" ||
    headers.has("transfer-encoding");
  const mayStay = version !== "1.0" &&
    !/\bclose\b/i.test(headers.get("connection") ?? "");
  return {
    asked: { method, url: url.href, headers },
    isLast: hasBody || !mayStay || !endsWithHead(bytes),
  };
}

/** Tells whether nothing comes after the empty line. */
function endsWithHead(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const next = bytes[at + 1] === 0x0d ? at + 2 : at + 1;
    if (bytes[next] === LF) return next === bytes.length - 1;
  }
  return false;
}

/** Makes the answer to what is no request. */
export function refusal(status: number): HttpAnswer {
  const error = status === 431
    ? `the head of a request must have less than ${MAX_HEAD} bytes`
    : "this is no HTTP/1 request";
  return {
    status,
    headers: { "content-type": "application/json" },
    body: `${JSON.stringify({ error })}\n`,
  };
}

/**
 * Writes an answer.
 *
 * @param isHead Whether the method was `HEAD`: the length is said, and nothing
 * sent.
 * @param isLast Whether the connection ends with it.
 */
export function formatAnswer(
  { status, headers, body }: HttpAnswer,
  isHead: boolean,
  isLast: boolean,
): Uint8Array {
  const length = new TextEncoder().encode(body).length;
  const fields = {
    date: new Date().toUTCString(),
    ...headers,
    ...body === undefined ? {} : { "content-length": String(length) },
    ...isLast ? { connection: "close" } : {},
  };
  const lines = Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${
    lines.join("")
  }\r\n`;
  return new TextEncoder().encode(isHead ? head : head + (body ?? ""));
}
