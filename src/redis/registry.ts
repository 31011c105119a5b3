/**
 * The tables that the router of this worker has made.
 *
 * @module
 */
import { makeLog, render } from "../log/log.ts";
import { MadeTable } from "./cached_table.ts";
import { MAX_TABLES, Notices } from "./notices.ts";
import { planTable, TableError } from "./checked_options.ts";

/** By number; one that was closed leaves its number to another. */
const tables = new Map<number, MadeTable>();
let serving = false;

// of a router that is not loaded by the program, but by a test of its own
let notices = new Notices(
  makeLog("info", (line) => console[line.level](render(line))),
  undefined,
);

/**
 * Makes a table.
 *
 * @throws {TableError} If it cannot be made, or there are too many.
 */
export function makeTable(options: unknown): MadeTable {
  const plan = planTable(options);
  let number = 0;
  while (tables.has(number)) number++;
  if (number === MAX_TABLES) {
    throw new TableError(
      `Cannot make a table as there must be at most ${MAX_TABLES}: make them outside the hooks`,
    );
  }
  const table = new MadeTable(
    plan,
    number,
    () => notices,
    () => tables.delete(number),
  );
  tables.set(number, table);
  if (serving) table.start();
  return table;
}

/**
 * Says where lines about tables go from now on.
 *
 * @param next The log, and what the workers share.
 */
export function noticeTables(next: Notices): void {
  notices = next;
}

/** Connects all tables, before the first client needs them. */
export function startTables(): void {
  serving = true;
  for (const table of tables.values()) table.start();
}
