// @ts-check
/// <reference lib="dom" />
/**
 * Asks the admin server.
 *
 * @module
 */

const KEY = "proxymachine-token";
/** Milliseconds that an answer may take. */
const PATIENCE = 5000;

/** The server answers that it does not do it. */
export class Refused extends Error {}

/** The token is missing or wrong. */
export class Unauthorized extends Error {}

/** Keeps the token for as long as the tab is open. */
export const token = {
  /** @returns {string | null} The token, if there is one. */
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} value The token. */
  set: (value) => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

/**
 * Gets an answer.
 *
 * @param {string} path Below `api/`.
 * @returns {Promise<any>} What the JSON says.
 * @throws {Unauthorized} If a token is needed.
 */
export async function get(path) {
  return await (await call(path, "GET")).json();
}

/**
 * Changes something.
 *
 * @param {string} path Below `api/`.
 * @throws {Unauthorized} If a token is needed.
 */
export async function post(path) {
  await call(path, "POST");
}

/**
 * @param {string} path
 * @param {string} method
 */
async function call(path, method) {
  /** @type {Record<string, string>} */
  const headers = { "x-proxymachine": "1" };
  const secret = token.get();
  if (secret !== null) headers["authorization"] = `Bearer ${secret}`;
  const response = await fetch(`api/${path}`, {
    method,
    headers,
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (response.ok) return response;
  const reason = await response.json().then(({ error }) => error, () => null);
  if (response.status === 401) throw new Unauthorized(reason ?? "no token");
  throw new Refused(String(reason ?? `status ${response.status}`));
}
