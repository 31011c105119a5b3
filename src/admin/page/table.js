// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { html, setText } from "./dom.js";

/** Characters up to which a text is kept on one line. */
const NARROW = 28;

/**
 * A column.
 *
 * @template T
 * @typedef {object} Column
 * @property {string} key Its name, by which it can be sorted.
 * @property {string} label Its title.
 * @property {(row: T) => string} text What a cell says.
 * @property {(row: T) => string | number | null | undefined} [value] What rows are sorted by; without it they cannot be.
 * @property {boolean} [number] Aligned to the right.
 * @property {boolean} [largest] Sorted from the largest at first.
 * @property {boolean} [code] An address, or another text for machines.
 * @property {(row: T) => string} [kind] A class of the cell.
 * @property {(row: T) => Action | undefined} [action] A button in place of the text.
 */

/**
 * What a button does.
 *
 * @typedef {object} Action
 * @property {string} label What it says.
 * @property {string} title What it does to what, for who cannot see the row.
 * @property {() => void} run Does it.
 */

/**
 * How a table is made.
 *
 * @template T
 * @typedef {object} Options
 * @property {string} caption What it shows.
 * @property {readonly Column<T>[]} columns Left to right; the first names the row.
 * @property {(row: T) => string} id What tells a row from the others.
 * @property {string} empty What is said if there are no rows.
 * @property {string} [sort] The column that rows are sorted by at first.
 * @property {number} [limit] Rows that are shown at first.
 * @property {(key: string, descending: boolean) => void} [onSort] Has the rows sorted elsewhere.
 */

/**
 * What is kept of a row.
 *
 * @template T
 * @typedef {object} Line
 * @property {HTMLTableRowElement} element Its element.
 * @property {T} row What it shows.
 * @property {string[]} texts What its cells say.
 */

/**
 * A table that can be sorted. Its rows stay the same elements while what they
 * show changes, so that the focus stays where it is.
 *
 * Roles are written out: on a phone rows are shown as cards, and an element
 * that is no table to CSS is none to a screen reader either.
 *
 * @template T
 */
export class Table {
  /** @type {Options<T>} */
  #options;
  /** @type {Map<string, Line<T>>} */
  #lines = new Map();
  /** @type {readonly T[]} */
  #rows = [];
  /** @type {string | undefined} */
  #sort;
  #descending = false;
  #all = false;
  #caption = html("caption");
  #table;
  #body = html("tbody", { role: "rowgroup" });
  #empty = html("p", { class: "empty" });
  #more = html("button", { type: "button", class: "more", hidden: "" });
  #heads = new Map();
  /** The table, and what belongs to it. */
  element = html("div", { class: "table" });

