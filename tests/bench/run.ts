/**
 * Runs one case: starts its entries, measures them in turns, and stops them.
 *
 * @module
 */

import { startPeer } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { startBackend } from "./peers/nginx.ts";
import type { Stage } from "./stage.ts";
import type { Entry, Sample, Workload } from "./workloads.ts";

/** What one entry of a case did. */
export interface Result {
  entry: Entry;
  /** One for each round that went well. */
  samples: Sample[];
  /** Why the entry was given up. Its samples must not be used then. */
  failure?: string;
}

/** Share of the machine's time that neither the proxy nor its load had during a measurement. */
export function disturbance(sample: Sample): number {
  return (sample["others"] ?? 0) + (sample["stolen"] ?? 0);
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
  measure?: () => Promise<Sample>;
  kill?: () => Promise<void>;
}

/**
 * Measures all entries of a case: first one round of each, then the second of each, and so on, so
 * that a slow minute of the machine hits all of them.
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
          contender.result.failure = error instanceof Error
            ? error.message
            : String(error);
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
  contender.kill = () => running.kill();
  return await workload.begin({
    stage,
    running,
    serverPort,
    seconds: plan.seconds,
  });
}

/**
 * Measures again if others kept the machine busy meanwhile. What was found has no say in that, so
 * nothing is picked that suits.
 */
async function quietest(measure: () => Promise<Sample>): Promise<Sample> {
  let best: Sample | undefined;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const sample = await measure();
    if (best === undefined || disturbance(sample) < disturbance(best)) {
      best = sample;
    }
    if (disturbance(best) <= DISTURBED) break;
  }
  return best ?? {};
}

async function end(contender: Contender): Promise<void> {
  await contender.kill?.();
  delete contender.kill;
  delete contender.measure;
}
