/**
 * One worker thread: it imports the router under restricted permissions, and
 * serves connections from the queue that all workers share.
 *
 * @module
 */
import { AddressLimits } from "../limits/address_limits.ts";
import { Buffers } from "../connection/buffers.ts";
import type { Connection, Context } from "../connection/connection.ts";
import { Deadlines } from "../lib/deadlines.ts";
import { Descriptors } from "../limits/descriptors.ts";
import { type CompiledTable, compileTable } from "../routes/compile.ts";
import { DEFAULT_ROUTE } from "../routes/route_table.ts";
import { PlacedSet } from "../lib/placed_set.ts";
import { Acceptor } from "../connection/acceptor.ts";
import { listen } from "../net/listen.ts";
import { hasEngine } from "../net/tls_engine.ts";
import { Settling } from "../connection/keep_alive.ts";
import { SlowRemotes } from "../net/slow_remotes.ts";
import type {
  FromWorker,
  Hello,
  Load,
  Question,
  Serve,
  ToWorker,
} from "./messages.ts";
import { accessLog, NO_ACCESS_LOG } from "../log/access_log.ts";
import { listConnections } from "../stats/connection_list.ts";
import { Gauges } from "../stats/gauges.ts";
import { Outbox } from "../log/outbox.ts";
import { type Reports, startReports } from "../stats/reports.ts";
import { Share } from "../stats/worker_counts.ts";
import { Statistics } from "../stats/statistics.ts";
import { sealPools, startPools } from "../pool/router_pool.ts";
import type { Router } from "../router/contract.ts";
import { dryRun } from "./dry_run.ts";
import { describeError, messageOf } from "../lib/errors.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { confineImports, reportImports } from "./import_hooks.ts";
import { HOOKS, loadRouter } from "./load_router.ts";
import { restrictGlobals } from "./restrict_globals.ts";
import { Notices } from "../redis/notices.ts";
import { noticeTables, startTables } from "../redis/registry.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  addEventListener(
    type: "message" | "error" | "unhandledrejection",
    listener: (event: never) => void,
    options?: { once: boolean },
  ): void;
}

const scope = self as unknown as WorkerScope;
let post: (message: unknown) => void = () => {};
const send = (message: FromWorker): void => post(message);

restrictGlobals();

let router: Router | undefined;
let table: CompiledTable | undefined;
let acceptors: readonly Acceptor[] = [];
/** Ends a worker that serves, once its connections have ended. */
let stopRequested: (() => void) | undefined;
let context: Context | undefined;
let reports: Reports | undefined;
let stopChecks = (): void => {};
let outbox = new Outbox(send, "info");
noticeTables(new Notices(outbox, undefined));
/** The URLs of the files that were imported, if anyone wants to know. */
let imports: ReadonlySet<string> = new Set();

// comes before the router, which so can neither hear nor imitate what follows
scope.addEventListener("message", (event: MessageEvent<Hello>) => {
  const { port } = event.data;
  // kept from a router that would replace them
  post = port.postMessage.bind(port);
  port.dispatchEvent = port.dispatchEvent.bind(port);
  port.addEventListener("message", ({ data }) => receive(data as ToWorker));
  port.start();
}, { once: true });

function receive(message: ToWorker): void {
  switch (message.type) {
    case "load":
      return void load(message);
    case "serve":
      return serve(message);
    case "dry-run":
      return void dryRun(router as Router, table, message, send);
    case "stop":
      stopChecks();
      return stop();
    case "abort":
      for (const connection of context?.connections ?? []) {
        connection.end(message.reason);
      }
      return;
    case "list":
    case "close":
      return void answer(message);
  }
}

// a mistake of the router outside its hooks must not end the thread
scope.addEventListener("error", (event: ErrorEvent) => {
  event.preventDefault();
  outbox.error(
    `The router threw outside its hooks: ${describeError(event.error)}`,
  );
});
scope.addEventListener("unhandledrejection", (event: PromiseRejectionEvent) => {
  event.preventDefault();
  outbox.error(
    `The router left a rejected promise: ${describeError(event.reason)}`,
  );
});

