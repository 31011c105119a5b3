/**
 * What is done to a running proxy, and how its cost is found.
 *
 * @module
 */

import { bulkLoad, holdConnections, httpLoad } from "./load.ts";
import type { HttpOptions } from "./load.ts";
import {
  cpuMicros,
  descriptorLimit,
  machineTime,
  timeWaitSockets,
} from "./proc.ts";
import type { Running } from "./peers.ts";
import type { Stage } from "./stage.ts";
import { delay } from "../support/delay.ts";

/**
 * One measurement: the values of a case's metrics, and of those that every case
 * has.
 */
export type Sample = Record<string, number>;

/** A started entry, ready to be measured. */
export interface Target {
  stage: Stage;
  running: Running;
  /** Port of the server behind it. */
  serverPort: number;
  /** Length of one measurement. */
  seconds: number;
}

/**
 * Connections made in one measurement, at most: they cost a local port each for
 * a minute.
 */
const MAX_CONNECTIONS = 20_000;
/** Clients at the same time, where the case does not say otherwise. */
export const CLIENTS = 32;
/**
 * Seconds in which a just-in-time compiler gets to see the work before anything
 * is measured.
 */
const WARM_UP = 2;
/**
 * New connections after which it has seen enough of them: most of a proxy's
 * functions are called once for each. V8's threads have been seen at work until
 * about that many.
 */
const WARM_UP_CONNECTIONS = 40_000;
/** How often to warm up for that, at most, if the machine is slow. */
const WARM_UPS = 8;
/** Idle connections of the `idle` case. */
export const IDLE = 5_000;
/** Those opened before them, which grow what all of them share. */
export const IDLE_BASE = 500;
/** Open connections of the `open` case. */
export const FEW_OPEN = 100;
/** As many as there are descriptors for: a proxy needs two for each. */
export const MANY_OPEN = Math.min(
  8_000,
  Math.floor((descriptorLimit() - 500) / 2),
);

/** Requests by wrk: CPU time for each, and how many there were in a second. */
export async function httpCase(
  target: Target,
  options: Omit<HttpOptions, "seconds">,
): Promise<() => Promise<Sample>> {
  const { stage, running } = target;
  const warmUp = () =>
    httpLoad(stage, running.port, { ...options, seconds: WARM_UP });
  let warm = await warmUp();
  let { seconds } = target;
  if (options.close === true) {
    let made = warm.requests;
    for (let at = 1; at < WARM_UPS && made < WARM_UP_CONNECTIONS; at++) {
      warm = await warmUp();
      made += warm.requests;
    }
    const most = Math.floor(MAX_CONNECTIONS / (warm.requests / warm.seconds));
    seconds = Math.max(1, Math.min(seconds, most));
  }
  return async () => {
    const { result, sample } = await measured(
      target,
      () => httpLoad(stage, running.port, { ...options, seconds }),
      ({ requests }) => requests,
    );
    return {
      ...sample,
      rate: result.requests / result.seconds,
      p50: result.p50Micros,
      p99: result.p99Micros,
    };
  };
}

/** Bulk by iperf3: Gbit/s, and CPU time for a gigabyte. */
export async function bulkCase(
  target: Target,
  reverse: boolean,
): Promise<() => Promise<Sample>> {
  const run = (seconds: number) =>
    bulkLoad(target.stage, target.running.port, target.serverPort, {
      seconds,
      reverse,
    });
  await run(1);
  return async () => {
    const { result, sample } = await measured(
      target,
      () => run(target.seconds),
      // 10^9 bytes cost so many ms: the same as 10^6 bytes and µs.
      ({ bytes }) => bytes / 1e6,
    );
    return { ...sample, rate: result.bitsPerSecond / 1e9 };
  };
}

/**
 * Memory that each of many idle connections holds, once the first ones have
 * paid for the rest.
 */
export async function idleCase({ stage, running }: Target): Promise<Sample> {
  const held = holdConnections(stage, running.port);
  try {
    await held.set(IDLE_BASE);
    await sleep(1);
    const before = running.memory();
    await held.set(IDLE_BASE + IDLE);
    await sleep(3);
    const after = running.memory();
    await held.check();
    return {
      rss: (after.rss - before.rss) / IDLE / 1024,
      anon: (after.anon - before.anon) / IDLE / 1024,
      base: before.rss / 1024 / 1024,
    };
  } finally {
    await held.release();
  }
}

/** What a request costs beside few idle connections and beside many. */
export async function openCase(
  target: Target,
): Promise<() => Promise<Sample>> {
  const options = { connections: CLIENTS, seconds: WARM_UP };
  await httpLoad(target.stage, target.running.port, options);
  return () => besideOpen(target);
}

async function besideOpen(target: Target): Promise<Sample> {
  const { stage, running } = target;
  const held = holdConnections(stage, running.port);
  const options = { connections: CLIENTS, seconds: target.seconds };
  const beside = async (count: number) => {
    await held.set(count);
    await httpLoad(stage, running.port, { ...options, seconds: 1 });
    const { sample } = await measured(
      target,
      () => httpLoad(stage, running.port, options),
      ({ requests }) => requests,
    );
    await held.check();
    return sample;
  };
  try {
    const few = await beside(FEW_OPEN);
    const many = await beside(MANY_OPEN);
    const [fewCost = NaN, manyCost = NaN] = [few["cpu"], many["cpu"]];
    return {
      few: fewCost,
      many: manyCost,
      growth: manyCost / fewCost,
      others: Math.max(few["others"] ?? 0, many["others"] ?? 0),
      stolen: Math.max(few["stolen"] ?? 0, many["stolen"] ?? 0),
    };
  } finally {
    await held.release();
  }
}

/**
 * Does some work and finds what it cost the proxy, per unit, and how much of
 * the machine others had in the meantime.
 *
 * @param units How many requests, connections or megabytes the work was.
 */
async function measured<T>(
  target: Target,
  work: () => Promise<T>,
  units: (result: T) => number,
): Promise<{ result: T; sample: Sample }> {
  const { running } = target;
  const start = performance.now();
  const [proxy, ours, machine] = [running.cpu(), ownTime(), machineTime()];
  const result = await work();
  // Let the last connections be closed: that is part of the work.
  await sleep(0.05);
  const cpu = running.cpu() - proxy;
  const own = ownTime() - ours;
  const { busy, stolen } = machineTime();
  const cores = (performance.now() - start) * 1e3 *
    navigator.hardwareConcurrency;
  return {
    result,
    sample: {
      ...(cpu > 0 ? { cpu: cpu / units(result) } : {}),
      others: Math.max(0, busy - machine.busy - own) / cores,
      stolen: (stolen - machine.stolen) / cores,
      timeWait: timeWaitSockets(),
    },
  };
}

/** CPU time of this benchmark and of all that it has started. */
function ownTime(): number {
  return cpuMicros(Deno.pid, { reaped: true });
}

function sleep(seconds: number): Promise<void> {
  return delay(seconds * 1_000);
}
