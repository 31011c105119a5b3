/**
 * Where this proxy's own time goes in one case, by V8's sampling profiler.
 *
 * @module
 */

import { allPeers, startPeer } from "./peers.ts";
import { startBackend } from "./peers/nginx.ts";
import type { Plan } from "./run.ts";
import type { Stage } from "./stage.ts";
import type { Workload } from "./workloads.ts";

/** The parts of a `.cpuprofile` that are read here. */
interface CpuProfile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  samples: number[];
  timeDeltas: number[];
}

/** What one thread did, in microseconds. */
interface Thread {
  file: string;
  self: Map<string, number>;
  busy: number;
}

/**
 * How often to try: a process may end before its worker has written its
 * profile, and does so in about two of five runs.
 */
const TRIES = 8;
/** Functions in the list. */
const SHOWN = 30;
/** A thread that was busy for less, in microseconds, gets no list. */
const WORTH_A_LIST = 200_000;
/**
 * What a thread that has nothing to do is in; the second one only because of
 * the profiler.
 */
const WAITING = ["(idle)", "op_worker_maybe_wait_for_debugger"];
/** Microseconds between two samples. */
const INTERVAL = 250;

/**
 * Runs this proxy under one case with `deno run --cpu-prof`, which writes one
 * profile per thread, and lists the functions with the most time of their own.
 *
 * The files stay in the working directory's `cpu-prof` folder, for DevTools or
 * speedscope.
 */
export async function profile(
  stage: Stage,
  workload: Workload,
  plan: Plan,
): Promise<string> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const folder = `${Deno.cwd()}/cpu-prof/${workload.name}-${Date.now()}`;
    Deno.mkdirSync(folder, { recursive: true });
    await runProfiled(stage, workload, plan, folder);
    const threads = readProfiles(folder);
    if (threads.some(({ busy }) => busy >= WORTH_A_LIST)) {
      return threads.map(describe).join("\n");
    }
    Deno.removeSync(folder, { recursive: true });
  }
  throw new Error(
    `Deno ended before its worker had written a profile, ${TRIES} times`,
  );
}

/** One measurement of this proxy, after which it ends and leaves its profiles. */
async function runProfiled(
  stage: Stage,
  workload: Workload,
  plan: Plan,
  folder: string,
): Promise<void> {
  const [peer] = allPeers({
    denoFlags: [
      "--cpu-prof",
      `--cpu-prof-dir=${folder}`,
      `--cpu-prof-interval=${INTERVAL}`,
    ],
  });
  const entry = workload.entries(peer === undefined ? [] : [peer])[0];
  if (entry === undefined) {
    throw new Error(`The case "${workload.name}" has nothing to profile`);
  }
  const serverPort = stage.port();
  const backend = workload.routing === "iperf"
    ? undefined
    : startBackend(stage, [serverPort]);
  if (backend !== undefined) await stage.listening(backend, serverPort);
  const running = await startPeer(stage, entry.peer, {
    port: stage.port(),
    backend: `127.0.0.1:${serverPort}`,
    routing: workload.routing,
    ...entry.setup,
  });
  const { seconds } = plan;
  const target = { stage, running, serverPort, seconds };
  const measure = await workload.begin(target);
  await measure();
  await running.terminate();
  await backend?.kill();
}

/** The profiles in a folder that were written to their end. */
function readProfiles(folder: string): Thread[] {
  const files = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  return files.filter((name) => name.endsWith(".cpuprofile")).toSorted()
    .flatMap((name) => {
      const text = Deno.readTextFileSync(`${folder}/${name}`);
      if (!text.endsWith("}")) return [];
      return [{ file: `${folder}/${name}`, ...selfTimes(JSON.parse(text)) }];
    });
}

/** The time that each function of a thread took itself, waiting left out. */
function selfTimes({ nodes, samples, timeDeltas }: CpuProfile) {
  const names = new Map(nodes.map(({ id, callFrame }) => {
    const { functionName, url, lineNumber } = callFrame;
    const place = url === ""
      ? ""
      : `  ${url.replace(/^.*\//, "")}:${lineNumber + 1}`;
    return [id, (functionName || "(anonymous)") + place];
  }));
  const self = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "?";
    if (WAITING.includes(name)) continue;
    const time = timeDeltas[index] ?? 0;
    busy += time;
    self.set(name, (self.get(name) ?? 0) + time);
  }
  return { self, busy };
}

function describe({ file, self, busy }: Thread): string {
  const headline = `${file}\n  ${(busy / 1e6).toFixed(2)} s busy\n`;
  if (busy < WORTH_A_LIST) return headline;
  const top = [...self].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
  return headline + top.map(([name, time]) => {
    const share = (time / busy * 100).toFixed(1).padStart(6);
    const milliseconds = (time / 1e3).toFixed(0).padStart(7);
    return `${share} %  ${milliseconds} ms  ${name}\n`;
  }).join("");
}
