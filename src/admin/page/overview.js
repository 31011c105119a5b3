// @ts-check
/// <reference lib="dom" />
/** @import { History, Sample, Status } from "../json_types.ts" */
import { Charts } from "./chart.js";
import { html, setText } from "./dom.js";
import {
  bytes,
  count,
  duration,
  perSecond,
  rate,
  speed,
  time,
} from "./format.js";

/** The numbers that tell how the proxy is, and their last five minutes. */
export class Overview {
  #list = html("dl", { class: "numbers" });
  /** @type {Map<string, HTMLElement>} */
  #values = new Map();
  #charts = new Charts();
  /** @type {Sample | undefined} */
  #now;
  /** What the page shows. */
  element = html("div", {}, this.#list, this.#charts.element);

  /** Makes the charts. */
  constructor() {
    this.#charts.add(
      "Open connections",
      [
        { key: "connections", label: "open" },
      ],
      count,
      10,
    );
    this.#charts.add(
      "Connections/s",
      [
        { key: "accepted", label: "new" },
        { key: "ended", label: "ended" },
        { key: "failed", label: "failed" },
      ],
      rate,
      10,
    );
    this.#charts.add(
      "Bytes/s",
      [
        { key: "in", label: "in" },
        { key: "out", label: "out" },
      ],
      speed,
      1024,
      1024,
    );
    this.#charts.add(
      "Event-loop lag",
      [
        { key: "lag", label: "lag" },
      ],
      duration,
      0.01,
    );
  }

  /**
   * Shows what was in the last five minutes.
   *
   * @param {History} history The samples.
   */
  draw({ samples, interval }) {
    this.#now = samples.at(-1);
    this.#charts.update(samples, interval);
  }

  /**
   * Shows what is now.
   *
   * @param {Status} status What the proxy says of itself.
   */
  update(status) {
    const { connections, workers } = status;
    const now = this.#now;
    this.#set(
      "Open",
      count(connections.current),
      connections.limit === null
        ? `peak ${count(connections.maximum)}`
        : `peak ${count(connections.maximum)}, limit ${
          count(connections.limit)
        }`,
    );
    this.#set(
      "New",
      perSecond(now?.accepted),
      `${count(connections.total)} in all`,
    );
    this.#set(
      "Failed",
      perSecond(now?.failed),
      `of ${perSecond(now?.ended)} ended`,
    );
    this.#set("In", speed(now?.in), `${bytes(status.bytes?.in)} in all`);
    this.#set("Out", speed(now?.out), `${bytes(status.bytes?.out)} in all`);
    const serving = workers.filter(({ state }) => state === "serving").length;
    this.#set(
      "Workers",
      count(serving),
      status.stuck > 0 ? `${count(status.stuck)} stuck` : "serving",
      status.stuck > 0 ? "bad" : "",
    );
    const { reloads } = status;
    this.#set(
      "Reloads",
      count(reloads.count),
      reloads.lastError
        ? "the last one failed"
        : reloads.lastAt
        ? `last ${time(reloads.lastAt)}`
        : "none yet",
      reloads.lastError ? "bad" : "",
    );
    this.#set("Memory", bytes(status.memory.rss), "resident");
    this.#set("Up", duration(status.uptime), `since ${time(status.startedAt)}`);
  }

  /**
   * @param {string} label
   * @param {string} value
   * @param {string} more
   * @param {string} [kind]
   */
  #set(label, value, more, kind = "") {
    let element = this.#values.get(label);
    if (element === undefined) {
      element = html("dd", {}, html("b"), html("small"));
      this.#values.set(label, element);
      this.#list.append(html("div", {}, html("dt", {}, label), element));
    }
    const [main, small] = element.children;
    if (main !== undefined) setText(main, value);
    if (small !== undefined) setText(small, more);
    element.dataset["kind"] = kind;
  }
}
