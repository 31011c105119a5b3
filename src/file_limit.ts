/**
 * How many file descriptors there are: the runtime does not tell, so they are
 * counted.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Descriptors to count, at most: with more, the limit is learnt when it is met. */
const ENOUGH = 4096;

/** Descriptors that are left to the program itself, and to the router. */
const SPARE = 16;

/**
 * Counts how many connections there are file descriptors for, before any is
 * served: opens a file that may be read, again and again, and closes it.
 *
 * @param router The router module, if it is a file: its folder may be read.
 * @returns The number of connections, two descriptors each; `undefined` if
 * there are very many, or if nothing may be opened.
 */
export function countConnections(router?: string): number | undefined {
  const path = [import.meta.url, router].find((url) =>
    url?.startsWith("file:")
  );
  if (path === undefined) return undefined;
  const folder = dirname(fileURLToPath(path));
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < ENOUGH) opened.push(Deno.openSync(folder));
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "EMFILE" && code !== "ENFILE") return undefined;
    return Math.max(1, Math.floor((opened.length - SPARE) / 2));
  } finally {
    for (const file of opened) file.close();
  }
}
