/**
 * A worker that serves: its listeners, and all that their connections share.
 *
 * @module
 */
import { Acceptor } from "../connection/acceptor.ts";
import { Buffers } from "../connection/buffers.ts";
import type { Connection, Context } from "../connection/connection.ts";
import { Settling } from "../connection/keep_alive.ts";
import { Deadlines } from "../lib/deadlines.ts";
import { PlacedSet } from "../lib/placed_set.ts";
import { AddressLimits } from "../limits/address_limits.ts";
import { Descriptors } from "../limits/descriptors.ts";
import { accessLog, NO_ACCESS_LOG } from "../log/access_log.ts";
import type { Outbox } from "../log/outbox.ts";
import { listen } from "../net/listen.ts";
import { type Naming, useNaming } from "../net/connect_named.ts";
import { Destinations, useDestinations } from "../net/destinations.ts";
import type { Listening } from "../net/own_listeners.ts";
import type { SystemNames } from "../net/resolver_files.ts";
import { SlowRemotes } from "../net/slow_remotes.ts";
import { hasEngine } from "../net/tls_engine.ts";
import { startPools } from "../pool/router_pool.ts";
import { Notices } from "../redis/notices.ts";
import { noticeTables, startTables } from "../redis/registry.ts";
import type { Router } from "../router/contract.ts";
import { listConnections } from "../stats/connection_list.ts";
import { Gauges } from "../stats/gauges.ts";
import { type Reports, startReports } from "../stats/reports.ts";
import { Statistics } from "../stats/statistics.ts";
import { Share } from "../stats/worker_counts.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { mayResolve, WorkerNames } from "./names.ts";
import type {
  AbortReason,
  FromWorker,
  Question,
  QuestionReply,
  Serve,
} from "./messages.ts";

/** Serves connections, from the first until the last has ended. */
export class Serving {
  readonly #context: Context;
  readonly #acceptors: readonly Acceptor[];
  readonly #log: Outbox;
  readonly #names: WorkerNames | undefined;
  readonly #send: (message: FromWorker) => void;
  readonly #stopRequested = Promise.withResolvers<void>();
  readonly #stopChecks: () => void;
  readonly #reports: Reports | undefined;

  /**
   * Listens, and accepts from now on.
   *
   * @param defaultRoute The route of decisions that name none.
   * @param log Takes the lines for both logs.
   * @param send Takes messages to the main thread, `drained` as the last.
   * @throws {Error} If it cannot listen; it listens nowhere then.
   */
  constructor(
    router: Router,
    defaultRoute: string | undefined,
    message: Serve,
    log: Outbox,
    send: (message: FromWorker) => void,
  ) {
    this.#log = log;
    this.#send = send;
    const share = new Share(message.share);
    this.#names = mayResolve()
      ? new WorkerNames(
        message.names,
        (change) => send({ type: "name", ...change }),
        (event) => context.gauges.counters.add(event),
      )
      : undefined;
    const naming = this.#names?.naming;
    useNaming(naming);
    const context = makeContext(
      router,
      defaultRoute,
      message,
      share,
      log,
      send,
      naming,
    );
    this.#context = context;
    useDestinations(context.destinations);
    this.#acceptors = listenAll(context, message);
    this.#stopChecks = startPools(message.pools, log);
    noticeTables(new Notices(log, message.notices));
    startTables();
    void this.#run();
    if (message.heartbeat > 0) startHeartbeat(share, message.heartbeat);
    const { statistics } = context;
    this.#reports = statistics && startReports(statistics, send);
    send({ type: "serving" });
  }

  /** Stops accepting; connections that are open go on. */
  stop(): void {
    this.#stopChecks();
    for (const acceptor of this.#acceptors) acceptor.stop();
    this.#send({ type: "stopped" });
    this.#stopRequested.resolve();
  }

  /** Listeners of the program have been opened or closed. */
  relisten(listening: Listening): void {
    this.#context.destinations.own.set(listening);
  }

  /** The files of the system that say how names are looked up have changed. */
  rename(system: SystemNames): void {
    this.#names?.configure(system);
  }

  /** Closes all connections. */
  abort(reason: AbortReason): void {
    for (const connection of this.#context.connections) connection.end(reason);
  }

  /** Does what is asked, and says what has come of it. */
  async answer(question: Question): Promise<QuestionReply["answer"]> {
    const { connections } = this.#context;
    if (question.type === "list") {
      return await listConnections(connections, question.query);
    }
    for (const connection of connections) {
      if (connection.info.id !== question.id || connection.isClosed()) continue;
      connection.end("admin-close");
      return true;
    }
    return false;
  }

  /** Accepts until it is told to stop, then waits for the last connection. */
  async #run(): Promise<void> {
    // one that has only socket files of other workers has nothing to accept
    await Promise.all([
      this.#stopRequested.promise,
      ...this.#acceptors.map((acceptor) => acceptor.run()),
    ]);
    if (this.#context.connections.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#context.onIdle = resolve;
      await promise;
    }
    this.#reports?.end();
    this.#log.flush();
    this.#send({ type: "drained" });
  }
}

function makeContext(
  router: Router,
  defaultRoute: string | undefined,
  message: Serve,
  share: Share,
  log: Outbox,
  send: (message: FromWorker) => void,
  naming: Naming | undefined,
): Context {
  const gauges = new Gauges(message.gauges, share);
  const deadlines = new Deadlines();
  const connections = new PlacedSet<Connection>();
  return {
    router,
    options: message.connection,
    buffers: new Buffers(),
    deadlines,
    descriptors: new Descriptors(gauges, log),
    gauges,
    addresses: message.addresses && new AddressLimits(
      message.addresses.options,
      message.addresses,
      log,
      (name) => gauges.counters.add(name),
    ),
    log,
    statistics: message.statistics ? new Statistics(connections) : undefined,
    defaultRoute,
    accessLog: message.accessLog === undefined
      ? NO_ACCESS_LOG
      : accessLog(message.accessLog, (line) => log.access(line)),
    connections,
    settling: new Settling(connections, deadlines),
    slowRemotes: new SlowRemotes(),
    destinations: new Destinations(message.listening),
    naming,
    onFull: () => send({ type: "full" }),
    onIdle: undefined,
  };
}

/** Listens at all addresses, or at none. */
function listenAll(context: Context, message: Serve): Acceptor[] {
  // the first client need not wait until it is loaded
  if (message.listen.some(({ tls }) => tls !== undefined)) hasEngine();
  const acceptors: Acceptor[] = [];
  try {
    for (const options of message.listen) {
      acceptors.push(new Acceptor(context, listen(options), options));
    }
    return acceptors;
  } catch (error) {
    for (const acceptor of acceptors) acceptor.stop();
    throw error;
  }
}
