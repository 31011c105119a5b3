/**
 * The pools of the router that serves, for `/api/pools`.
 *
 * @module
 */
import type { Log } from "../log/log.ts";
import { drainMember, readPools } from "../pool/main_thread.ts";
import type { ApiAnswer } from "./answer.ts";
import type { Pool } from "./json_types.ts";
import type { Source } from "./program.ts";

/**
 * Describes the pools.
 *
 * @returns Plain data, an entry for each.
 */
export function poolsOf({ pools }: Source): Pool[] {
  return readPools(pools).map(({ name, policy, members }) => ({
    name,
    policy,
    members: members.map((
      { remote, weight, state, active, failed, picks, changed },
    ) => ({
      remote,
      weight,
      state,
      connections: active,
      failures: failed,
      picks,
      since: changed === 0 ? null : new Date(changed * 1000).toISOString(),
    })),
  }));
}

/**
 * Drains a member, or gives it connections again, in all workers.
 *
 * @param parameters Those of the URL; `remote` is the member.
 */
export function drain(
  { pools }: Source,
  name: string,
  parameters: URLSearchParams,
  draining: boolean,
  log: Log,
): ApiAnswer {
  const pool = pools.find((pool) => pool.name === name);
  if (pool === undefined) return notFound(`there is no pool ${name}`);
  const remote = parameters.get("remote");
  if (remote === null) {
    return {
      status: 400,
      body: { error: "the parameter remote, the member, is needed" },
    };
  }
  const drained = drainMember(pool, remote, draining);
  if (drained === undefined) {
    return notFound(`the pool ${name} has no member ${remote}`);
  }
  if (!drained) {
    return {
      status: 409,
      body: {
        error: `${remote} cannot be given connections as its weight is 0`,
      },
    };
  }
  log.info(
    draining
      ? "Member {remote} of pool {pool} gets no more connections, as the admin server was told"
      : "Member {remote} of pool {pool} gets connections again, as the admin server was told",
    { remote, pool: name },
  );
  return { status: 204 };
}

function notFound(error: string): ApiAnswer {
  return { status: 404, body: { error } };
}
