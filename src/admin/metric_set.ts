/**
 * Metrics in the format of Prometheus, whose numbers are counted elsewhere.
 *
 * @module
 */
import { Counter, Gauge, type Histogram, Registry } from "prom-client";
import type { HistogramTotals } from "../stats/totals.ts";

/** The values of one metric: labels, and the number. */
export type Values = Iterable<
  readonly [labels: Readonly<Record<string, string>>, value: number]
>;

/** Metrics, each read when they are written. */
export class MetricSet {
  readonly #registry = new Registry();

  /** The media type of `write`. */
  get type(): string {
    return this.#registry.contentType;
  }

  /** Writes all metrics as they are now. */
  write(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * Adds a number that grows and shrinks.
   *
   * @param labelNames The labels that its values have.
   */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Values,
  ): void {
    this.#add(Gauge, name, help, labelNames, read);
  }

  /**
   * Adds a number that only grows.
   *
   * @param labelNames The labels that its values have.
   */
  counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Values,
  ): void {
    this.#add(Counter, name, help, labelNames, read);
  }

  #add(
    kind: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Values,
  ): void {
    new kind({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect(this: Gauge | Counter) {
        this.reset();
        // the value of one without labels must not stay
        if (labelNames.length === 0) this.remove();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }

  /**
   * Adds a histogram.
   *
   * @param bounds The upper bounds of its buckets, but for the last.
   */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    read: () => HistogramTotals,
  ): void {
    this.#registry.registerMetric(measured(name, help, bounds, read));
  }
}

/** The value of a metric without labels. */
export function one(value: number): Values {
  return [[{}, value]];
}

/**
 * A histogram that was counted elsewhere: the library's own cannot be set, but
 * a registry asks for no more than this.
 */
function measured(
  name: string,
  help: string,
  bounds: readonly number[],
  read: () => HistogramTotals,
): Histogram {
  const get = () => {
    const { counts, sum } = read();
    let below = 0;
    const buckets = counts.map((count, index) => {
      below += count;
      const le = bounds[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { le }, value: below };
    });
    const values = [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: below },
    ];
    return Promise.resolve({ name, help, type: "histogram", values });
  };
  return { name, help, get } as unknown as Histogram;
}
