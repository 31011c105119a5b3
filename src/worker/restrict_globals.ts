/**
 * Keeps a router from ending or stopping more than its own work, for which the
 * runtime asks for no permission.
 *
 * @module
 */
import process from "node:process";
import { Worker as NodeWorker } from "node:worker_threads";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  Worker: typeof Worker;
  close(): void;
  postMessage(message: unknown): void;
}

/**
 * Replaces the functions that end the program, or the worker with the connections
 * of others, by functions that throw. To be called before a router is loaded.
 */
export function restrictGlobals(): void {
  const scope = self as unknown as WorkerScope;
  const exit = Deno.exit = forbidden("end the program");
  const kill = Deno.kill = forbidden("send signals");
  scope.close = forbidden("end its worker");
  scope.postMessage = forbidden("speak for its worker");
  // a signal to the own process needs no permission; `kill` that was imported
  // by its name calls `_kill`
  Object.assign(process, { abort: exit, exit, kill, _kill: kill });
  // a new thread would have all these functions. Others may have the class
  // already, but its constructor calls that of its prototype
  for (const thread of [scope.Worker, NodeWorker]) {
    Object.setPrototypeOf(thread, NoThread);
    Object.preventExtensions(thread);
  }
}

class NoThread {
  constructor() {
    forbidden("start threads")();
  }
}

function forbidden(what: string): () => never {
  return () => {
    throw new Error(`a router cannot ${what}`);
  };
}
