/**
 * The results as text and as JSON.
 *
 * @module
 */

import { verdicts } from "./bounds.ts";
import { machine } from "./proc.ts";
import { DISTURBED } from "./run.ts";
import type { Plan, Result } from "./run.ts";
import { find, median, ratioOf, valuesOf } from "./statistics.ts";
import type { Results } from "./statistics.ts";
import type { Metric, Workload } from "./workloads.ts";

/**
 * One case as a table: medians, the spread of the main metric, and every entry
 * against the first.
 */
export function caseTable(
  workload: Workload,
  results: readonly Result[],
): string {
  const [main, ...rest] = workload.metrics;
  const first = results[0];
  if (main === undefined || first === undefined) return "";
  const head = [
    "",
    main.label,
    "least – most",
    ...rest.map(({ label }) => label),
    `${first.entry.label} is`,
  ];
  const rows = results.map((result) => {
    const { entry, failure } = result;
    if (failure !== undefined) return [entry.label, "FAILED"];
    const ratio = ratioOf(first, result, main.key)?.value;
    return [
      entry.label,
      middle(result, main),
      spread(valuesOf(result, main.key), main.digits),
      ...rest.map((metric) => middle(result, metric)),
      ratio === undefined || result === first ? "" : `${ratio.toFixed(2)} ×`,
    ];
  });
  const failures = results.filter(({ failure }) => failure !== undefined)
    .map(({ entry, failure }) => `  ${entry.label} failed: ${failure}\n`);
  return `${workload.title}\n${align([head, ...rows])}${failures.join("")}`;
}

/** Every bound with its value, as a table. */
export function boundsTable(results: Results): string {
  const rows = verdicts(results).map((
    { bound, relation, limit, value, range, met },
  ) => [
    bound,
    value === undefined ? "not measured" : value.toFixed(2),
    range === undefined
      ? ""
      : `${range[0].toFixed(2)} – ${range[1].toFixed(2)}`,
    `${relation === "<=" ? "≤" : "≥"} ${limit}`,
    met === undefined ? "–" : met ? "ok" : "MISSED",
  ]);
  if (rows.length === 0) return "";
  return `Bounds\n${
    align([["", "median", "least – most", "bound", ""], ...rows])
  }`;
}

/**
 * How quiet the machine was, and how many local ports closed connections held.
 */
export function conditions(results: Results): string {
  const samples = [...results.values()].flat().flatMap((result) =>
    result.samples
  );
  const of = (key: string) => samples.map((sample) => sample[key] ?? 0);
  const most = (key: string) => Math.max(0, ...of(key));
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const loud = of("others").filter((share) => share > DISTURBED).length;
  return `Others had ${
    percent(median(of("others")))
  } of the machine (median), over ${
    percent(DISTURBED)
  } in ${loud} of ${samples.length} measurements; the hypervisor took at most ${
    percent(most("stolen"))
  }. Sockets in TIME_WAIT: at most ${most("timeWait").toLocaleString("en")}.`;
}

/** Versions of what was compared. */
export async function versions(): Promise<Record<string, string>> {
  const first = async (program: string, option: string) => {
    const { stdout, stderr } = await new Deno.Command(program, {
      args: [option],
    }).output();
    const text = new TextDecoder();
    return (text.decode(stdout) || text.decode(stderr)).split("\n")[0] ?? "";
  };
  const entries = Object.entries({
    haproxy: "-v",
    nginx: "-v",
    wrk: "-v",
    iperf3: "-v",
  }).map(
    async (
      [program, option],
    ) => [program, await first(program, option).catch(() => "none")],
  );
  return {
    deno: Deno.version.deno,
    ...Object.fromEntries(await Promise.all(entries)),
  };
}

/** Everything that was measured, sample by sample. */
export function json(
  cases: readonly Workload[],
  results: Results,
  plan: Plan,
  programs: Record<string, string>,
): string {
  const measured = cases.filter(({ name }) => results.has(name)).map((
    workload,
  ) => ({
    name: workload.name,
    title: workload.title,
    metrics: workload.metrics,
    entries: results.get(workload.name)?.map((result) => ({
      name: result.entry.name,
      label: result.entry.label,
      failure: result.failure,
      medians: medians(result),
      // Of the main metric, this proxy divided by this entry.
      ratio: ratioOf(
        find(results, workload.name, "proxymachine"),
        result,
        workload.metrics[0]?.key ?? "",
      ),
      samples: result.samples,
    })),
  }));
  return JSON.stringify(
    {
      date: new Date().toISOString(),
      machine: machine(),
      versions: programs,
      plan,
      cases: measured,
      bounds: verdicts(results),
    },
    undefined,
    2,
  ) + "\n";
}

function medians(result: Result): Record<string, number> {
  const keys = new Set(result.samples.flatMap((sample) => Object.keys(sample)));
  return Object.fromEntries(
    Array.from(keys, (key) => [key, median(valuesOf(result, key))]),
  );
}

function middle(result: Result, { key, digits }: Metric): string {
  return number(median(valuesOf(result, key)), digits);
}

function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return "";
  return `${number(Math.min(...values), digits)} – ${
    number(Math.max(...values), digits)
  }`;
}

function number(value: number, digits: number): string {
  if (isNaN(value)) return "–";
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Columns of equal width: the first to the left, the others to the right. */
export function align(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("   ").trimEnd();
  return rows.map((row) => `  ${line(row)}\n`).join("");
}
