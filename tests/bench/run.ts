/**
 * Runs one case: starts its entries, measures them in turns, and stops them.
 *
 * @module
 */

import { startPeer } from "./peers.ts";
import type { Peer, Running } from "./peers.ts";
import { startBackend } from "./peers/nginx.ts";
import type { Sample } from "./measure.ts";
import type { Stage } from "./stage.ts";
import type { Entry, Workload } from "./workloads.ts";

/** What one entry of a case did. */
export interface Result {
  entry: Entry;
  /** One for each round that went well. */
  samples: Sample[];
  /** Why the entry was given up. Its samples must not be used then. */
  failure?: string;
}

/** How long and how often to measure. */
export interface Plan {
  rounds: number;
  /** Length of one measurement. */
  seconds: number;
}

/** Share of the machine's time that others may have during a measurement. */
export const DISTURBED = 0.1;
/** How often a disturbed measurement is made before the quietest is taken. */
const TRIES = 3;

/** An entry while its case runs. */
interface Contender {
  result: Result;
  port: number;
  serverPort: number;
  running?: Running;
  measure?: () => Promise<Sample>;
}

/**
 * Measures all entries of a case: first one round of each, then the second of
 * each, and so on, so that a slow minute of the machine hits all of them.
 *
 * @param note Hears what is going on.
 */
export async function runWorkload(
  stage: Stage,
  workload: Workload,
  peers: readonly Peer[],
  plan: Plan,
  note: (text: string) => void,
): Promise<Result[]> {
  const contenders: Contender[] = workload.entries(peers).map((entry) => ({
    result: { entry, samples: [] },
    port: stage.port(),
    serverPort: stage.port(),
  }));
  // iperf3 brings its own server.
  const backend = workload.routing === "iperf"
    ? undefined
    : startBackend(stage, contenders.map(({ serverPort }) => serverPort));
  try {
    if (backend !== undefined) {
      for (const { serverPort } of contenders) {
        await stage.listening(backend, serverPort);
      }
    }
    for (let round = 1; round <= plan.rounds; round++) {
      for (const contender of contenders) {
        if (contender.result.failure !== undefined) continue;
        const { entry, samples } = contender.result;
        note(`${workload.name}  round ${round}/${plan.rounds}  ${entry.label}`);
        try {
          contender.measure ??= await begin(stage, workload, contender, plan);
          samples.push(await quietest(contender.measure));
          if (workload.fresh === true) await end(contender);
        } catch (error) {
          contender.result.failure = reason(error, contender);
          await end(contender);
        }
      }
    }
  } finally {
    await Promise.all(contenders.map(end));
    await backend?.kill();
  }
  return contenders.map(({ result }) => result);
}

async function begin(
  stage: Stage,
  workload: Workload,
  contender: Contender,
  plan: Plan,
): Promise<() => Promise<Sample>> {
  const { port, serverPort, result: { entry } } = contender;
  const running = await startPeer(stage, entry.peer, {
    port,
    backend: `127.0.0.1:${serverPort}`,
    routing: workload.routing,
    ...entry.setup,
  });
  contender.running = running;
  return await workload.begin({
    stage,
    running,
    serverPort,
    seconds: plan.seconds,
  });
}

/** What went wrong, and how the proxy ended if it did. */
function reason(error: unknown, { running }: Contender): string {
  const message = error instanceof Error ? error.message : String(error);
  const ended = running?.ended();
  return ended === undefined
    ? message
    : `${message}; the proxy ended: ${ended}`;
}

/**
 * Measures again if others kept the machine busy meanwhile. What was found has
 * no say in that, so nothing is picked that suits.
 */
async function quietest(measure: () => Promise<Sample>): Promise<Sample> {
  let best: Sample | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const sample = await measure();
    if (best === undefined || others(sample) < others(best)) {
      best = sample;
    }
    if (others(best) <= DISTURBED) break;
  }
  return best ?? {};
}

function others(sample: Sample): number {
  return sample["others"] ?? 0;
}

async function end(contender: Contender): Promise<void> {
  await contender.running?.kill();
  delete contender.running;
  delete contender.measure;
}
