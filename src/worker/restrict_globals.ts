/**
 * What a router could do to more than itself, without any permission.
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
 * Takes away what ends the program, or the worker and with it the connections
 * of others. To be called before there is a router.
 */
export function restrictGlobals(): void {
  const scope = self as unknown as WorkerScope;
  const exit = Deno.exit = forbidden("end the program");
  const kill = Deno.kill = forbidden("send signals");
  scope.close = forbidden("end its worker");
  scope.postMessage = forbidden("speak for its worker");
  // signals to one's own process need no permission; `_kill` is what a `kill`
  // that was imported by its name calls
  Object.assign(process, { abort: exit, exit, kill, _kill: kill });
  // another thread would have all this again. Who has a class cannot be kept
  // from it, but its constructor calls the one above it
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
