/**
 * Reloads: the configuration is read once more, and workers that run it take
 * over from those that run.
 *
 * @module
 */
import type { Options } from "../options/options.ts";
import type { Configuration } from "../config/configuration.ts";
import { messageOf } from "../lib/errors.ts";
import type { Generation } from "./generation.ts";
import type { Counters } from "../stats/counters.ts";
import type { Outputs } from "../log/outputs.ts";
import type { ReloadStatus } from "../admin/program_status.ts";
import { filesIn, filesOf, FileWatch } from "./file_watch.ts";

/** What is reloaded. */
export interface Reloaded {
  /** Whether it is stopping: then there are no more reloads. */
  readonly isStopping: boolean;
  /** Reads the configuration once more. */
  reread(): Promise<Configuration>;
  /** Makes workers that are to run a configuration. */
  newGeneration(configuration: Configuration): Generation;
  /** Lets workers that are loaded serve in place of those before. */
  takeOver(next: Generation): Promise<void>;
}

/** Reloads, one at a time. With any error, what runs goes on. */
export class Reloads {
  readonly #proxy: Reloaded;
  readonly #config: string;
  readonly #outputs: Outputs;
  readonly #counters: Counters;
  readonly #watch: FileWatch | undefined;
  /** The one that loads its router. */
  #next: Generation | undefined;
  #wanted = 0;
  #error: string | undefined;
  #lastAt: string | null = null;

  /**
   * @param options Where its configuration is, and whether to look at its files.
   * @param counters Count the reloads.
   */
  constructor(
    proxy: Reloaded,
    options: Pick<Options, "config" | "watch">,
    outputs: Outputs,
    counters: Counters,
  ) {
    this.#proxy = proxy;
    this.#config = options.config;
    this.#outputs = outputs;
    this.#counters = counters;
    this.#watch = options.watch
      ? new FileWatch((path) => this.reload(`${path} changed`))
      : undefined;
  }

  /** The workers that are loading their router. */
  get next(): Generation | undefined {
    return this.#next;
  }

  /** What has become of reloads. */
  get status(): ReloadStatus {
    return {
      count: this.#counters.snapshot().reloads,
      lastAt: this.#lastAt,
      lastError: this.#error ?? null,
    };
  }

  /**
   * Reloads, now or after the reload that is under way.
   *
   * @param reason Why, for the log.
   */
  reload(reason: string): void {
    if (this.#proxy.isStopping) return;
    this.#wanted++;
    if (this.#wanted > 1) return;
    void this.#reloadAll(reason);
  }

  /**
   * Looks at the files of a generation from now on, if anyone wants to.
   *
   * @param generation The generation, which is loaded or has failed to.
   * @param since When it began to read them (`Date.now()`).
   * @param error Why it could not be started: the files of before stay of
   * interest then.
   */
  async watch(
    { configuration: { files }, imports }: Generation,
    since: number,
    error?: string,
  ): Promise<void> {
    await this.#watch?.follow(
      [...files, ...filesOf(imports), ...filesIn(error ?? "")],
      since,
      error !== undefined,
    );
  }

  /** Looks at no files any more, and gives up the reload that is under way. */
  stop(): void {
    this.#watch?.stop();
    this.#next?.terminate();
  }

  async #reloadAll(reason: string): Promise<void> {
    for (;;) {
      // those that come meanwhile are one more reload, as the files may have
      // been read already
      this.#wanted = 1;
      await this.#reloadOnce(reason);
      if (this.#proxy.isStopping || this.#wanted === 1) break;
      reason = "it was asked for meanwhile";
    }
    this.#wanted = 0;
  }

  async #reloadOnce(reason: string): Promise<void> {
    const { log } = this.#outputs;
    log.info("Reloading: {reason}", { reason });
    if (this.#config === "-") {
      log.warn(
        "The router stays the same, as standard input cannot be read again",
      );
    }
    const since = Date.now();
    this.#lastAt = new Date(since).toISOString();
    let next: Generation | undefined;
    try {
      const configuration = await this.#proxy.reread();
      const outputs = await this.#outputs.prepare(configuration.options);
      this.#next = next = this.#proxy.newGeneration(configuration);
      try {
        await next.load();
      } catch (error) {
        next.terminate();
        outputs.cancel();
        throw error;
      }
      if (this.#proxy.isStopping) {
        outputs.cancel();
        return next.terminate();
      }
      outputs.commit();
      // from now on it stops with all others
      this.#next = undefined;
      await this.#proxy.takeOver(next);
      this.#counters.add("reloads");
      this.#error = undefined;
    } catch (error) {
      if (this.#proxy.isStopping) return;
      this.#counters.add("reloads-failed");
      this.#error = messageOf(error);
      this.#outputs.log.error("Cannot reload, and go on as before: {error}", {
        error: this.#error,
      });
    } finally {
      this.#next = undefined;
      if (next !== undefined) await this.watch(next, since, this.#error);
    }
  }
}
