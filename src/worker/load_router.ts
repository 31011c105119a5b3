/**
 * Loading a router module.
 *
 * @module
 */
import { describe, oneLine, placeOf } from "../lib/errors.ts";
import type { Hook, RouteFunction, Router } from "../router/contract.ts";

/** Every hook that a router may have. */
export const HOOKS: readonly Hook[] = [
  "accept",
  "route",
  "timeout",
  "connectError",
  "inactivityError",
];

/** A router that cannot be used; the message is one line for the operator. */
export class RouterError extends Error {
  override readonly name = "RouterError";
}

/**
 * Imports a router module and checks what it exports.
 *
 * @param url The module, as a `file:` or `data:` URL.
 * @param name What the operator calls it, for messages.
 * @throws {RouterError} If the module cannot be loaded, or exports no router.
 */
export async function loadRouter(url: string, name: string): Promise<Router> {
  let module: Record<string, unknown>;
  try {
    module = await import(url);
  } catch (error) {
    throw new RouterError(
      `Cannot load the router ${name}: ${loadFailure(error, url)}`,
      { cause: error },
    );
  }
  return checkRouter(module.default, name);
}

/**
 * Checks the default export of a router module.
 *
 * @param name What the operator calls the module, for messages.
 * @throws {RouterError} If it is none; the message says which rule it breaks.
 */
export function checkRouter(value: unknown, name: string): Router {
  const routerError = (rule: string, current: unknown) =>
    new RouterError(
      `Cannot use the router ${name} as ${rule}: current value is ${
        describe(current)
      }`,
    );
  if (typeof value === "function") return { route: value as RouteFunction };
  if (typeof value !== "object" || value === null) {
    throw routerError(
      "its default export must be an object with hooks, or the route function",
      value,
    );
  }
  const router = value as Record<string, unknown>;
  for (const key of Object.keys(router)) {
    if (!(HOOKS as readonly string[]).includes(key)) {
      throw routerError(
        `"${key}" is not a hook (${HOOKS.join(", ")})`,
        router[key],
      );
    }
  }
  for (const hook of HOOKS) {
    if (router[hook] !== undefined && typeof router[hook] !== "function") {
      throw routerError(`its hook "${hook}" must be a function`, router[hook]);
    }
  }
  if (router.route === undefined && router.accept === undefined) {
    throw routerError(`it must have "route" or "accept"`, value);
  }
  return router as Router;
}

/** Writes why an import failed on one line, and what to do about it. */
function loadFailure(error: unknown, url: string): string {
  if (!(error instanceof Error)) return describe(error);
  const text = oneLine(error.message)
    .replace(/, run again with the --allow-[a-z]+ flag/, "")
    .replace(/, specify the required permissions during compilation.*`/, "");
  // an import that is refused is a TypeError with this text
  const refused = /^Requires \w+ access to /.test(text)
    ? "; a router is given its own folder only, grant more with this program's --allow-read, --allow-env, --allow-net or --allow-import"
    : "";
  const place = text.includes(oneLine(url)) || /:\d+:\d+$/.test(text)
    ? undefined
    : placeOf(error, url.startsWith("file:") ? new URL(".", url).href : "<");
  // the runtime's own words for an import that fails need no name before them
  const kind = refused !== "" || /^Module not found/.test(text)
    ? ""
    : `${error.name}: `;
  return `${kind}${text}${place === undefined ? "" : ` at ${place}`}${refused}`;
}
