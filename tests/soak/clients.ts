/**
 * The clients, in a process of their own.
 *
 * @module
 */
import { Resettable } from "../support/resettable.ts";
import { tell, untilStopped } from "./helper.ts";
import { BEHIND, ENCRYPTED, type Load, LOADS, type World } from "./loads.ts";

/** What the process is told. */
export interface ClientsTask {
  readonly port: number;
  /** Of the listener that expects a PROXY header. */
  readonly portBehind: number;
  /** Of the listener with TLS. */
  readonly portTls: number;
  /** The certificate, in PEM, that its own is verified by. */
  readonly ca: string;
}

/** What clients of one kind have done. */
export interface Done {
  readonly name: string;
  /** How many connections they have opened. */
  connections: number;
  /** How many of them have not got what they should. */
  failures: number;
  /** The first such errors. */
  readonly errors: string[];
}

/** What the process says before it ends. */
export interface Report {
  readonly type: "report";
  readonly done: readonly Done[];
}

const ERRORS = 3;

/** Keeps as many clients of a kind going as it says, until all has to end. */
async function run(
  load: Load,
  task: ClientsTask,
  stopping: AbortSignal,
): Promise<Done> {
  const done: Done = {
    name: load.name,
    connections: 0,
    failures: 0,
    errors: [],
  };
  const counted = async <Socket>(socket: Promise<Socket>): Promise<Socket> => {
    const connected = await socket;
    done.connections++;
    return connected;
  };
  const dial = (hostname: string, port: number) =>
    counted(Deno.connect({ hostname, port }));
  const world: World = {
    get stopping() {
      return stopping.aborted;
    },
    connect: () => dial("127.0.0.1", task.port),
    connectBehind: () => dial(BEHIND, task.portBehind),
    connectTls: () =>
      counted(Deno.connectTls({
        hostname: ENCRYPTED,
        port: task.portTls,
        caCerts: [task.ca],
      })),
    connectToTls: () => dial(ENCRYPTED, task.portTls),
    connectResettable: () => counted(Resettable.connect(task.port)),
    pause: (milliseconds) => pause(milliseconds, stopping),
  };
  const one = async (index: number) => {
    // not all at once
    await world.pause(index * 100);
    while (!stopping.aborted) {
      try {
        await load.be(world);
      } catch (error) {
        if (++done.failures <= ERRORS) done.errors.push(String(error));
      }
      await world.pause(load.pause);
    }
  };
  await Promise.all(Array.from({ length: load.clients }, (_, at) => one(at)));
  return done;
}

function pause(milliseconds: number, stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, milliseconds);
  stopping.addEventListener("abort", end);
  return promise.finally(() => {
    clearTimeout(timer);
    stopping.removeEventListener("abort", end);
  });
}

if (import.meta.main) {
  const task: ClientsTask = JSON.parse(Deno.args[0] ?? "");
  const stop = new AbortController();
  void untilStopped().then(() => stop.abort());
  const done = await Promise.all(
    LOADS.map((load) => run(load, task, stop.signal)),
  );
  tell({ type: "report", done } as Report);
}