  /** @param {Options<T>} options How it is made. */
  constructor(options) {
    this.#options = options;
    const head = html("tr", { role: "row" });
    for (const column of options.columns) head.append(this.#head(column));
    this.#table = html(
      "table",
      { role: "table" },
      this.#caption,
      html("thead", { role: "rowgroup" }, head),
      this.#body,
    );
    this.caption = options.caption;
    setText(this.#empty, options.empty);
    this.#more.addEventListener("click", () => {
      this.#all = !this.#all;
      this.update(this.#rows);
    });
    this.element.append(this.#table, this.#empty, this.#more);
    const first = options.columns.find(({ key }) => key === options.sort);
    if (first !== undefined) this.#sortBy(first, first.largest === true);
  }

  /** What the table shows, and of how much. */
  set caption(/** @type {string} */ text) {
    setText(this.#caption, text);
  }

  /** What is said if there are no rows. */
  set empty(/** @type {string} */ text) {
    setText(this.#empty, text);
  }

  /**
   * Shows rows.
   *
   * @param {readonly T[]} rows All of them.
   */
  update(rows) {
    this.#rows = rows;
    const { limit = Infinity, id } = this.#options;
    const sorted = this.#sorted(rows);
    const shown = this.#all ? sorted : sorted.slice(0, limit);
    this.#empty.hidden = rows.length > 0;
    this.#table.hidden = rows.length === 0;
    this.#more.hidden = rows.length <= limit;
    setText(
      this.#more,
      this.#all ? `Show only ${limit}` : `Show all ${rows.length}`,
    );
    const focused = document.activeElement;
    const at = [...this.#body.rows].findIndex((row) => row.contains(focused));

    const ids = new Set(shown.map(id));
    for (const [key, { element }] of this.#lines) {
      if (ids.has(key)) continue;
      element.remove();
      this.#lines.delete(key);
    }
    let next = this.#body.firstElementChild;
    for (const row of shown) {
      const element = this.#line(id(row), row);
      if (element === next) next = element.nextElementSibling;
      else this.#body.insertBefore(element, next);
    }
    if (at >= 0 && focused instanceof HTMLElement) this.#refocus(focused, at);
  }

  /**
   * Gives the focus back: an element that is moved loses it, and of a row that
   * has gone it goes to the one that has taken its place.
   *
   * @param {HTMLElement} focused
   * @param {number} at
   */
  #refocus(focused, at) {
    if (document.activeElement === focused) return;
    const { rows } = this.#body;
    const place = rows[Math.min(at, rows.length - 1)];
    const target = focused.isConnected
      ? focused
      : place?.querySelector("button") ??
        this.element.querySelector("button");
    target?.focus({ preventScroll: true });
  }

  /**
   * @param {string} key
   * @param {T} row
   * @returns {HTMLTableRowElement}
   */
  #line(key, row) {
    const { columns } = this.#options;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { element: html("tr", { role: "row" }), row, texts: [] };
      for (const [index, column] of columns.entries()) {
        line.element.append(this.#cell(line, column, index === 0));
      }
      this.#lines.set(key, line);
    }
    line.row = row;
    for (const [index, column] of columns.entries()) {
      const action = column.action?.(row);
      const text = action?.title ?? column.text(row);
      // a look at the page for each cell of each look would be slow
      if (line.texts[index] === text) continue;
      line.texts[index] = text;
      const cell = line.element.cells[index];
      if (cell === undefined) continue;
      if (column.kind !== undefined) cell.dataset["kind"] = column.kind(row);
      if (column.action !== undefined) label(cell, action);
      else {
        cell.textContent = text;
        cell.classList.toggle("long", text.length > NARROW);
      }
    }
    return line.element;
  }

  /**
   * @param {Line<T>} line
   * @param {Column<T>} column
   * @param {boolean} first
   */
  #cell(line, column, first) {
    const cell = first
      ? html("th", { scope: "row", role: "rowheader" })
      : html("td", { role: "cell" });
    cell.dataset["label"] = column.label;
    if (column.number) cell.classList.add("number");
    if (column.code) cell.classList.add("code");
    if (column.action !== undefined) {
      const button = html("button", { type: "button" });
      button.addEventListener("click", () => column.action?.(line.row)?.run());
      cell.append(button);
      cell.classList.add("action");
    }
    return cell;
  }

  /** @param {Column<T>} column */
  #head(column) {
    const head = html("th", { scope: "col", role: "columnheader" });
    if (column.number || column.action) head.classList.add("number");
    if (column.value === undefined) {
      head.append(
        html("span", { class: "quiet" }, column.label),
      );
      head.classList.add("fixed");
      return head;
    }
    const button = html("button", { type: "button" }, column.label);
    button.addEventListener("click", () => {
      this.#sortBy(
        column,
        this.#sort === column.key ? !this.#descending : column.largest === true,
      );
      if (this.#options.onSort === undefined) this.update(this.#rows);
      else this.#options.onSort(column.key, this.#descending);
    });
    head.append(button);
    this.#heads.set(column.key, head);
    return head;
  }

  /**
   * @param {Column<T>} column
   * @param {boolean} descending
   */
  #sortBy(column, descending) {
    this.#sort = column.key;
    this.#descending = descending;
    for (const [key, head] of this.#heads) {
      if (key !== column.key) head.removeAttribute("aria-sort");
      else {
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      }
    }
  }

  /** @param {readonly T[]} rows */
  #sorted(rows) {
    const { columns, onSort } = this.#options;
    const value = columns.find(({ key }) => key === this.#sort)?.value;
    if (value === undefined || onSort !== undefined) return rows;
    const sign = this.#descending ? -1 : 1;
    return rows.toSorted((a, b) => sign * compare(value(a), value(b)));
  }
}

/**
 * Shows an action in the button of a cell.
 *
 * @param {HTMLTableCellElement} cell
 * @param {Action | undefined} action
 */
function label(cell, action) {
  const button = cell.firstElementChild;
  if (!(button instanceof HTMLButtonElement)) return;
  button.hidden = action === undefined;
  if (action === undefined) return;
  setText(button, action.label);
  if (button.ariaLabel !== action.title) button.ariaLabel = action.title;
}

/**
 * @param {string | number | null | undefined} a
 * @param {string | number | null | undefined} b
 */
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""), "en", {
    numeric: true,
  });
}
