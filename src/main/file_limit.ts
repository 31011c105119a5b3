/**
 * Counts how many file descriptors there are, as the runtime does not tell.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Descriptors to count at a time, at least. Each takes 5 µs, so more are counted
 * only when connections need them, which most programs never do.
 */
const ENOUGH = 4096;

/** Descriptors that are left for the program itself and for the router. */
const SPARE = 16;

/** The share of the descriptors that may be reserved for something else. */
const SHARE = 1 / 4;

/** How many connections there are file descriptors for. */
export interface Room {
  /** Connections, two descriptors each: there is room for as many at least. */
  readonly connections: number;
  /** There is room for no more. */
  readonly isAll: boolean;
}

/**
 * Counts how many connections there are file descriptors for: opens a file that
 * may be read, again and again, and closes it. Counts so many that there is room
 * for twice the connections that are open, whether they have a remote or not: so
 * the room grows each time until it is all.
 *
 * @param open Connections that are open.
 * @param connected How many of them have a remote.
 * @param reserved How many are for something else; it gets no more than a
 * quarter of them.
 * @param router The router module, if it is a file: its folder may be read.
 * @returns The room; `undefined` if nothing may be opened.
 */
export function countConnections(
  open: number,
  connected: number,
  reserved: number,
  router?: string,
): Room | undefined {
  const path = findPath(router);
  if (path === undefined) return undefined;
  const inUse = open + connected;
  const wanted = 4 * open + reserved + SPARE;
  const enough = Math.max(ENOUGH, wanted - inUse);
  const opened: Deno.FsFile[] = [];
  let isAll = false;
  try {
    while (opened.length < enough) opened.push(Deno.openSync(path));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "EMFILE" && code !== "ENFILE") return undefined;
    isAll = true;
  } finally {
    for (const file of opened) file.close();
  }
  const there = inUse + opened.length - SPARE;
  const descriptors = there - Math.min(reserved, Math.floor(there * SHARE));
  return { connections: Math.max(1, Math.floor(descriptors / 2)), isAll };
}

/** Finds what may be read, whatever the permissions. */
function findPath(router: string | undefined): string | undefined {
  // the folders of an executable are in its memory; it may read all
  if (Deno.build.standalone) return "/dev/null";
  const url = [import.meta.url, router].find((url) => url?.startsWith("file:"));
  return url === undefined ? undefined : dirname(fileURLToPath(url));
}
