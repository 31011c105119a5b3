/**
 * The actions of a route table compiled into functions that decide.
 *
 * @module
 */
import { DecisionError } from "../decision/decision.ts";
import { settingsOf } from "../decision/keys.ts";
import { parseTarget } from "../net/remote.ts";
import { describe } from "../lib/errors.ts";
import type { Bytes } from "../router/bytes.ts";
import type { Decision } from "../router/decision.ts";
import { compileTemplate } from "./compile_template.ts";
import type { Call } from "./matchers/call.ts";
import {
  type Action,
  type Content,
  DEFAULT_ROUTE,
  routeNames,
  type RouteTable,
  routeTitle,
  type Template,
} from "./route_table.ts";
import { formatTemplate, type Mentions, mentions } from "./template.ts";

/**
 * Compiles the actions of a table.
 *
 * @returns Makes the decision of a route, by its number, or that of the table
 * when there is none; throws a `DecisionError` if the client has not sent what
 * it needs.
 */
export function compileActions(
  table: RouteTable,
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
      const { tls, pool, key } = action;
      const remote = compileRemotes(action.remotes, known, name);
      const reply = action.reply && fill(action.reply);
      const settings = { ...settingsOf(action), tls, route };
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
