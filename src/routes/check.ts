/**
 * The rules of a route table that concern more than one key. For the main
 * thread only.
 *
 * @module
 */
import { Broken } from "../lib/broken.ts";
import { formatAddress, isUnix, parseRemote } from "../net/address.ts";
import { SETTINGS } from "../decision/keys.ts";
import { parseListen } from "../options/listen.ts";
import { checkPools } from "./check_pools.ts";
import { checkTables } from "./check_tables.ts";
import { isMapping, type Rough } from "./unchecked.ts";
import type { Path, Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";
import { MATCH, type Match } from "./matchers/match.ts";
import {
  checkVariables,
  type Mentions,
  mentions,
  parseTemplate,
} from "./template.ts";

/**
 * Finds what breaks the rules between keys, in a table that may have other
 * mistakes: those are not named again.
 *
 * @param isSound Tells whether the schema has found nothing at or below a path.
 */
export function checkTable(
  root: unknown,
  isSound: (path: Path) => boolean,
): Problem[] {
  if (!isMapping(root)) return [];
  const problems: Problem[] = [];
  const { routes, router, default: otherwise } = root;
  if ([routes, router, otherwise].every((value) => value === undefined)) {
    problems.push({ path: ["routes"], rule: "is needed", value: undefined });
  }
  if (router !== undefined && otherwise !== undefined) {
    const rule = "cannot stand beside router, which serves the rest";
    problems.push({ path: ["default"], rule, value: otherwise });
  }
  if (isMapping(otherwise)) {
    problems.push(...checkAction(otherwise, ["default"], mentions(undefined)));
  }
  if (Array.isArray(routes)) {
    routes.forEach((route: unknown, index) => {
      if (!isMapping(route)) return;
      const path = ["routes", index];
      const known = isSound([...path, "match"])
        ? mentions(matchOf(route.match))
        : undefined;
      problems.push(...checkAction(route, path, known));
    });
  }
  problems.push(...checkPools(root, isSound));
  problems.push(...checkTables(root, isSound));
  if (isSound(["listen"])) problems.push(...checkListeners(root, isSound));
  return problems;
}

/** @param known What variables can be taken from; `undefined`: not known. */
function checkAction(
  action: Rough,
  path: Path,
  known: Mentions | undefined,
): Problem[] {
  const problems: Problem[] = [];
  const has = (key: string) => action[key] !== undefined;
  const connects = ["remote", "pool", "table"].some(has);
  const refuse = (key: string, rule: string) =>
    problems.push({ path: [...path, key], rule, value: action[key] });
  if (!connects && !has("close") && !has("reply")) {
    const rule =
      "must have one of remote, pool, table, close, or reply with consume";
    problems.push({ path, rule, value: undefined });
  }
  if (has("close")) {
    for (const key of ["remote", "pool", "table", "reply"]) {
      if (has(key)) refuse(key, "cannot stand beside close");
    }
  }
  if (has("reply") && !connects && !has("close") && !has("consume")) {
    refuse(
      "reply",
      "must stand beside remote, or beside consume to go on routing",
    );
  }
  if (has("consume") && (connects || has("close") || !has("reply"))) {
    refuse("consume", "must stand beside reply, without remote and close");
  }
  for (const key of [...SETTINGS, "tls"]) {
    if (has(key) && !connects) refuse(key, "must stand beside remote");
  }
  if (action.tls && [action.remote].flat().some((one) => isUnix(`${one}`))) {
    refuse("tls", "must stand beside a remote host:port");
  }
  if (has("pool") && has("remote")) {
    refuse("pool", "cannot stand beside remote");
  }
  for (const key of ["remote", "pool"]) {
    if (has("table") && has(key)) refuse(key, "cannot stand beside table");
  }
  for (const key of ["remote", "key", "reply", "close"]) {
    const value = action[key];
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
    texts.forEach((text, index) => {
      const rule = typeof text === "string"
        ? checkText(text, key === "remote", known)
        : undefined;
      if (rule === undefined) return;
      const at = Array.isArray(value) ? [key, index] : [key];
      problems.push({ path: [...path, ...at], rule, value: text });
    });
  }
  return problems;
}

/** Checks a text with variables; what the schema has refused counts as sound. */
function checkText(
  text: string,
  isRemote: boolean,
  known: Mentions | undefined,
): string | undefined {
  const template = parseTemplate(text);
  if (typeof template === "string") return undefined;
  const rule = known && checkVariables(template, known);
  return rule ?? (isRemote ? checkRemote(template) : undefined);
}

/** Tries a remote with a digit, which fits everywhere, for each variable. */
function checkRemote(
  template: Exclude<ReturnType<typeof parseTemplate>, string>,
): string | undefined {
  const [first] = template;
  // a header, or another text, may have host and port
  if (template.length === 1 && typeof first === "object") return undefined;
  const remote = parseRemote(
    template.map((part) => typeof part === "string" ? part : "1").join(""),
  );
  return typeof remote === "string" ? remote : undefined;
}

function checkListeners(
  root: Rough,
  isSound: (path: Path) => boolean,
): Problem[] {
  const { listen, routes } = root;
  if (listen === undefined) return [];
  const problems: Problem[] = [];
  const addresses = new Set<string>();
  const names = new Set<string>();
  const list: readonly unknown[] = Array.isArray(listen) ? listen : [listen];
  list.forEach((one, index) => {
    const { address, name } = describeListener(one);
    const path = Array.isArray(listen) ? ["listen", index] : ["listen"];
    // each gets another port then, so it needs no name
    const isAny = address.endsWith(":0") && !isUnix(address);
    if (addresses.has(address) && !isAny) {
      problems.push({ path, rule: "must not be listed twice", value: one });
    } else if (names.has(name) && !(isAny && !isNamed(one))) {
      const rule = "must have a name of its own";
      problems.push({ path, rule, value: name });
    }
    if (isMapping(one) && one.alpn !== undefined && one.tls === undefined) {
      const rule = "must stand beside tls";
      problems.push({ path: [...path, "alpn"], rule, value: one.alpn });
    }
    addresses.add(address);
    names.add(name);
  });
  if (!Array.isArray(routes)) return problems;
  routes.forEach((_, index) => {
    const path = ["routes", index, "match"];
    if (!isSound(path)) return;
    for (const name of listenerNames(matchOf(valueAt(root, path)))) {
      if (names.has(name)) continue;
      const rule = `must name one of the listeners ${[...names].join(", ")}`;
      problems.push({ path, rule, value: name });
    }
  });
  return problems;
}

function describeListener(input: unknown): { address: string; name: string } {
  if (isMapping(input)) {
    const { host = "0.0.0.0", port, path, name } = input;
    const address = path === undefined ? `${host}:${port}` : `unix:${path}`;
    return { address, name: typeof name === "string" ? name : address };
  }
  const parsed = parseListen(String(input));
  if (typeof parsed === "string") return { address: "", name: "" };
  return {
    address: "path" in parsed
      ? formatAddress(parsed)
      : `${parsed.hostname}:${parsed.port}`,
    name: parsed.name,
  };
}

/** Tells whether a listener has a name that is not its address. */
function isNamed(input: unknown): boolean {
  return isMapping(input) && input.name !== undefined;
}

/** The exact names of listeners that a match asks for. */
function listenerNames(match: Match): string[] {
  switch (match.kind) {
    case "all":
    case "any":
      return match.of.flatMap(listenerNames);
    case "not":
      return listenerNames(match.of);
    case "listener":
      return match.patterns.flatMap((one) =>
        one.kind === "exact" ? [one.text] : []
      );
    default:
      return [];
  }
}

/** Reads a match in which the schema has found nothing. */
function matchOf(value: unknown): Match {
  const match = MATCH.read(value);
  if (match instanceof Broken) throw new TypeError(match.rule);
  return match;
}
