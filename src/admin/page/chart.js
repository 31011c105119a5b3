// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { time } from "./format.js";
import { html, setText, svg } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 60;

/**
 * A line of a chart.
 *
 * @typedef {object} Series
 * @property {Exclude<keyof Sample, "time">} key Its name in the samples.
 * @property {string} label What it is called.
 */

/** @import { Sample } from "../json_types.ts" */

/**
 * Charts of the same samples. The pointer, or the arrow keys, choose a moment
 * in all of them: then the legends say what was then, in place of what is now.
 */
export class Charts {
  /** @type {Chart[]} */
  #charts = [];
  /** @type {readonly Sample[]} */
  #samples = [];
  #span = 300;
  /**
   * Seconds before the newest sample; `undefined`: no moment is chosen.
   *
   * @type {number | undefined}
   */
  #back;
  /** All of them. */
  element = html("div", { class: "charts" });

  /**
   * Adds a chart.
   *
   * @param {string} title What it shows.
   * @param {readonly Series[]} series Its lines; at most three.
   * @param {(value: number) => string} format Writes a value.
   * @param {number} least The value that its top has at least.
   * @param {number} [base] What units differ by, if they are not decimal.
   */
  add(title, series, format, least, base = Infinity) {
    const chart = new Chart(title, series, format, { least, base }, (back) => {
      this.#back = back;
      this.#draw();
    });
    this.#charts.push(chart);
    this.element.append(chart.element);
  }

  /**
   * Shows samples.
   *
   * @param {readonly Sample[]} samples Oldest first.
   * @param {number} interval Seconds from one to the next.
   */
  update(samples, interval) {
    this.#samples = samples;
    this.#span = 300 * interval;
    this.#draw();
  }

  #draw() {
    for (const chart of this.#charts) {
      chart.draw(this.#samples, this.#span, this.#back);
    }
  }
}

/** One chart. */
class Chart {
  #title;
  #series;
  #format;
  #scale;
  #lines;
  #values;
  #top = html("span", { class: "top" });
  #when = html("span", { class: "when" });
  #cursor = svg("line", { class: "cursor", y1: "0", y2: String(HEIGHT) });
  #picture;
  /** Seconds of the whole width. */
  #span = 300;
  /** The chart, with its title and legend. */
  element;

