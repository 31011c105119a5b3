/**
 * A route table compiled into the same kind of router that a module exports.
 *
 * @module
 */
import { DecisionError } from "../connection/decision.ts";
import { parseTarget } from "../connection/target.ts";
import { describe } from "../errors.ts";
import type {
  Address,
  Answer as HookAnswer,
  Client,
  Decision,
  RemoteDecision,
  Router,
} from "../router/contract.ts";
import { makePool } from "../pool/made.ts";
import type { RedisTable } from "../table/options.ts";
import { makeTable } from "../table/registry.ts";
import type { Bytes } from "../router/bytes.ts";
import { Preread } from "../router/preread.ts";
import { Call, compileMatch, MORE, needsBytes, NO } from "./matchers.ts";
import { fieldOf, type Finder, indexRoutes } from "./names.ts";
import { readField } from "./protocols.ts";
import {
  captureBytes,
  captureField,
  formatTemplate,
  type Mentions,
  mentions,
} from "./template.ts";
import {
  type Action,
  type Content,
  DEFAULT_ROUTE,
  isLookUp,
  routeNames,
  type Table,
  type TableRoute,
  type Template,
  type Variable,
} from "./table.ts";

/** Before the first byte. */
const NOTHING = new Preread(new Uint8Array(0));

/** A table, ready to route. */
export interface CompiledTable {
  /** The table as a router. */
  readonly router: Router;
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
 * @param table The table.
 * @param rest The module that serves what no route is for, if the table names
 * one. Its other hooks are those of the router, too.
 * @returns The router. A route wins only when every route above it has said no:
 * while one of them needs more bytes, the router waits.
 */
export function compileTable(
  table: Table,
  rest: Router | undefined,
): CompiledTable {
  for (const { name, options } of table.pools) makePool(name, options);
  const { steps, below } = compileSteps(table.routes);
  const find = (call: Call, from: number): number | "no" | "more" => {
    for (let i = from; i < steps.length; i++) {
      const found = (steps[i] as Finder)(call);
      if (found !== "no") return found;
    }
    return "no";
  };
  const decide = compileActions(table);
  const lookUps = compileLookUps(table);
  const asked = new WeakSet<Client>();
  const route = (data: Preread, client: Client): HookAnswer =>
    routeFrom(0, data, client, new Call(data, client));
  const routeFrom = (
    from: number,
    data: Preread,
    client: Client,
    call: Call,
  ): HookAnswer => {
    const found = find(call, from);
    if (found === "more") return undefined;
    const lookUp = lookUps?.get(found);
    if (lookUp !== undefined) {
      return once(
        lookUp(call),
        (remote) =>
          remote === undefined
            ? routeFrom(below.get(found) ?? 0, data, client, call)
            : { ...decide(found, call) as RemoteDecision, remote },
      );
    }
    if (found !== "no" || rest === undefined) return decide(found, call);
    if (rest.accept === undefined || asked.has(client)) {
      return askRest(rest, data, client);
    }
    asked.add(client);
    return orElse(
      rest.accept(client),
      () => data.length === 0 ? undefined : askRest(rest, data, client),
    );
  };
  const router: Router = { route };
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
    explain(data, client) {
      const call = new Call(data, client);
      let found = find(call, 0);
      for (
        let lookUp = lookUps?.get(found);
        lookUp !== undefined;
        lookUp = lookUps?.get(found)
      ) {
        const remote = lookUp(call);
        // it was asked before: where it has no answer now, it had none
        if (typeof remote === "string" || Array.isArray(remote)) break;
        found = find(call, below.get(found) ?? 0);
      }
      if (found === "more") return "routes: more bytes are needed";
      if (found === "no") {
        return `default${rest === undefined ? "" : ": the router"}`;
      }
      return `${routeTitle(table.routes, found)}, line ${
        table.routes[found]?.line
      }`;
    },
  };
}

