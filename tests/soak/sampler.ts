/**
 * What the proxy is like, second by second, seen from outside.
 *
 * @module
 */
import { median } from "../bench/statistics.ts";
import type { Proxy } from "../fixtures.ts";
import { receiveAll, send } from "../fixtures.ts";

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
}

/** Probes of each sample. */
const PROBES = 5;

/** Looks at a proxy. */
export class Sampler {
  readonly #proxy: Proxy;
  readonly #port: number;
  readonly #started = performance.now();
  #asked = 0;
  #before: { time: number; total: number } | undefined;
  /** Connections that were opened by it. */
  probes = 0;

  /**
   * @param proxy The proxy.
   * @param port Where its router answers `probe `.
   */
  constructor(proxy: Proxy, port: number) {
    this.#proxy = proxy;
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
      await new Promise((resolve) => setTimeout(resolve, gap));
    }
    const { open, total, connected } = await this.count();
    const descriptors = this.#countDescriptors();
    const time = this.seconds;
    const before = this.#before;
    this.#before = { time, total };
    const status = await Deno.readTextFile(`/proc/${this.#proxy.pid}/status`);
    const number = (name: string) =>
      Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1]);
    return {
      time,
      memory: number("VmRSS") * 1024,
      descriptors,
      spare: descriptors - open - connected,
      threads: number("Threads"),
      lag: median(lags),
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

  /** Asks the proxy for its counters. */
  async count(): Promise<Counted> {
    const { log } = this.#proxy;
    this.#proxy.kill("SIGUSR2");
    const lines = await log.findAll(/ Connections: /, ++this.#asked);
    const [, open, total, connected] =
      /(\d+)\/\d+\/(\d+) \(.*\), (\d+) with/.exec(lines.at(-1) ?? "") ?? [];
    return {
      open: Number(open),
      total: Number(total),
      connected: Number(connected),
      counts: readCounts(
        log.all.findLast((line) => / Counters: /.test(line)) ?? "",
      ),
    };
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