  /**
   * @param {string} title
   * @param {readonly Series[]} series
   * @param {(value: number) => string} format
   * @param {{ least: number, base: number }} scale
   * @param {(back: number | undefined) => void} choose
   */
  constructor(title, series, format, scale, choose) {
    this.#title = title;
    this.#series = series;
    this.#format = format;
    this.#scale = scale;
    this.#lines = series.map((_, index) =>
      svg("polyline", { class: `line line-${index}` })
    );
    this.#values = series.map(() => html("b"));
    this.#picture = svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "img",
        tabindex: "0",
      },
      ...[0, 0.5, 1].map((part) => {
        const y = String(part * HEIGHT);
        return svg("line", { class: "grid", x1: "0", x2: "300", y1: y, y2: y });
      }),
      ...this.#lines,
      this.#cursor,
    );
    this.element = html(
      "figure",
      {},
      html(
        "figcaption",
        {},
        html("span", { class: "title" }, title),
        ...series.map(({ label }, index) =>
          html(
            "span",
            { class: `legend legend-${index}` },
            ...series.length > 1 ? [`${label} `] : [],
            this.#values[index] ?? "",
          )
        ),
      ),
      html("div", { class: "plot" }, this.#picture, this.#top, this.#when),
      // the picture has it in its label, too
      html(
        "div",
        { class: "axis", "aria-hidden": "true" },
        html("span", {}, "5 min ago"),
        html("span", {}, "now"),
      ),
    );
    this.#listen(choose);
  }

  /** @param {(back: number | undefined) => void} choose */
  #listen(choose) {
    /** @type {number | undefined} */
    let back;
    /** @param {number | undefined} to */
    const move = (to) => {
      back = to === undefined
        ? undefined
        : Math.min(this.#span, Math.max(0, Math.round(to)));
      choose(back);
    };
    this.#picture.addEventListener("pointermove", ({ clientX }) => {
      const { right, width } = this.#picture.getBoundingClientRect();
      move(((right - clientX) / width) * this.#span);
    });
    this.#picture.addEventListener("pointerleave", () => move(undefined));
    this.#picture.addEventListener("blur", () => move(undefined));
    this.#picture.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 30 : 1;
      if (event.key === "ArrowLeft") move((back ?? 0) + step);
      else if (event.key === "ArrowRight") move((back ?? 0) - step);
      else if (event.key === "Escape") move(undefined);
      else return;
      event.preventDefault();
    });
  }

  /**
   * @param {readonly Sample[]} samples
   * @param {number} span
   * @param {number | undefined} back
   */
  draw(samples, span, back) {
    this.#span = span;
    const end = Date.parse(samples.at(-1)?.time ?? "");
    /** @param {Sample} sample */
    const age = (sample) => (end - Date.parse(sample.time)) / 1000;
    const top = ceiling(
      Math.max(
        this.#scale.least,
        ...samples.flatMap((sample) =>
          this.#series.map(({ key }) => sample[key])
        ),
      ),
      this.#scale.base,
    );
    const chosen = back === undefined
      ? samples.at(-1)
      : nearest(samples, (sample) => Math.abs(age(sample) - back));
    for (const [index, { key }] of this.#series.entries()) {
      const points = samples.map((sample) => {
        const x = WIDTH - (age(sample) / span) * WIDTH;
        const y = HEIGHT - ((sample[key]) / top) * HEIGHT;
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      });
      this.#lines[index]?.setAttribute("points", points.join(" "));
      const value = this.#values[index];
      if (value === undefined) continue;
      setText(value, chosen ? this.#format(chosen[key]) : "–");
    }
    setText(this.#top, this.#format(top));
    const shown = back !== undefined && chosen !== undefined;
    setText(this.#when, shown ? time(chosen.time) : "");
    const x = String(shown ? WIDTH - (age(chosen) / span) * WIDTH : -9);
    this.#cursor.setAttribute("x1", x);
    this.#cursor.setAttribute("x2", x);
    this.#picture.ariaLabel = this.#describe(samples, chosen, shown);
  }

  /**
   * @param {readonly Sample[]} samples
   * @param {Sample | undefined} chosen
   * @param {boolean} past
   */
  #describe(samples, chosen, past) {
    const values = this.#series.map(({ key, label }) => {
      const now = this.#format(chosen?.[key] ?? 0);
      const most = Math.max(0, ...samples.map((sample) => sample[key]));
      return `${label} ${now}, at most ${this.#format(most)}`;
    });
    const when = past && chosen !== undefined ? time(chosen.time) : "now";
    return `${this.#title}, the last 5 minutes; ${when}: ${values.join("; ")}`;
  }
}

/**
 * The least number of the form 1, 2 or 5 times a power of ten, of the largest
 * unit that fits, that is not less.
 *
 * @param {number} value
 * @param {number} base
 */
function ceiling(value, base) {
  const units = Math.floor(Math.log(value) / Math.log(base));
  const unit = units > 0 ? base ** units : 1;
  const power = 10 ** Math.floor(Math.log10(value / unit));
  const step = [1, 2, 5, 10].find((step) => step * power * unit >= value) ?? 10;
  // 1000 KiB are written as MiB
  const isNext = step * power >= 1000 && base < Infinity;
  return (isNext ? base : step * power) * unit;
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => number} distance
 */
function nearest(items, distance) {
  /** @type {T | undefined} */
  let best;
  for (const item of items) {
    if (best === undefined || distance(item) < distance(best)) best = item;
  }
  return best;
}
