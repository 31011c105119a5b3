// @ts-check
/**
 * Numbers and times as texts of few characters.
 *
 * @module
 */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en-US", {
  maximumSignificantDigits: 3,
});

/** What is shown for a value that there is not. */
export const NOTHING = "–";

/**
 * A count: `1,234,567`.
 *
 * @param {number | null | undefined} value The count.
 * @returns {string} The text.
 */
export function count(value) {
  return value === null || value === undefined ? NOTHING : whole.format(value);
}

/**
 * A rate: `0.5`, `999`, `12.3 k`.
 *
 * @param {number | null | undefined} value The rate.
 * @returns {string} The text.
 */
export function rate(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value < 10_000) {
    return value < 100 && !Number.isInteger(value)
      ? precise.format(value)
      : whole.format(value);
  }
  return value < 1e6
    ? `${precise.format(value / 1e3)} k`
    : `${precise.format(value / 1e6)} M`;
}

/**
 * A rate with its unit: `12.3 k/s`.
 *
 * @param {number | null | undefined} value The rate.
 * @returns {string} The text.
 */
export function perSecond(value) {
  return value === null || value === undefined ? NOTHING : `${rate(value)}/s`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * A size: `0 B`, `1.5 MiB`.
 *
 * @param {number | null | undefined} value Bytes.
 * @returns {string} The text.
 */
export function bytes(value) {
  if (value === null || value === undefined) return NOTHING;
  let unit = 0;
  let rest = value;
  while (rest >= 1000 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 ? whole.format(rest) : precise.format(rest)} ${
    UNITS[unit]
  }`;
}

/**
 * A speed: `1.5 MiB/s`.
 *
 * @param {number | null | undefined} value Bytes per second.
 * @returns {string} The text.
 */
export function speed(value) {
  return value === null || value === undefined ? NOTHING : `${bytes(value)}/s`;
}

/**
 * A time that something took: `0.4 ms`, `12 s`, `3 min 20 s`, `2 d 4 h`.
 *
 * @param {number | null | undefined} value Seconds.
 * @returns {string} The text.
 */
export function duration(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value === 0) return "0 s";
  if (value < 1) return `${precise.format(value * 1000)} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  const seconds = Math.floor(value);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${whole.format(Math.floor(hours / 24))} d ${hours % 24} h`;
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const calendar = new Intl.DateTimeFormat("en-CA", { dateStyle: "short" });

/**
 * A time of the day; with the date in front if it was not today.
 *
 * @param {string | number | Date | null | undefined} value The time.
 * @returns {string} The text.
 */
export function time(value) {
  if (value === null || value === undefined) return NOTHING;
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return NOTHING;
  const text = clock.format(date);
  return date.toDateString() === new Date().toDateString()
    ? text
    : `${calendar.format(date)} ${text}`;
}

/**
 * A text that may be missing.
 *
 * @param {string | number | null | undefined} value The text.
 * @returns {string} The text.
 */
export function text(value) {
  return value === null || value === undefined || value === ""
    ? NOTHING
    : String(value);
}

/**
 * A noun with its count: `1 worker`, `2 workers`.
 *
 * @param {number} value The count.
 * @param {string} noun What is counted, one of it.
 * @returns {string} The text.
 */
export function plural(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
