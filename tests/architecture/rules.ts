/**
 * The rules of the layout: which way imports go, and how long things may be.
 * Each rule says what breaks it, a line for each.
 *
 * @module
 */
import { posix } from "node:path";
import type { Modules } from "./modules.ts";

/**
 * The rooms of `src`, from the lowest level to the highest. A room imports only
 * from levels below its own, and from itself.
 */
export const LEVELS: readonly (readonly string[])[] = [
  ["lib", "router", "protocols"],
  ["net"],
  ["log", "stats"],
  ["pool", "limits"],
  ["options", "decision", "redis"],
  ["routes", "connection"],
  ["config", "cli"],
  ["admin", "worker"],
  ["main"],
  ["main.ts"],
];

/** Lines of a function, at most. */
export const LONGEST_FUNCTION = 70;

/** Lines of a module, at most. */
export const LONGEST_MODULE = 400;

/** What modules or folders import, by their names. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds circles of files.
 *
 * @returns Such as `circle of files: a.ts → b.ts → a.ts`.
 */
export function findFileCircles(modules: Modules): string[] {
  const graph = new Map(
    [...modules].map(([path, { imports }]) => [path, new Set(imports)]),
  );
  return findCircles(graph)
    .map((chain) => `circle of files: ${chain.join(" → ")}`);
}

/**
 * Finds circles of folders. What a face imports is no import of its folder, as
 * a face belongs to those who import the program.
 *
 * @returns Each with the file that makes each of its steps.
 */
export function findFolderCircles(modules: Modules): string[] {
  const graph = new Map<string, Set<string>>();
  const examples = new Map<string, string>();
  for (const [path, { imports }] of modules) {
    if (isFace(path)) continue;
    const from = posix.dirname(path);
    const edges = graph.get(from) ?? new Set();
    graph.set(from, edges);
    for (const target of imports) {
      const to = posix.dirname(target);
      if (to === from || isFace(target)) continue;
      edges.add(to);
      examples.set(`${from} ${to}`, `${path} imports ${target}`);
    }
  }
  return findCircles(graph).map((chain) => {
    const steps = chain.slice(1)
      .map((to, index) => examples.get(`${chain[index]} ${to}`));
    return `circle of folders: ${chain.join(" → ")} (${steps.join(", ")})`;
  });
}

/** Finds imports of a level that is not below the importing one. */
export function findUpwardImports(modules: Modules): string[] {
  return listImports(modules).flatMap(([path, target]) => {
    if (isFace(path) || isFace(target)) return [];
    const from = roomOf(path);
    const to = roomOf(target);
    if (from === to) return [];
    const way = levelOf(to) - levelOf(from);
    if (Number.isNaN(way)) {
      return [`room without a level: ${path} imports ${target}`];
    }
    if (way < 0) return [];
    return [`import ${way > 0 ? "upwards" : "sideways"}: ${path} → ${target}`];
  });
}

/** Finds imports of a face by a module that is none. */
export function findFaceImports(modules: Modules): string[] {
  return listImports(modules)
    .filter(([path, target]) => isFace(target) && !isFace(path))
    .map(([path, target]) => `import of a face: ${path} → ${target}`);
}

/** Finds functions and modules that are too long. */
export function findLong(modules: Modules): string[] {
  return [...modules].flatMap(([path, { lines, functions }]) => [
    ...lines > LONGEST_MODULE
      ? [`long module: ${path} has ${lines} lines`]
      : [],
    ...functions.filter(({ lines }) => lines > LONGEST_FUNCTION)
      .map(({ name, line, lines }) =>
        `long function: ${name} in ${path}:${line} has ${lines} lines`
      ),
  ]);
}

/** What is imported from outside, and not by the rooms themselves. */
function isFace(path: string): boolean {
  return path.endsWith("/mod.ts") || path.startsWith("src/testing/");
}

/** The folder in `src` that a module is in; `main.ts` is a room of its own. */
function roomOf(path: string): string {
  const [top = "", room = "", ...rest] = path.split("/");
  return rest.length > 0 ? room : room || top;
}

/** The level of a room; not a number if it has none. */
function levelOf(room: string): number {
  const level = LEVELS.findIndex((rooms) => rooms.includes(room));
  return level < 0 ? NaN : level;
}

function listImports(modules: Modules): [path: string, target: string][] {
  return [...modules].flatMap(([path, { imports }]) =>
    imports.map((target): [string, string] => [path, target])
  );
}

/**
 * Finds the shortest circle through each node that is in one, leaving out those
 * that another circle has shown.
 *
 * @returns Each begins and ends with the same node.
 */
function findCircles(graph: Graph): string[][] {
  const circles: string[][] = [];
  const shown = new Set<string>();
  for (const node of [...graph.keys()].sort()) {
    if (shown.has(node)) continue;
    const circle = shortestCircle(graph, node);
    if (circle === undefined) continue;
    circles.push(circle);
    for (const one of circle) shown.add(one);
  }
  return circles;
}

function shortestCircle(graph: Graph, start: string): string[] | undefined {
  const chains = [[start]];
  const seen = new Set<string>();
  for (const chain of chains) {
    for (const next of graph.get(chain.at(-1) ?? "") ?? []) {
      if (next === start) return [...chain, start];
      if (seen.has(next)) continue;
      seen.add(next);
      chains.push([...chain, next]);
    }
  }
  return undefined;
}
