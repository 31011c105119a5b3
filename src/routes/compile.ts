/**
 * A route table compiled into the same kind of router that a module exports.
 *
 * @module
 */
import { DecisionError } from "../decision/decision.ts";
import { makePool } from "../pool/router_pool.ts";
import type {
  Answer as HookAnswer,
  Client,
  LastAnswer,
  Router,
  ServedRouter,
} from "../router/contract.ts";
import type { Decision, RemoteDecision } from "../router/decision.ts";
import { Preread } from "../router/preread.ts";
import type { RedisTable } from "../redis/options.ts";
import { makeTable } from "../redis/registry.ts";
import { compileActions } from "./compile_actions.ts";
import { compileTemplate } from "./compile_template.ts";
import { Call, MORE, NO } from "./matchers/call.ts";
import { compileMatch, needsBytes } from "./matchers/match.ts";
import { fieldOf, type Finder, indexRoutes } from "./name_index.ts";
import {
  DEFAULT_ROUTE,
  isLookUp,
  type RouteTable,
  routeTitle,
  type TableRoute,
} from "./route_table.ts";
import { mentions } from "./template.ts";

/** Before the first byte. */
const NOTHING = new Preread(new Uint8Array(0));

/** A table, ready to route. */
export interface CompiledTable {
  /** The table as a router. */
  readonly router: ServedRouter;
  /**
   * Says which route is for a connection.
   *
   * @returns Such as `route 3 (web), line 12`.
   */
  readonly explain: (data: Preread, client: Client) => string;
}

/**
 * Compiles a table.
 *
 * @param rest The module that serves what no route is for, if the table names
 * one. Its other hooks are those of the router, too.
 * @returns The router. A route wins only when every route above it has said no:
 * while one of them needs more bytes, the router waits.
 */
export function compileTable(
  table: RouteTable,
  rest: Router | undefined,
): CompiledTable {
  for (const { name, options } of table.pools) makePool(name, options);
  const routes = new Routes(table, rest);
  const route = (data: Preread, client: Client): HookAnswer =>
    routes.decide(0, new Call(data, client));
  const router: ServedRouter = {
    route,
    ended: (data, client) => routes.decideAtEnd(new Call(data, client, true)),
  };
  const [first] = table.routes;
  // routes by address decide before a byte has come: the server may speak first
  if (first === undefined || !needsBytes(first.match)) {
    router.accept = (client) => route(NOTHING, client);
  }
  if (rest?.timeout !== undefined) router.timeout = rest.timeout.bind(rest);
  if (rest?.connectError !== undefined) {
    router.connectError = rest.connectError.bind(rest);
  }
  if (rest?.inactivityError !== undefined) {
    router.inactivityError = rest.inactivityError.bind(rest);
  }
  return {
    router,
    explain: (data, client) => routes.explain(new Call(data, client)),
  };
}

/** The routes of a table, compiled. */
class Routes {
  readonly #routes: readonly TableRoute[];
  readonly #rest: Router | undefined;
  readonly #steps: readonly Finder[];
  /** The step below each route that asks a table. */
  readonly #below: ReadonlyMap<unknown, number>;
  readonly #execute: ReturnType<typeof compileActions>;
  readonly #lookUps: ReturnType<typeof compileLookUps>;
  /** The clients whose `accept` was called. */
  readonly #accepted = new WeakSet<Client>();

