/**
 * Whether the program is alive, and whether it is ready for clients.
 *
 * @module
 */
import type { ProgramStatus } from "./program_status.ts";
import type { ApiAnswer } from "./answer.ts";
import type { Health } from "./json_types.ts";
import type { Source } from "./program.ts";

/**
 * Tells whether the program is alive: if not, only another start helps.
 *
 * @param source What is known of the workers.
 * @returns 200; or 503 if no worker serves that should, or too many are stuck.
 */
export function health({ status, configuration }: Source): ApiAnswer {
  const serving = countServing(status);
  const { workers, maxStuckWorkers = workers } = configuration.options;
  const problem = status.stuck > maxStuckWorkers
    ? "too many workers are stuck"
    : status.state === "serving" && serving === 0
    ? "no worker serves"
    : undefined;
  return answer(problem, status, serving);
}

/**
 * Tells whether the program takes new connections.
 *
 * @param source What is known of the workers.
 * @returns 200; or 503 while it starts or stops, and if no worker serves.
 */
export function readiness({ status }: Source): ApiAnswer {
  const serving = countServing(status);
  const problem = status.state === "loading"
    ? "starting"
    : status.state === "draining"
    ? "stopping"
    : serving === 0
    ? "no worker serves"
    : undefined;
  return answer(problem, status, serving);
}

function countServing({ generations }: ProgramStatus): number {
  return generations.flatMap(({ workers }) => workers)
    .filter(({ state }) => state === "serving").length;
}

function answer(
  problem: string | undefined,
  { stuck }: ProgramStatus,
  workers: number,
): ApiAnswer {
  return {
    status: problem === undefined ? 200 : 503,
    body: { status: problem ?? "ok", stuck, workers } satisfies Health,
  };
}