function askRest(rest: Router, data: Preread, client: Client): HookAnswer {
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
  { routes, tables }: Table,
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

/** What a route is called in messages. */
function routeTitle(routes: readonly TableRoute[], index: number): string {
  const name = routes[index]?.name;
  return `route ${index + 1}${name === undefined ? "" : ` (${name})`}`;
}

/** Makes the decision of a route, or that of the table when there is none. */
function compileActions(
  table: Table,
): (found: number | "no", call: Call) => Decision {
  const { otherwise } = table;
  const names = routeNames(table);
  const actions: ((call: Call) => Decision)[] = table.routes.map(
    ({ action, match }, index) =>
      compileAction(
        action,
        mentions(match),
        routeTitle(table.routes, index),
        names[index] as string,
      ),
  );
  const last = otherwise === "router" ? () => undefined : compileAction(
    otherwise,
    mentions(undefined),
    "the default",
    DEFAULT_ROUTE,
  );
  return (found, call) =>
    (found === "no" ? last : actions[found] ?? last)(call);
}

function compileAction(
  action: Action,
  known: Mentions,
  name: string,
  route: string,
): (call: Call) => Decision {
  const fill = (content: Content): (call: Call) => Bytes => {
    if (content instanceof Uint8Array) return () => content;
    return compileTemplate(content, known, name, false);
  };
  switch (action.kind) {
    case "close": {
      if (action.content === undefined) return () => ({ close: true, route });
      const close = fill(action.content);
      return (call) => ({ close: close(call), route });
    }
    case "reply": {
      const reply = fill(action.reply);
      const { consume } = action;
      return (call) => ({ reply: reply(call), consume, route });
    }
    case "remote": {
      const {
        connectTimeout,
        inactivityTimeout,
        idleTimeout,
        maxDuration,
        tls,
      } = action;
      const { proxyProtocol, pool, key } = action;
      const remote = compileRemotes(action.remotes, known, name);
      const reply = action.reply && fill(action.reply);
      const settings = {
        connectTimeout,
        inactivityTimeout,
        idleTimeout,
        maxDuration,
        proxyProtocol,
        tls,
        route,
      };
      if (pool === undefined) {
        return (call) => ({
          remote: remote(call),
          reply: reply?.(call),
          ...settings,
        });
      }
      const fillKey = key && compileTemplate(key, known, name, false);
      return (call) => ({
        pool,
        key: fillKey?.(call),
        reply: reply?.(call),
        ...settings,
      });
    }
  }
}

/** Makes the remote, or a list of them if there are several. */
function compileRemotes(
  templates: readonly Template[],
  known: Mentions,
  name: string,
): (call: Call) => string | readonly string[] {
  const remotes = templates.map((template) => {
    const fill = compileTemplate(template, known, name, true);
    if (template.every((part) => typeof part === "string")) return fill;
    return (call: Call): string => {
      const remote = fill(call);
      checkRemote(remote, template, name);
      return remote;
    };
  });
  const [first] = remotes;
  return first !== undefined && remotes.length === 1
    ? first
    : (call) => remotes.map((remote) => remote(call));
}

/** A client may send anything: what became of the remote is looked at. */
function checkRemote(remote: string, template: Template, name: string): void {
  const parsed = parseTarget(remote);
  if (typeof parsed !== "string") return;
  throw new DecisionError(
    `Cannot connect to ${
      formatTemplate(template)
    } of ${name} as it ${parsed}: current value is ${describe(remote)}`,
  );
}

/** @param bracketed Whether IPv6 addresses are put into brackets. */
function compileTemplate(
  template: Template,
  known: Mentions,
  name: string,
  bracketed: boolean,
): (call: Call) => string {
  if (template.every((part) => typeof part === "string")) {
    const text = template.join("");
    return () => text;
  }
  return (call) => {
    let text = "";
    for (const part of template) {
      if (typeof part === "string") {
        text += part;
        continue;
      }
      const value = valueOf(part, known, call);
      if (value === undefined) {
        // a client of a socket file has no address
        const who = part.source === "client" || part.source === "local"
          ? "the client must have it"
          : "the client must send it";
        throw new DecisionError(
          `Cannot fill in \${${part.text}} of ${name} as ${who}: current value is nothing`,
        );
      }
      if (!bracketed) text += printable(value, part, name);
      else text += isIpv6(value, part) ? `[${value}]` : value;
    }
    return text;
  };
}

function valueOf(
  variable: Variable,
  known: Mentions,
  call: Call,
): string | undefined {
  const { source, field, key, group } = variable;
  const { remoteAddr, localAddr, listener, tls } = call.client;
  switch (source) {
    case "client":
      if (field === "serverName" || field === "alpn") return tls?.[field];
      return ofAddress(remoteAddr, field);
    case "local":
      if (field === "listener") return listener;
      return ofAddress(localAddr, field);
    case "bytes":
      return captureBytes(group ?? "", known, call.data.text);
  }
  const message = call.parse(source);
  if (!message) return undefined;
  const value = readField(message, field, key);
  if (value === undefined) return undefined;
  const values = typeof value === "string" ? [value] : value;
  return group === undefined
    ? values[0]
    : captureField(variable, known, values);
}

function ofAddress(address: Address, field: string): string | undefined {
  if (address.transport === "unix") return undefined;
  return field === "port" ? String(address.port) : address.hostname;
}

/** Tells addresses; other texts with colons are taken as they are. */
function isIpv6(value: string, { field, group }: Variable): boolean {
  return group === undefined && value.includes(":") &&
    ["address", "host", "serverName", "to"].includes(field);
}

/** What a client sent must not end a line of the answer. */
function printable(value: string, variable: Variable, name: string): string {
  if (!/\p{Cc}/u.test(value)) return value;
  throw new DecisionError(
    `Cannot fill in \${${variable.text}} of ${name} as it must have no control characters: current value is ${
      describe(value)
    }`,
  );
}
