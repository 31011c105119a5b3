/**
 * Paths of requests in the form that rules are written for.
 *
 * @module
 */
import { hexDigit } from "./_address.ts";

const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;

/**
 * The path without its query, decoded once except for `%2F`, with `.` and `..`
 * resolved and several slashes made one; one character per byte. What is not a
 * path, such as `*`, stays as it is.
 */
export function normalizePath(path: string): string {
  const end = plainEnd(path);
  if (end === path.length) return path;
  const isQuery = path[end] === "?" || path[end] === "#";
  if (isQuery || path.charCodeAt(0) !== SLASH) return path.slice(0, end);
  return resolve(decode(path.slice(0, endOfPath(path, end))));
}

/**
 * The index of the first character that could make the normalised path another
 * one: a percent sign, the start of the query, or what follows a slash and is a
 * dot or a slash.
 */
function plainEnd(path: string): number {
  let before = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === PERCENT || code === 0x3f || code === 0x23) return i;
    if (before === SLASH && (code === SLASH || code === DOT)) return i;
    before = code;
  }
  return path.length;
}

/** The index of the query or fragment, from `start` on. */
function endOfPath(path: string, start: number): number {
  const query = path.indexOf("?", start);
  const fragment = path.indexOf("#", start);
  if (query < 0 || fragment < 0) {
    return query < 0 && fragment < 0 ? path.length : Math.max(query, fragment);
  }
  return Math.min(query, fragment);
}

/** Decodes each `%XX` once; `%2F` and what is no such code stays. */
function decode(path: string): string {
  let text = "";
  let copied = 0;
  for (
    let at = path.indexOf("%");
    at >= 0 && at + 2 < path.length;
    at = path.indexOf("%", at + 1)
  ) {
    const high = hexDigit(path.charCodeAt(at + 1));
    const low = hexDigit(path.charCodeAt(at + 2));
    if (high < 0 || low < 0) continue;
    const code = high << 4 | low;
    text += path.slice(copied, at);
    text += code === SLASH ? "%2F" : String.fromCharCode(code);
    copied = at + 3;
    at += 2;
  }
  return text + path.slice(copied);
}

/** Goes over the segments: RFC 3986 section 5.2.4, and no empty ones. */
function resolve(path: string): string {
  const segments: string[] = [];
  let isFolder = false; // whether a slash comes last
  for (const segment of path.split("/")) {
    isFolder = segment === "" || segment === "." || segment === "..";
    if (segment === "..") segments.pop();
    else if (!isFolder) segments.push(segment);
  }
  const last = isFolder && segments.length > 0 ? "/" : "";
  return `/${segments.join("/")}${last}`;
}
