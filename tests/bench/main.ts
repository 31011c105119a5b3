/**
 * Compares this proxy with others, on this machine, in one run.
 *
 *     deno task bench [--only CASE,..] [--peers NAME,..] [--rounds N] [--seconds S]
 *                     [--json FILE] [--svg FILE] [--cpu-prof CASE]
 *
 * @module
 */

import { readArguments } from "../support/arguments.ts";
import { chart } from "./chart.ts";
import { allPeers, needs } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { descriptorLimit } from "./proc.ts";
import { profile } from "./profile.ts";
import {
  boundsTable,
  caseTable,
  conditions,
  json,
  versions,
} from "./report.ts";
import { runWorkload } from "./run.ts";
import type { Plan, Result } from "./run.ts";
import { Stage } from "./stage.ts";
import { workloads } from "./workloads.ts";
import type { Workload } from "./workloads.ts";

const HELP = `deno task bench [options]

  --only CASE,..     ${workloads.map(({ name }) => name).join(" ")}
  --peers NAME,..    ${allPeers().map(({ name }) => name).join(" ")}
  --rounds N         measurements of each, in turns (5)
  --seconds S        length of one, in whole seconds (3)
  --json FILE        everything that was measured
  --svg FILE         a picture of CPU time per connection and per request
  --cpu-prof CASE    profile this proxy in one case instead of comparing
  --help

Environment: PROXYMACHINE_CMD is run in place of this checkout's main.ts;
PROXYMACHINE_OTHER_CMD is compared with it, as the peer "other".
`;

/** Command line, checked. */
interface Options {
  cases: Workload[];
  peers: Peer[];
  plan: Plan;
  json?: string;
  svg?: string;
  profiled?: Workload;
}

class UsageError extends Error {}

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Runs the benchmark and returns its exit status: 0 done, 1 something failed, 2
 * not understood.
 */
async function main(args: readonly string[]): Promise<number> {
  let options: Options | undefined;
  try {
    options = readOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nSee deno task bench --help`);
    return 2;
  }
  if (options === undefined) {
    console.log(HELP.trimEnd());
    return 0;
  }
  const missing = missingPackages(options);
  if (missing.length > 0) {
    console.error(`This needs: apt-get install ${missing.join(" ")}`);
    return 2;
  }
  await using stage = new Stage();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      stage.clear();
      Deno.exit(130);
    });
  }
  if (options.profiled !== undefined) {
    console.log(await profile(stage, options.profiled, options.plan));
    return 0;
  }
  return await compare(stage, options);
}

/**
 * Runs the cases; prints each, and brings the files that were asked for up to
 * date, once it is done.
 */
async function compare(stage: Stage, options: Options): Promise<number> {
  const { cases, peers, plan } = options;
  if (descriptorLimit() < 20_000) {
    console.error(
      `Only ${descriptorLimit()} file descriptors: the case "open" opens fewer`,
    );
  }
  const programs = await versions();
  const results = new Map<string, Result[]>();
  const save = () => {
    const { json: data, svg: picture } = options;
    if (data !== undefined) {
      Deno.writeTextFileSync(data, json(cases, results, plan, programs));
    }
    if (picture !== undefined) Deno.writeTextFileSync(picture, chart(results));
  };
  // A path that cannot be written is better known now than after a quarter of
  // an hour.
  save();
  for (const workload of cases) {
    const measured = await runWorkload(stage, workload, peers, plan, note);
    note("");
    results.set(workload.name, measured);
    console.log(caseTable(workload, measured));
    save();
  }
  console.log(boundsTable(results));
  console.log(conditions(results));
  const failed = [...results.values()].flat().some(({ failure }) =>
    failure !== undefined
  );
  return failed ? 1 : 0;
}

/**
 * Says what is going on, in place of what it said before, to whoever sits at a
 * terminal.
 */
function note(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

/** Reads the command line; `undefined` if help is wanted. */
function readOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const peers = allPeers();
  const options: Options = {
    cases: select("--only", workloads, values.only),
    peers: select("--peers", peers, values.peers),
    plan: {
      rounds: wholeNumber("--rounds", values.rounds ?? "5"),
      seconds: wholeNumber("--seconds", values.seconds ?? "3"),
    },
  };
  if (values.json !== undefined) options.json = values.json;
  if (values.svg !== undefined) options.svg = values.svg;
  const [profiled] = select("--cpu-prof", workloads, values["cpu-prof"] ?? "");
  if (profiled !== undefined) options.profiled = profiled;
  return options;
}

function parse(args: readonly string[]) {
  try {
    return readArguments(args, ["help"], [
      ...["only", "peers", "rounds", "seconds"] as const,
      ...["json", "svg", "cpu-prof"] as const,
    ]);
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? error.message : String(error),
    );
  }
}

/** Those that a list of names picks, in their own order; all without a list. */
function select<T extends { name: string }>(
  option: string,
  all: readonly T[],
  list: string | undefined,
): T[] {
  if (list === undefined) return [...all];
  const names = list.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !all.some((item) => item.name === name));
  if (unknown !== undefined) {
    throw new UsageError(
      `${option}: there is no "${unknown}"; there are ${
        all.map(({ name }) => name).join(", ")
      }`,
    );
  }
  return all.filter(({ name }) => names.includes(name));
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(
    `${option} must be a whole number above 0: current value is ${text}`,
  );
}

/**
 * Debian's packages that the chosen cases and peers take and that are not
 * installed.
 */
function missingPackages({ cases, peers, profiled }: Options): string[] {
  const chosen = profiled === undefined ? cases : [profiled];
  const names = chosen.some(({ routing }) => routing === "iperf")
    ? needs("iperf3")
    : [];
  if (chosen.some(({ routing }) => routing !== "iperf")) {
    names.push(...needs("wrk", "nginx"));
  }
  if (profiled === undefined) {
    names.push(...peers.flatMap((peer) => peer.missing?.() ?? []));
  }
  return [...new Set(names)];
}
