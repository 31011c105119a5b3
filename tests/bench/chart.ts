/**
 * A picture of the two numbers that matter most: bars of the proxies' CPU time
 * per connection and per request.
 *
 * @module
 */

import { median, valuesOf } from "./statistics.ts";
import type { Results } from "./statistics.ts";

/** One bar. */
interface Bar {
  label: string;
  value: number;
  /** Is it this proxy's? */
  own: boolean;
}

const WIDTH = 760;
const BARS_FROM = 210;
const BARS_TO = WIDTH - 70;
const ROW = 26;
const BAR = 16;

/**
 * Draws the medians of the cases `connect` and `keepalive` as SVG. Follows the
 * reader's colour scheme through a media query, so that one file suits light
 * and dark pages.
 */
export function chart(results: Results): string {
  const panels = [
    {
      title: "One new connection",
      bars: bars(results, "connect"),
    },
    {
      title: "One small request over a lasting connection",
      bars: bars(results, "keepalive"),
    },
  ].filter(({ bars }) => bars.length > 0);
  const parts: string[] = [];
  let top = 34;
  for (const { title, bars } of panels) {
    parts.push(text(0, top + 20, "title", title));
    top += 32;
    const most = Math.max(...bars.map(({ value }) => value));
    for (const { label, value, own } of bars) {
      const width = Math.max(2, (value / most) * (BARS_TO - BARS_FROM));
      const middle = top + ROW / 2 + 4.5;
      const kind = own ? "own" : "other";
      parts.push(
        text(BARS_FROM - 10, middle, `label ${kind}`, label),
        `<path class="bar ${kind}" d="${
          bar(BARS_FROM, top + (ROW - BAR) / 2, width)
        }"/>`,
        text(BARS_FROM + width + 8, middle, `value ${kind}`, round(value)),
      );
      top += ROW;
    }
    top += 14;
  }
  return svg(top, describe(panels), parts);
}

/** The proxies' costs, cheapest first. */
function bars(results: Results, workload: string): Bar[] {
  return (results.get(workload) ?? []).map((result) => ({
    label: result.entry.peer.programmable
      ? result.entry.label
      : `${result.entry.label} (fixed backend)`,
    value: median(valuesOf(result, "cpu")),
    own: result.entry.name === "proxymachine",
  })).filter(({ value }) => !isNaN(value)).toSorted((a, b) =>
    a.value - b.value
  );
}

function svg(
  height: number,
  description: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="-16 0 ${
    WIDTH + 16
  } ${height}" role="img" aria-labelledby="t d">
<title id="t">CPU time of proxies</title>
<desc id="d">${escape(description)}</desc>
<style>
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .head { font-size: 12px; }
  .title { font-weight: 600; fill: #1f2328; }
  .label { text-anchor: end; }
  .value { font-variant-numeric: tabular-nums; }
  text.own { font-weight: 600; fill: #1f2328; }
  .bar.other { fill: #afb8c1; }
  .bar.own { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title, text.own { fill: #f0f6fc; }
    .bar.other { fill: #4c555f; }
    .bar.own { fill: #4493f8; }
  }
</style>
${
    text(
      0,
      18,
      "head",
      "CPU time of the proxy in µs, one thread, median; shorter is better",
    )
  }
${parts.join("\n")}
</svg>
`;
}

/** A bar from the axis to the right, round at its end only. */
function bar(x: number, y: number, width: number): string {
  const radius = Math.min(3, width);
  const straight = (width - radius).toFixed(1);
  const side = BAR - 2 * radius;
  return `M${x} ${y}h${straight}a${radius} ${radius} 0 0 1 ${radius} ${radius}v${side}` +
    `a${radius} ${radius} 0 0 1 -${radius} ${radius}h-${straight}z`;
}

/** A text, at the left end of its baseline. */
export function text(
  x: number,
  y: number,
  kind: string,
  content: string,
): string {
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${
    escape(content)
  }</text>`;
}

function describe(
  panels: readonly { title: string; bars: readonly Bar[] }[],
): string {
  return panels.map(({ title, bars }) =>
    `${title}: ${
      bars.map(({ label, value }) => `${label} ${round(value)} µs`).join(", ")
    }.`
  ).join(" ");
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** A text that SVG takes for nothing else. */
export function escape(text: string): string {
  return text.replace(
    /[&<>]/g,
    (sign) => ({ "&": "&amp;", "<": "&lt;" })[sign] ?? "&gt;",
  );
}
