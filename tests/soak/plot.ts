/**
 * A picture of the samples: a curve for each quantity, one below the other, over
 * the same time.
 *
 * @module
 */
import { escape, text } from "../bench/chart.ts";
import type { Sample } from "./sampler.ts";
import type { Observed } from "./soak.ts";

/** A curve. */
interface Panel {
  readonly title: string;
  readonly digits: number;
  of(sample: Sample): number;
}

const PANELS: readonly Panel[] = [
  {
    title: "Memory (resident), MB",
    digits: 0,
    of: ({ memory }) => memory / 1e6,
  },
  {
    title: "JavaScript objects of all workers (metrics), MB",
    digits: 1,
    of: ({ heap }) => heap / 1e6,
  },
  {
    title: "File descriptors",
    digits: 0,
    of: ({ descriptors }) => descriptors,
  },
  {
    title: "File descriptors that are no connection's",
    digits: 0,
    of: ({ spare }) => spare,
  },
  { title: "Threads", digits: 0, of: ({ threads }) => threads },
  {
    title: "Event loop lag (connect to answer of the router), ms",
    digits: 1,
    of: ({ lag }) => lag,
  },
  {
    title: "Event loop lag of the worker that is the latest (metrics), ms",
    digits: 1,
    of: ({ toldLag }) => toldLag,
  },
  {
    title: "Time of a scrape of the metrics, ms",
    digits: 1,
    of: ({ scrape }) => scrape,
  },
  { title: "Connections that are open", digits: 0, of: ({ open }) => open },
  { title: "New connections per second", digits: 0, of: ({ rate }) => rate },
];

const WIDTH = 760;
const PLOT_FROM = 44;
const PLOT_TO = WIDTH - 20;
const HEAD = 40;
const PANEL = 104;
const PLOT = 64;

/** More points than pixels are of no use. */
const POINTS = 360;

/**
 * Draws what was observed as SVG. Follows the reader's colour scheme through a
 * media query, so that one file suits light and dark pages.
 */
export function plot(
  { samples, reloads, phases }: Pick<
    Observed,
    "samples" | "reloads" | "phases"
  >,
): string {
  const end = samples.at(-1)?.time ?? 1;
  const x = (time: number) => PLOT_FROM + time / end * (PLOT_TO - PLOT_FROM);
  const parts: string[] = [
    text(
      PLOT_FROM,
      18,
      "head",
      "A dot is a reload; a hollow one, a reload of a router that is broken",
    ),
  ];
  const height = HEAD + PANELS.length * PANEL + 16;
  for (const { from } of phases.slice(1)) {
    parts.push(line(x(from), HEAD, x(from), height - 28, "phase"));
  }
  for (const { time, good } of reloads) {
    parts.push(
      `<circle class="${good ? "good" : "bad"}" cx="${
        x(time).toFixed(1)
      }" cy="30" r="3"/>`,
    );
  }
  for (const [index, panel] of PANELS.entries()) {
    parts.push(...draw(panel, samples, HEAD + index * PANEL, x));
  }
  const step = [10, 15, 30, 60, 120, 300].find((step) => end / step <= 12) ??
    600;
  for (let time = 0; time <= end; time += step) {
    parts.push(text(x(time), height - 10, "time", `${time} s`));
  }
  return svg(height, describe(samples), parts);
}

function draw(
  panel: Panel,
  samples: readonly Sample[],
  top: number,
  x: (time: number) => number,
): string[] {
  const shown = thin(samples);
  const most = ceiling(Math.max(...shown.map((sample) => panel.of(sample))));
  const bottom = top + 30 + PLOT;
  const y = (value: number) => bottom - value / most * PLOT;
  const path = shown.map((sample) =>
    `${x(sample.time).toFixed(1)} ${y(panel.of(sample)).toFixed(1)}`
  );
  return [
    text(PLOT_FROM, top + 20, "title", panel.title),
    line(PLOT_FROM, y(most), PLOT_TO, y(most), "grid"),
    line(PLOT_FROM, bottom, PLOT_TO, bottom, "axis"),
    text(PLOT_FROM - 6, y(most) + 4, "value", most.toFixed(most < 1 ? 1 : 0)),
    text(PLOT_FROM - 6, bottom + 4, "value", "0"),
    `<path class="curve" d="M${path.join("L")}"/>`,
  ];
}

/** Every so manieth of the samples, if there are many. */
function thin(samples: readonly Sample[]): readonly Sample[] {
  const step = Math.ceil(samples.length / POINTS);
  return samples.filter((_, index) => index % step === 0);
}

/** The next number that is easy to read. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-3)));
  const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  return (steps.find((step) => value <= step * power) ?? 10) * power;
}

function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  kind: string,
): string {
  return `<path class="${kind}" d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${
    x2.toFixed(1)
  } ${y2.toFixed(1)}"/>`;
}

function describe(samples: readonly Sample[]): string {
  return PANELS.map(({ title, digits, of }) => {
    const values = samples.map(of);
    return `${title}: ${Math.min(...values).toFixed(digits)} to ${
      Math.max(...values).toFixed(digits)
    }.`;
  }).join(" ");
}

function svg(
  height: number,
  description: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="t d">
<title id="t">A soak test</title>
<desc id="d">${escape(description)}</desc>
<style>
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .title { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .value { text-anchor: end; font-variant-numeric: tabular-nums; }
  .time { text-anchor: middle; font-variant-numeric: tabular-nums; }
  path { fill: none; stroke-width: 1; }
  .curve { stroke: #0969da; stroke-width: 1.5; stroke-linejoin: round; }
  .grid { stroke: #d1d9e0; stroke-dasharray: 2 3; }
  .axis { stroke: #afb8c1; }
  .phase { stroke: #afb8c1; stroke-dasharray: 6 4; }
  circle { stroke: #bc4c00; stroke-width: 1.5; fill: none; }
  .good { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title { fill: #f0f6fc; }
    .curve { stroke: #4493f8; }
    .grid { stroke: #3d444d; }
    .axis, .phase { stroke: #656c76; }
    circle { stroke: #db6d28; }
    .good { fill: #db6d28; }
  }
</style>
${parts.join("\n")}
</svg>
`;
}
