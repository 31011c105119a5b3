/**
 * The title of the process, as `ps` shows it.
 *
 * @module
 */
import process from "node:process";
import { VERSION } from "../lib/version.ts";
import type { Gauges } from "../stats/gauges.ts";

/** Milliseconds between two updates. */
const INTERVAL = 1000;

/**
 * Has the title say how many connections there are: now, at most so far, in
 * total. The system cuts a title to the length of the command line that the
 * process was started with, so the numbers are whole where something follows
 * them. Disposing it leaves the title as it is.
 */
export class ProcessTitle implements Disposable {
  readonly #gauges: Gauges;
  readonly #timer: ReturnType<typeof setInterval>;
  #shown = "";

  constructor(gauges: Gauges) {
    this.#gauges = gauges;
    this.#update();
    this.#timer = setInterval(() => this.#update(), INTERVAL);
    Deno.unrefTimer(this.#timer);
  }

  #update(): void {
    const title = `proxymachine ${VERSION} ${this.#gauges} cur/max/tot conns`;
    if (title === this.#shown) return;
    process.title = this.#shown = title;
  }

  /** Ends the updates. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