  constructor(table: RouteTable, rest: Router | undefined) {
    this.#routes = table.routes;
    this.#rest = rest;
    ({ steps: this.#steps, below: this.#below } = compileSteps(table.routes));
    this.#execute = compileActions(table);
    this.#lookUps = compileLookUps(table);
  }

  /** Decides by the routes from a step on. */
  decide(from: number, call: Call): HookAnswer {
    const found = this.#find(from, call);
    if (found === "more") return undefined;
    const lookUp = this.#lookUps?.get(found);
    if (lookUp !== undefined) {
      return once(
        lookUp(call),
        (remote) =>
          remote === undefined
            ? this.decide(this.#below.get(found) ?? 0, call)
            : { ...this.#execute(found, call) as RemoteDecision, remote },
      );
    }
    if (found !== "no" || this.#rest === undefined) {
      return this.#execute(found, call);
    }
    return call.ended
      ? this.#rest.timeout?.(call.data, call.client)
      : this.#askRest(this.#rest, call);
  }

  /**
   * Decides when no more bytes can come: routes that need more do not match. The
   * client is closed with a reply after which routing would go on; without any
   * route, a default that only closes leaves it to be one that has left.
   */
  decideAtEnd(call: Call): LastAnswer {
    return once(this.decide(0, call), (said) => {
      if (typeof said !== "object" || said === null) return undefined;
      if ("consume" in said && said.consume !== undefined) {
        return { close: said.reply, route: said.route } as Decision;
      }
      const closes = "close" in said && said.close === true;
      return closes && said.route === DEFAULT_ROUTE ? undefined : said;
    }) as LastAnswer;
  }

  /** Says which route is for a connection. */
  explain(call: Call): string {
    let found = this.#find(0, call);
    for (
      let lookUp = this.#lookUps?.get(found);
      lookUp !== undefined;
      lookUp = this.#lookUps?.get(found)
    ) {
      const remote = lookUp(call);
      // it was asked before: where it has no answer now, it had none
      if (typeof remote === "string" || Array.isArray(remote)) break;
      found = this.#find(this.#below.get(found) ?? 0, call);
    }
    if (found === "more") return "routes: more bytes are needed";
    if (found === "no") {
      return `default${this.#rest === undefined ? "" : ": the router"}`;
    }
    const title = routeTitle(this.#routes, found);
    return `${title}, line ${this.#routes[found]?.line}`;
  }

  #find(from: number, call: Call): ReturnType<Finder> {
    for (let step = from; step < this.#steps.length; step++) {
      const found = (this.#steps[step] as Finder)(call);
      if (found !== "no" && !(found === "more" && call.ended)) return found;
    }
    return "no";
  }

  #askRest(rest: Router, { data, client }: Call): HookAnswer {
    if (rest.accept === undefined || this.#accepted.has(client)) {
      return askRoute(rest, data, client);
    }
    this.#accepted.add(client);
    return orElse(
      rest.accept(client),
      () => data.length === 0 ? undefined : askRoute(rest, data, client),
    );
  }
}

function askRoute(rest: Router, data: Preread, client: Client): HookAnswer {
  if (data.length === 0) return undefined;
  if (rest.route !== undefined) return rest.route(data, client);
  throw new DecisionError(
    "Cannot go on routing as accept() of the table's router must decide where it has no route(): current value is no decision",
  );
}

/** The first answer, or the second if the first is nothing. */
function orElse(first: HookAnswer, second: () => HookAnswer): HookAnswer {
  if (typeof first === "object" && first !== null && "then" in first) {
    return Promise.resolve(first).then((answer) => answer ?? second());
  }
  return first ?? second();
}

/** Goes on at once with what is there, later with what is promised. */
function once<Value>(
  value: Value | Promise<Value>,
  then: (value: Value) => HookAnswer,
): HookAnswer {
  return value instanceof Promise
    ? value.then((value) => then(value) as Decision)
    : then(value);
}

/** What is looked up in tables, by the number of the route; mostly nothing. */
function compileLookUps(
  { routes, tables }: RouteTable,
):
  | ReadonlyMap<unknown, (call: Call) => ReturnType<RedisTable["get"]>>
  | undefined {
  if (tables.length === 0) return undefined;
  const made = new Map(
    tables.map(({ name, options }) => [name, makeTable(options)]),
  );
  const lookUps = new Map<
    unknown,
    (call: Call) => ReturnType<RedisTable["get"]>
  >();
  routes.forEach(({ action, match }, index) => {
    if (!isLookUp(action)) return;
    const name = routeTitle(routes, index);
    const key = compileTemplate(
      action.key ?? [""],
      mentions(match),
      name,
      false,
    );
    const table = made.get(action.table) as RedisTable;
    lookUps.set(index, (call) => table.get(key(call)));
  });
  return lookUps;
}

/**
 * Routes that ask for the same field are one step together; others one each, and
 * so are those that ask a table: the steps below them are known.
 */
function compileSteps(
  routes: readonly TableRoute[],
): { steps: readonly Finder[]; below: ReadonlyMap<unknown, number> } {
  const steps: Finder[] = [];
  const below = new Map<number, number>();
  for (let from = 0; from < routes.length;) {
    let to = from;
    let field: string | undefined;
    for (; to < routes.length; to++) {
      const { match, action } = routes[to] as TableRoute;
      if (match.kind !== "field" || isLookUp(action)) break;
      field ??= fieldOf(match);
      if (field !== fieldOf(match)) break;
    }
    if (to > from) {
      steps.push(indexRoutes(routes, from, to));
      from = to;
    } else {
      steps.push(singleStep(routes, from));
      below.set(from, steps.length);
      from++;
    }
  }
  return { steps, below };
}

function singleStep(routes: readonly TableRoute[], number: number): Finder {
  const matcher = compileMatch((routes[number] as TableRoute).match);
  return (call) => {
    const answer = matcher(call);
    return answer === NO ? "no" : answer === MORE ? "more" : number;
  };
}
