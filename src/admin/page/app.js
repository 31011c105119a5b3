// @ts-check
/// <reference lib="dom" />
/** @import { Status } from "../json_types.ts" */
import { get, Refused, token, Unauthorized } from "./api.js";
import { find, setText } from "./dom.js";
import { count, duration, time } from "./format.js";
import { reasonOf, say } from "./notice.js";
import { View } from "./view.js";

/** Milliseconds from one look to the next. */
const INTERVAL = 1000;

const facts = find("facts", HTMLElement);
const liveness = find("liveness", HTMLElement);
const content = find("content", HTMLElement);
const pause = find("pause", HTMLButtonElement);
const signOut = find("sign-out", HTMLButtonElement);
const login = find("login", HTMLFormElement);
const loginError = find("login-error", HTMLElement);
const password = find("token", HTMLInputElement);
const view = new View(refresh);

/** Counts the looks: the answer to an old one is not shown over a newer one. */
let look = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Parts that could not be had. */
const missing = new Set();
/** When the server was first not reachable. @type {Date | undefined} */
let lostAt;

pause.addEventListener("click", () => {
  const paused = pause.ariaPressed !== "true";
  pause.ariaPressed = String(paused);
  if (paused) stop("Paused");
  else void refresh();
});
signOut.addEventListener("click", () => {
  token.clear();
  location.reload();
});
login.addEventListener("submit", (event) => {
  event.preventDefault();
  const value = password.value.trim();
  // others cannot be part of a header
  if (!/^[\x21-\x7e]+$/.test(value)) {
    return setText(loginError, "Cannot sign in: a token has ASCII only.");
  }
  token.set(value);
  void refresh();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop("Paused in the background");
  else if (pause.ariaPressed !== "true") void refresh();
});
void refresh();

/**
 * Looks now, and goes on looking.
 *
 * @returns {Promise<void>}
 */
async function refresh() {
  const number = ++look;
  clearTimeout(timer);
  const begun = performance.now();
  try {
    const status = await get("status");
    if (number !== look) return;
    enter();
    await Promise.all(
      view.parts(status).map(([path, show]) => part(number, path, show)),
    );
    if (number !== look) return;
    showStatus(status);
  } catch (error) {
    if (number !== look) return;
    if (error instanceof Unauthorized) return ask();
    lose(error);
  }
  if (document.hidden || pause.ariaPressed === "true") return;
  const rest = INTERVAL - (performance.now() - begun);
  timer = setTimeout(refresh, Math.max(100, rest));
}

/**
 * Asks for a part of the page. If there is none, the others are shown none the
 * less.
 *
 * @param {number} number The look that it belongs to.
 * @param {string} path Below `api/`.
 * @param {(answer: any) => void} show Shows it.
 */
async function part(number, path, show) {
  const name = path.replace(/\?.*/, "");
  try {
    const answer = await get(path);
    if (number !== look) return;
    show(answer);
    missing.delete(name);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // once is enough
    if (missing.has(name)) return;
    missing.add(name);
    say(`Cannot get ${name}: ${reasonOf(error)}`, "bad");
  }
}

/**
 * Stops looking.
 *
 * @param {string} why What is said.
 */
function stop(why) {
  look++;
  clearTimeout(timer);
  live(`${why} at ${time(new Date())}`, "warn");
}

/** The server has answered. */
function enter() {
  login.hidden = true;
  content.hidden = false;
  pause.hidden = false;
  signOut.hidden = token.get() === null;
  password.value = "";
  setText(loginError, "");
  const paused = pause.ariaPressed === "true";
  live(
    `${paused ? "Paused" : "Live"} at ${time(new Date())}`,
    paused ? "warn" : "good",
  );
  if (lostAt === undefined) return;
  const seconds = (Date.now() - lostAt.getTime()) / 1000;
  say(`Reachable again, after ${duration(seconds)}.`);
  lostAt = undefined;
}

/** @param {unknown} error Why the server has not answered. */
function lose(error) {
  live("Not reachable", "bad");
  document.title = "not reachable · proxymachine";
  if (lostAt !== undefined) return;
  lostAt = new Date();
  say(
    `Not reachable since ${time(lostAt)} (${
      reasonOf(error)
    }). What is shown is from before; trying again every second.`,
    "bad",
  );
}

/** Asks for the token. */
function ask() {
  const wrong = token.get() !== null;
  token.clear();
  content.hidden = true;
  pause.hidden = true;
  signOut.hidden = true;
  login.hidden = false;
  password.value = "";
  setText(facts, "");
  live("Signed out", "warn");
  setText(loginError, wrong ? "Cannot sign in: this is not the token." : "");
  password.focus();
}

/**
 * @param {string} text
 * @param {string} kind
 */
function live(text, kind) {
  setText(liveness, text);
  liveness.dataset["kind"] = kind;
}

/** @param {Status} status */
function showStatus(status) {
  const { version, runtime, state, connections } = status;
  document.title = `${count(connections.current)} open · proxymachine`;
  setText(facts, `${version} on ${runtime}, ${state}`);
  facts.dataset["kind"] = state === "serving" ? "good" : "warn";
  view.show(status);
}
