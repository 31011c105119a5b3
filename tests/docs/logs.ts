/**
 * The reference pages of the access log, of the reasons of ends, and of metrics.
 *
 * @module
 */
import { metricsOf } from "../../src/admin/metrics.ts";
import { MetricSet } from "../../src/admin/metric_set.ts";
import type { Source } from "../../src/admin/program.ts";
import { ACCESS_FIELDS } from "../../src/log/access_log.ts";
import { LIMIT_COUNTERS } from "../../src/stats/counters.ts";
import { END_REASON_TEXTS } from "../../src/stats/end_reason.ts";
import { cell, table } from "./markdown.ts";

const TIME =
  "when the connection ended, as in RFC 3339; the first word of a line of text";

/** Makes the page of the access log. */
export function accessLogPage(): string {
  const rows = [
    ["`time`", TIME],
    ...ACCESS_FIELDS.map(({ name, doc }) => [`\`${name}\``, cell(doc)]),
  ];
  return `# Access log

The fields of a line, in their order. With \`--log-format json\` the numbers are
numbers, and what is \`-\` is \`null\`. See
[operations](../operations.md#logs) for examples.

${table(["field", "meaning"], rows)}
`;
}

/** Makes the page of the reasons of ends. */
export function endReasonsPage(): string {
  const rows = Object.entries(END_REASON_TEXTS).map(([reason, text]) => [
    `\`${reason}\``,
    cell(text),
    (LIMIT_COUNTERS as readonly string[]).includes(reason) ? "yes" : "",
  ]);
  return `# Reasons of ends

Why a connection has ended: the field \`end\` of the
[access log](access-log.md), \`ended\` of [\`/api/status\`](api.md#apistatus), and
the label \`reason\` of the metric \`proxymachine_connections_ended_total\`. Those
that are a [limit](../operations.md#limits) are counted as such, too.

${table(["reason", "meaning", "a limit"], rows)}
`;
}

/** A metric. */
interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Lists the metrics in the order in which the program makes them. */
function listMetrics(): Metric[] {
  const metrics: Metric[] = [];
  const { gauge, counter, histogram } = MetricSet.prototype;
  // notes each in place of adding it, as nothing is to be read
  MetricSet.prototype.gauge = (name, help, labels) =>
    void metrics.push({ name, type: "gauge", help, labels });
  MetricSet.prototype.counter = (name, help, labels) =>
    void metrics.push({ name, type: "counter", help, labels });
  MetricSet.prototype.histogram = (name, help) =>
    void metrics.push({ name, type: "histogram", help, labels: [] });
  try {
    metricsOf({ totals: {}, status: {} } as Source);
  } finally {
    Object.assign(MetricSet.prototype, { gauge, counter, histogram });
  }
  return metrics;
}

/** Makes the page of metrics. */
export function metricsPage(): string {
  const rows = listMetrics().map(({ name, type, help, labels }) => [
    `\`${name}${labels.length === 0 ? "" : `{${labels.join(",")}}`}\``,
    type,
    cell(help),
  ]);
  return `# Metrics

\`/metrics\` of the [admin server](../operations.md#admin-server), in the format of
Prometheus, which can be given the token, too:

\`\`\`yaml prometheus
scrape_configs:
  - job_name: proxymachine
    authorization: { credentials_file: /etc/prometheus/proxymachine-token }
    static_configs: [{ targets: ["10.0.0.7:9901"] }]
\`\`\`

The values of \`route\` and \`remote\` are bounded as in the [API](api.md), by 200
each and \`(other)\`; all other labels have a fixed set of values, or those of
the configuration.

${table(["metric", "type", "what"], rows)}
`;
}
