/**
 * What the proxy is like, second by second, seen from outside.
 *
 * @module
 */
import { median } from "../bench/statistics.ts";
import type { Proxy } from "../support/proxy.ts";
import { receiveAll, send } from "../support/sockets.ts";
import type { Admin, Metrics } from "./admin.ts";
import { delay } from "../support/delay.ts";

/** What the proxy was like at a moment. */
export interface Sample {
  /** Seconds since the first sample. */
  readonly time: number;
  /** Bytes of memory that are resident. */
  readonly memory: number;
  /** File descriptors. */
  readonly descriptors: number;
  /** Those that are not the sockets of connections. */
  readonly spare: number;
  readonly threads: number;
  /**
   * Milliseconds from connecting until the router's answer: the median of some
   * probes, which wait for whatever the event loops are busy with.
   */
  readonly lag: number;
  /** Bytes of memory that are resident, by the metrics. */
  readonly toldMemory: number;
  /** Bytes of JavaScript objects of all workers, by the metrics. */
  readonly heap: number;
  /**
   * Milliseconds by which the event loop of the worker is late that is the
   * latest, by the metrics.
   */
  readonly toldLag: number;
  /** Milliseconds until the metrics are there. */
  readonly scrape: number;
  /** Connections that are open. */
  readonly open: number;
  /** New connections per second. */
  readonly rate: number;
}

/** What the counters of the proxy say. */
export interface Counted {
  /** Connections that are open. */
  readonly open: number;
  /** Connections since the start. */
  readonly total: number;
  /** Those that have a remote now. */
  readonly connected: number;
  /** How connections have ended, and how often limits were met. */
  readonly counts: ReadonlyMap<string, number>;
  /** The metrics. */
  readonly metrics: Metrics;
}

/** Probes of each sample. */
const PROBES = 5;

/** Milliseconds for what workers report to come. */
const PATIENCE = 10_000;

/** Looks at a proxy. */
export class Sampler {
  readonly #proxy: Proxy;
  readonly #admin: Admin;
  readonly #port: number;
  readonly #started = performance.now();
  #before: { time: number; total: number } | undefined;
  /** Connections that were opened by it. */
  probes = 0;

  /**
   * @param proxy The proxy.
   * @param admin Its admin server.
   * @param port Where its router answers `probe `.
   */
  constructor(proxy: Proxy, admin: Admin, port: number) {
    this.#proxy = proxy;
    this.#admin = admin;
    this.#port = port;
  }

  /**
   * Takes a sample.
   *
   * @param gap Milliseconds after each probe.
   */
  async sample(gap: number): Promise<Sample> {
    const lags: number[] = [];
    for (let count = 0; count < PROBES; count++) {
      lags.push(await this.#probe());
      // after the last, too: it is not to be among the open connections
      await delay(gap);
    }
    await this.#admin.look();
    const asked = performance.now();
    const metrics = await this.#admin.scrape();
    const scrape = performance.now() - asked;
    const told = (name: string) => metrics.get(name) ?? NaN;
    const open = told("proxymachine_connections");
    const descriptors = this.#countDescriptors();
    const time = this.seconds;
    const total = told("proxymachine_connections_total");
    const before = this.#before;
    this.#before = { time, total };
    const status = await Deno.readTextFile(`/proc/${this.#proxy.pid}/status`);
    const number = (name: string) =>
      Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1]);
    return {
      time,
      memory: number("VmRSS") * 1024,
      descriptors,
      spare: descriptors - open - told("proxymachine_connections_joined"),
      threads: number("Threads"),
      lag: median(lags),
      toldMemory: told("process_resident_memory_bytes"),
      heap: told("proxymachine_worker_heap_bytes"),
      toldLag: told("proxymachine_event_loop_lag_seconds") * 1000,
      scrape,
      open,
      rate: before === undefined
        ? 0
        : (total - before.total) / (time - before.time),
    };
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Asks the proxy for its counters, which it logs; once. */
  async count(): Promise<Counted> {
    const { log } = this.#proxy;
    this.#proxy.kill("SIGUSR2");
    const line = await log.find(/ Connections: /);
    const [, open, total, connected] =
      /(\d+)\/\d+\/(\d+) \(.*\), (\d+) with/.exec(line) ?? [];
    return {
      open: Number(open),
      total: Number(total),
      connected: Number(connected),
      counts: readCounts(await log.find(/ Counters: /)),
      metrics: await this.#settled(Number(total)),
    };
  }

  /** Scrapes until all that has ended is counted: workers report once a second. */
  async #settled(total: number): Promise<Metrics> {
    const until = performance.now() + PATIENCE;
    for (;;) {
      const metrics = await this.#admin.scrape();
      const ended = metrics.get("proxymachine_connection_seconds_count");
      if (ended === total || performance.now() > until) return metrics;
    }
  }

  async #probe(): Promise<number> {
    const before = performance.now();
    using socket = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.#port,
    });
    this.probes++;
    await send(socket, "probe ");
    const answer = await receiveAll(socket);
    if (answer !== "ok") throw new Error(`A probe got "${answer}"`);
    return performance.now() - before;
  }

  #countDescriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.#proxy.pid}/fd`)].length;
  }
}

/** Reads `Counters: done 3, client-left 1`. */
function readCounts(line: string): ReadonlyMap<string, number> {
  return new Map(
    Array.from(
      line.matchAll(/ ([\w-]+) (\d+)(?=,|$)/g),
      ([, name = "", count]) => [name, Number(count)],
    ),
  );
}
