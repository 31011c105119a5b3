/**
 * One connection, from accept to its end.
 *
 * It is admitted (`admission.ts`), which most need not be. Then what the client
 * sends is read, and the router asked about it (`preread.ts`, `hooks.ts`), until
 * that decides. Then the remote is connected to (`remote.ts`), and bytes are
 * pumped both ways (`pump.ts`) until both sides have ended (`half_close.ts`); or
 * the client gets its last bytes (`drain.ts`). Each stage returns what is next,
 * or leaves it in `connection.stage`; none calls the next, except that
 * `remote.ts` has all that concerns the remote.
 *
 *     accept → admit → preread → decide ─┬→ connect → pump ─┬→ end
 *                                        └→ drain ──────────┘
 *
 * Two coroutines serve it. One reads all that the client ever sends: first for
 * the router, later for the remote. The other one is started by the decision: it
 * connects to the remote and reads all that it sends. So nothing is ever raced
 * or cancelled to switch from one stage to the next, and a read of the client
 * that is pending when the decision comes is the first read of the pump.
 *
 * @module
 */
import { isPromise } from "../lib/is_promise.ts";
import type { ListenOptions } from "../net/listen.ts";
import { admit, needsAdmission } from "./admission.ts";
import { Connection, type Context } from "./connection.ts";
import { close } from "./drain.ts";
import { askEnded, askTimeout } from "./hooks.ts";
import {
  type Ahead,
  ask,
  checkLength,
  type Decision,
  readAhead,
  received,
  timedOut,
} from "./preread.ts";
import { pumpUpstream } from "./pump.ts";
import { serveRemote } from "./remote.ts";

const NOTHING = new Uint8Array(0);

/**
 * Serves one connection to its end. Never throws.
 *
 * @param conn The accepted socket; it is closed with the connection.
 */
export function serve(
  context: Context,
  conn: Deno.TcpConn | Deno.UnixConn,
  listener: ListenOptions,
): void {
  const id = context.gauges.opened();
  const connection = new Connection(context, conn, id, listener);
  context.connections.add(connection);
  context.settling.expect();
  if (context.log.verbose) {
    context.log.debug("{client} is accepted", connection.who);
  }
  void serveClient(connection);
}

/**
 * The client's coroutine: asks the router until it has decided, then hands over
 * to the pump from the client to the remote.
 */
async function serveClient(connection: Connection): Promise<void> {
  const { context: { options, router } } = connection;
  connection.begin();
  try {
    let begun = connection.started;
    if (options.maxDuration > 0) {
      connection.clocks.limitDuration(begun + options.maxDuration);
    }
    if (needsAdmission(connection)) {
      const admitted = await admit(connection);
      if (admitted === false) return;
      if (admitted !== true) {
        close(connection, admitted);
        void pumpUpstream(connection);
        return;
      }
      begun = performance.now();
    }
    connection.onStageTimeout = onPrereadTimeout;
    connection.clocks.start(options.prereadTimeout, begun);
    if (router.accept !== undefined) {
      decide(connection, await ask(connection, "accept"));
    }
    let ahead: Ahead | undefined;
    if (connection.length > 0 && connection.stage === "preread") {
      // these came along with what admission has read
      if (isNearlyFull(connection)) ahead = await readAhead(connection);
      decide(connection, await ask(connection, "route"));
      checkLength(connection);
    }
    while (connection.stage === "preread" || ahead !== undefined) {
      const space = ahead?.space ?? connection.freeSpace(options.maxPreread);
      let count;
      try {
        count = await (ahead?.reading ?? connection.client.read(space));
      } catch {
        return connection.end("client-reset");
      }
      if (connection.stage !== "preread") {
        // decided meanwhile, or the timeout hook was asked: these bytes are for
        // the remote
        void pumpUpstream(connection, space.subarray(0, count));
        return;
      }
      if (count === 0) return await clientEnded(connection);
      received(connection, ahead, count);
      ahead = count < space.length ? undefined : await readAhead(connection);
      const asked = ask(connection, "route");
      decide(connection, isPromise(asked) ? await asked : asked);
      checkLength(connection);
    }
    void pumpUpstream(connection);
  } catch (error) {
    connection.fail(error);
  } finally {
    connection.leave();
  }
}

/** Tells whether a read has perhaps filled the buffer, with a header before. */
function isNearlyFull({ buffer, length }: Connection): boolean {
  return buffer.length - length < 1024;
}

/** Does what the router has decided: the preread is over. */
function decide(connection: Connection, decision: Decision): void {
  if (decision === undefined || connection.stage !== "preread") return;
  connection.clocks.stop();
  connection.decided(decision.route);
  if (decision.kind === "close") return close(connection, decision);
  connection.enter("connect");
  connection.keepForReroute();
  void serveRemote(connection, decision);
}

/**
 * The client has ended its side, so no more bytes can come: the `timeout` hook,
 * or the default of a route table, may have a decision.
 */
async function clientEnded(connection: Connection): Promise<void> {
  const { router } = connection.context;
  // checks whether the port is open send nothing
  const isAsked = connection.received > 0 &&
    (router.ended ?? router.timeout) !== undefined;
  if (!isAsked) return connection.end("client-left");
  connection.clientEnded = true;
  connection.clocks.stop();
  connection.keepForReroute();
  connection.enter("connect");
  const decision = await askEnded(connection);
  if (decision === undefined) return connection.end("client-left");
  connection.decided(decision.route);
  if (decision.kind === "close") return close(connection, decision);
  void serveRemote(connection, decision);
  void pumpUpstream(connection, NOTHING);
}

/** There is no decision in time: the `timeout` hook may have one. */
function onPrereadTimeout(connection: Connection): void {
  if (connection.context.router.timeout === undefined) {
    return timedOut(connection);
  }
  // the read of the client stays pending
  connection.pinned = true;
  connection.keepForReroute();
  connection.enter("connect");
  connection.follow(decideLate(connection));
}

async function decideLate(connection: Connection): Promise<void> {
  const decision = await askTimeout(connection);
  if (decision === undefined) return connection.end("preread-timeout");
  connection.decided(decision.route);
  if (decision.kind === "close") return close(connection, decision);
  void serveRemote(connection, decision);
}
