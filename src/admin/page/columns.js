// @ts-check
/** @import { Column } from "./table.js" */
import { count, text, time } from "./format.js";

/**
 * A column of texts.
 *
 * @template T
 * @param {keyof T & string} key What of a row it shows.
 * @param {string} label Its title.
 * @returns {Column<T>} The column.
 */
export function word(key, label) {
  /** @param {any} row */
  const value = (row) => row[key];
  return { key, label, value, text: (row) => text(value(row)) };
}

/**
 * A column of addresses, or of other texts for machines.
 *
 * @template T
 * @param {keyof T & string} key What of a row it shows.
 * @param {string} label Its title.
 * @returns {Column<T>} The column.
 */
export function address(key, label) {
  return { ...word(key, label), code: true };
}

/**
 * A column of numbers.
 *
 * @template T
 * @param {keyof T & string} key What of a row it shows.
 * @param {string} label Its title.
 * @param {(value: number | null | undefined) => string} [format] Writes one.
 * @returns {Column<T>} The column.
 */
export function number(key, label, format = count) {
  /** @param {any} row */
  const value = (row) => row[key];
  return {
    key,
    label,
    value,
    number: true,
    largest: true,
    text: (row) => format(value(row)),
  };
}

/**
 * A column of times.
 *
 * @template T
 * @param {keyof T & string} key What of a row it shows.
 * @param {string} label Its title.
 * @returns {Column<T>} The column.
 */
export function when(key, label) {
  /** @param {any} row */
  const value = (row) => row[key];
  return { key, label, value, largest: true, text: (row) => time(value(row)) };
}

/**
 * A column of states, or of levels.
 *
 * @template T
 * @param {keyof T & string} key What of a row it shows.
 * @param {string} label Its title.
 * @returns {Column<T>} The column.
 */
export function state(key, label) {
  const column = /** @type {Column<T>} */ (word(key, label));
  return { ...column, kind: (row) => kindOf(column.text(row)) };
}

/**
 * A column of numbers that should be 0.
 *
 * @template T
 * @param {keyof T & string} key What of a row it shows.
 * @param {string} label Its title.
 * @returns {Column<T>} The column.
 */
export function faults(key, label) {
  const column = /** @type {Column<T>} */ (number(key, label));
  return { ...column, kind: (row) => column.value?.(row) ? "warn" : "" };
}

/** @param {string} state */
function kindOf(state) {
  if (/^(serving|up)$/.test(state)) return "good";
  if (/^(down|checked-down|stuck|error)$/.test(state)) return "bad";
  return "warn";
}
