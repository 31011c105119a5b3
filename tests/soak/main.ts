/**
 * The proxy under a mixed load for minutes, with faults, slow clients and
 * reloads: nothing may grow, and nothing may be lost.
 *
 *     deno task soak --help
 *
 * @module
 */
import { align } from "../bench/report.ts";
import { machine } from "../bench/proc.ts";
import { readArguments } from "../support/arguments.ts";
import { plot } from "./plot.ts";
import { type Observed, soak } from "./soak.ts";
import { judge, type Verdict } from "./verdicts.ts";

const HELP = `Usage: deno task soak [options]

The proxy under a mixed load, with faults, slow clients and reloads.

  --minutes N   how long, at least 2; 3. The second half has the reloads
  --svg FILE    a picture of what was sampled; soak.svg
  --json FILE   all samples and verdicts
  --help        this

Exit status: 0 if all is flat and adds up, 1 if not, 2 if it could not start.
`;

/**
 * Seconds before the load and after it: the runtime keeps threads for ten that have nothing to
 * do, and a log that is written to keeps all of them, as they take turns.
 */
const SETTLE = 12;

/** Seconds from one reload to the next. */
const INTERVAL = 10;

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Runs what the arguments ask for.
 *
 * @returns The exit status.
 */
async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return 2;
  }
  if (options === undefined) {
    console.log(HELP.trimEnd());
    return 0;
  }
  const { minutes, svg, json } = options;
  const observed = await soak({
    settle: SETTLE,
    steady: minutes * 30,
    reloading: minutes * 30,
    interval: INTERVAL,
  }, note);
  note("");
  const verdicts = judge(observed);
  await Deno.writeTextFile(svg, plot(observed));
  if (json !== undefined) {
    await Deno.writeTextFile(
      json,
      JSON.stringify(
        {
          date: new Date().toISOString(),
          machine: machine(),
          versions: { deno: Deno.version.deno },
          verdicts,
          ...observed,
        },
        undefined,
        2,
      ),
    );
  }
  console.log(report(observed, verdicts));
  const ok = observed.troubles.length === 0 && verdicts.every(({ ok }) => ok);
  console.log(ok ? "All is flat, and adds up." : "FAILED");
  return ok ? 0 : 1;
}

/** Reads the command line; `undefined` if help is wanted. */
function readOptions(
  args: readonly string[],
): { minutes: number; svg: string; json: string | undefined } | undefined {
  const { help, minutes: length = "3", svg = "soak.svg", json } = readArguments(
    args,
    ["help"],
    ["minutes", "svg", "json"],
  );
  if (help) return undefined;
  const minutes = Number(length);
  // a half has to be longer than what memory is the least of
  if (!(minutes >= 2 && minutes <= 1440)) {
    throw new Error(
      `--minutes must be a number from 2 to 1440: current value is ${length}`,
    );
  }
  return { minutes, svg, json };
}

/** All that is to be said, as text. */
function report(
  { done, connections, reloads, troubles }: Observed,
  verdicts: readonly Verdict[],
): string {
  const clients = done.map((
    { name, connections, failures },
  ) => [name, String(connections), String(failures)]);
  const flat = verdicts.map(({ quantity, where, from, to, bound, ok }) => {
    const { name, unit, digits } = quantity;
    const growth = to - from;
    return [
      `${name}${unit === "" ? "" : `, ${unit}`}`,
      where,
      from.toFixed(digits),
      to.toFixed(digits),
      `${growth < 0 ? "" : "+"}${growth.toFixed(digits)}`,
      `≤ +${bound}`,
      ok ? "ok" : "NOT FLAT",
    ];
  });
  return [
    `${connections} connections, ${reloads.length} reloads`,
    "",
    align([["", "connections", "failures"], ...clients]),
    align([["", "", "from", "to", "growth", "bound", ""], ...flat]),
    ...troubles.map((trouble) => `DOES NOT ADD UP: ${trouble}`),
  ].join("\n");
}

/**
 * Says how it goes, in place of what it said before, to whoever sits at a
 * terminal.
 */
function note(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}