async function answer(question: Question): Promise<void> {
  const { request, type } = question;
  const connections = context?.connections ?? new PlacedSet<Connection>();
  if (type === "list") {
    const list = await listConnections(connections, question.query);
    return send({ type: "answer", request, answer: list });
  }
  for (const connection of connections) {
    if (connection.info.id !== question.id || connection.isClosed()) continue;
    connection.end("admin-close");
    return send({ type: "answer", request, answer: true });
  }
  send({ type: "answer", request, answer: false });
}

async function load(message: Load): Promise<void> {
  const { url, name, table: plan } = message.router;
  const granted = message.mayRead;
  let readable = [...granted ?? [], ...message.revokeRead];
  if (Deno.build.standalone && granted !== undefined) {
    confineImports(() => readable);
  }
  if (message.reportImports) imports = reportImports();
  try {
    const module = url === undefined ? undefined : await loadRouter(url, name);
    if (plan !== undefined) table = compileTable(plan, module);
    router = table?.router ?? module;
    for (const path of message.revokeRead) {
      await Deno.permissions.revoke({ name: "read", path });
    }
    readable = [...granted ?? []];
    send({
      type: "loaded",
      hooks: HOOKS.filter((hook) => router?.[hook] !== undefined),
      imports: [...imports],
      pools: sealPools(),
    });
  } catch (error) {
    fail(error);
  }
}

function serve(message: Serve): void {
  outbox = new Outbox(send, message.logLevel);
  const share = new Share(message.share);
  const gauges = new Gauges(message.gauges, share);
  const deadlines = new Deadlines();
  const connections = new PlacedSet<Connection>();
  const statistics = message.statistics
    ? new Statistics(connections)
    : undefined;
  context = {
    router: router as Router,
    options: message.connection,
    buffers: new Buffers(),
    deadlines,
    descriptors: new Descriptors(gauges, outbox),
    gauges,
    addresses: message.addresses && new AddressLimits(
      message.addresses.options,
      message.addresses,
      outbox,
      (name) => gauges.counters.add(name),
    ),
    log: outbox,
    statistics,
    defaultRoute: table && DEFAULT_ROUTE,
    accessLog: message.accessLog === undefined
      ? NO_ACCESS_LOG
      : accessLog(message.accessLog, (line) => outbox.access(line)),
    connections,
    settling: new Settling(connections, deadlines),
    slowRemotes: new SlowRemotes(),
    onFull: () => send({ type: "full" }),
    onIdle: undefined,
  };
  const listening: Acceptor[] = [];
  // the first client need not wait until it is loaded
  if (message.listen.some(({ tls }) => tls !== undefined)) hasEngine();
  try {
    for (const options of message.listen) {
      listening.push(
        new Acceptor(context, listen(options), options),
      );
    }
  } catch (error) {
    for (const acceptor of listening) acceptor.stop();
    return fail(error);
  }
  acceptors = listening;
  stopChecks = startPools(message.pools, outbox);
  noticeTables(new Notices(outbox, message.notices));
  startTables();
  const { promise, resolve } = Promise.withResolvers<void>();
  stopRequested = resolve;
  void untilDrained(context, listening, promise);
  if (message.heartbeat > 0) startHeartbeat(share, message.heartbeat);
  if (statistics !== undefined) reports = startReports(statistics, send);
  send({ type: "serving" });
}

/** Stops accepting; a worker that could not even listen has drained. */
function stop(): void {
  for (const acceptor of acceptors) acceptor.stop();
  send({ type: "stopped" });
  if (stopRequested === undefined) send({ type: "drained" });
  else stopRequested();
}

/** Accepts until it is told to stop, then waits for the last connection. */
async function untilDrained(
  context: Context,
  acceptors: readonly Acceptor[],
  stopRequested: Promise<void>,
): Promise<void> {
  // one that has only socket files of other workers has nothing to accept
  await Promise.all([
    stopRequested,
    ...acceptors.map((acceptor) => acceptor.run()),
  ]);
  if (context.connections.size > 0) {
    const { promise, resolve } = Promise.withResolvers<void>();
    context.onIdle = resolve;
    await promise;
  }
  reports?.end();
  outbox.flush();
  send({ type: "drained" });
}

function fail(error: unknown): void {
  outbox.flush();
  send({
    type: "failed",
    message: messageOf(error),
    imports: [...imports],
  });
}
