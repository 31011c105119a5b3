// @ts-check
/// <reference lib="dom" />
/** @import { ConnectionEntry, ConnectionList } from "../json_types.ts" */
import { html } from "./dom.js";
import { bytes, count, duration, plural } from "./format.js";
import { address, number, word } from "./columns.js";
import { Table } from "./table.js";

/** How many can be shown. */
const LIMITS = ["10", "25", "100", "1000"];
/** Milliseconds without a key, after which is searched. */
const PAUSE = 200;

/** The connections now open. */
export class Connections {
  #search = html("input", {
    id: "search",
    type: "search",
    maxlength: "200",
    spellcheck: "false",
    autocomplete: "off",
    placeholder: "address, remote, route, stage",
  });
  #limit = html(
    "select",
    { id: "limit" },
    ...LIMITS.map((limit) => html("option", {}, limit)),
  );
  #sort = "seconds";
  #descending = true;
  #visible = true;
  #known = false;
  #table;
  /** What the page shows. */
  element;

  /**
   * @param {() => void} refresh Asks anew.
   * @param {(connection: ConnectionEntry) => void} close Closes one.
   */
  constructor(refresh, close) {
    this.#table = makeTable(close, (key, descending) => {
      this.#sort = key;
      this.#descending = descending;
      refresh();
    });
    this.element = html(
      "div",
      {},
      html(
        "div",
        { class: "tools" },
        html("label", { for: "search" }, "Filter"),
        this.#search,
        html("label", { for: "limit" }, "Show"),
        this.#limit,
      ),
      this.#table.element,
    );
    // on a phone each is a card
    this.#limit.value = matchMedia("(width <= 40rem)").matches ? "10" : "25";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    this.#search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(refresh, PAUSE);
    });
    this.#limit.addEventListener("change", refresh);
    // every worker is asked for them: only while somebody looks
    new IntersectionObserver((entries) => {
      const visible = entries.at(-1)?.isIntersecting ?? true;
      if (visible && !this.#visible) refresh();
      this.#visible = visible;
    }, { rootMargin: "300px" }).observe(this.element);
  }

  /** What to ask for; `undefined`: nobody looks. */
  get query() {
    if (this.#known && !this.#visible) return undefined;
    return new URLSearchParams({
      search: this.#search.value,
      sort: this.#sort,
      order: this.#descending ? "desc" : "asc",
      limit: this.#limit.value,
    });
  }

  /**
   * Shows connections.
   *
   * @param {ConnectionList} list What was answered.
   */
  update({ total, shown, unanswered, connections }) {
    this.#known = true;
    const some = shown === total ? "" : `${count(shown)} of `;
    const silent = unanswered > 0
      ? `; no answer from ${plural(unanswered, "worker")}`
      : "";
    this.#table.caption = `Connections: ${some}${count(total)}${silent}`;
    this.#table.empty = `${
      this.#search.value === ""
        ? "No connection is open"
        : "No connection is for the filter"
    }${silent}.`;
    this.#table.update(connections);
  }

  /** Gives the focus to the filter, if nothing has it. */
  focus() {
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body) {
      this.#search.focus({ preventScroll: true });
    }
  }
}

/**
 * @param {(connection: ConnectionEntry) => void} close
 * @param {(key: string, descending: boolean) => void} onSort
 * @returns {Table<ConnectionEntry>}
 */
function makeTable(close, onSort) {
  return new Table({
    caption: "Connections",
    id: ({ id }) => String(id),
    empty: "No connection is open.",
    sort: "seconds",
    onSort,
    columns: [
      word("id", "Id"),
      address("client", "Client"),
      address("remote", "Remote"),
      word("route", "Route"),
      address("listener", "Listener"),
      word("worker", "Worker"),
      word("stage", "Stage"),
      number("seconds", "Age", duration),
      number("in", "In", bytes),
      number("out", "Out", bytes),
      {
        key: "close",
        label: "Change",
        text: () => "",
        action: (connection) => ({
          label: "Close",
          title: `Close connection ${connection.id} of ${connection.client}`,
          run: () => close(connection),
        }),
      },
    ],
  });
}
