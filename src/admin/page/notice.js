// @ts-check
/// <reference lib="dom" />
import { find, setText } from "./dom.js";

const notice = find("notice", HTMLElement);

/**
 * Says something, also to a screen reader.
 *
 * @param {string} message
 * @param {string} [kind] Such as `bad`.
 */
export function say(message, kind = "") {
  setText(notice, message);
  notice.dataset["kind"] = kind;
}

/**
 * Asks whether to do something.
 *
 * @param {string} title
 * @param {string} question
 * @param {string} yes What the button says that does it.
 * @returns {Promise<boolean>}
 */
export async function confirm(title, question, yes) {
  const dialog = find("confirm", HTMLDialogElement);
  setText(find("confirm-title", HTMLElement), title);
  setText(find("confirm-text", HTMLElement), question);
  setText(find("confirm-yes", HTMLButtonElement), yes);
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) =>
    dialog.addEventListener("close", resolve, { once: true })
  );
  return dialog.returnValue === "yes";
}

/**
 * Why something failed.
 *
 * @param {unknown} error
 */
export function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error instanceof TypeError ? "no connection" : error.message;
}
