/**
 * The connections that are open now, for `/api/connections`: the workers are
 * asked for them.
 *
 * @module
 */
import {
  comparing,
  type ConnectionQuery,
  SORT_KEYS,
} from "../stats/connection_list.ts";
import type { ApiAnswer } from "./answer.ts";
import type { ConnectionEntry, ConnectionList } from "./json_types.ts";
import type { Source } from "./program.ts";

/** Connections that are listed, unless asked for more. */
const DEFAULT_LIMIT = 100;

/** Connections that are listed at a time, at most. */
const MAX_LIMIT = 1000;

/** The longest text to search for. */
const MAX_SEARCH = 200;

/**
 * Lists connections.
 *
 * @param parameters Those of the URL: `search`, `sort`, `order`, `limit`.
 */
export async function listAll(
  { workers }: Source,
  parameters: URLSearchParams,
): Promise<ApiAnswer> {
  const query = parse(parameters);
  if (typeof query === "string") return { status: 400, body: { error: query } };
  const lists = await Promise.all(
    workers.map(async (worker) => ({ worker, list: await worker.list(query) })),
  );
  const rows = lists.flatMap(({ worker: { name }, list }): ConnectionEntry[] =>
    (list?.rows ?? []).map((row) => ({
      id: row.id,
      worker: name,
      listener: row.listener,
      client: row.client,
      remote: row.remote,
      route: row.route,
      stage: row.stage,
      seconds: row.seconds,
      in: row.in,
      out: row.out,
    }))
  );
  const connections = rows
    .sort(comparing(query, (row) => row[query.sort] ?? ""))
    .slice(0, query.limit);
  return {
    body: {
      total: lists.reduce((sum, { list }) => sum + (list?.total ?? 0), 0),
      shown: connections.length,
      unanswered: lists.filter(({ list }) => list === undefined).length,
      connections,
    } satisfies ConnectionList,
  };
}

/** Reads the parameters; a text says which rule is broken. */
function parse(parameters: URLSearchParams): ConnectionQuery | string {
  const search = parameters.get("search") ?? "";
  const order = parameters.get("order") ?? "asc";
  const limit = parameters.get("limit") ?? String(DEFAULT_LIMIT);
  const wanted = parameters.get("sort") ?? "id";
  const sort = SORT_KEYS.find((key) => key === wanted);
  if (search.length > MAX_SEARCH) {
    return `search must have at most ${MAX_SEARCH} characters`;
  }
  if (sort === undefined) return `sort must be one of ${SORT_KEYS.join(", ")}`;
  if (order !== "asc" && order !== "desc") return "order must be asc or desc";
  if (!/^\d{1,4}$/.test(limit) || +limit < 1 || +limit > MAX_LIMIT) {
    return `limit must be a whole number from 1 to ${MAX_LIMIT}`;
  }
  return {
    search: search.toLowerCase(),
    sort,
    descending: order === "desc",
    limit: +limit,
    now: performance.timeOrigin + performance.now(),
  };
}

/**
 * Closes a connection.
 *
 * @param id The number of the connection, as it stands in the URL.
 */
export async function closeOne(
  { workers }: Source,
  id: string,
): Promise<ApiAnswer> {
  const closed = /^\d{1,15}$/.test(id) &&
    await anyOf(workers.map((worker) => worker.close(Number(id))));
  return closed
    ? { status: 204 }
    : { status: 404, body: { error: `there is no connection ${id}` } };
}

/** Tells whether one says yes, as soon as one does. */
async function anyOf(answers: readonly Promise<boolean>[]): Promise<boolean> {
  const yes = answers.map(async (answer) => {
    if (!await answer) throw new Error("no");
  });
  return await Promise.any(yes).then(() => true, () => false);
}
