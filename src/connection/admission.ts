/**
 * The stage before the preread, for listeners that need it: first the header in
 * which a load balancer says who the client is, then the limits of the client's
 * address, then the handshake of TLS.
 *
 * @module
 */
import type { Close } from "../decision/decision.ts";
import { acceptProxyHeader } from "./accept_proxy_header.ts";
import { acceptTls } from "./accept_tls.ts";
import type { Connection } from "./connection.ts";

/**
 * Tells whether a connection has to be admitted. Those of an ordinary listener
 * need not: this check is all that admission costs them.
 */
export function needsAdmission(connection: Connection): boolean {
  const { context, listener } = connection;
  return listener.acceptProxy !== undefined || listener.tls !== undefined ||
    context.addresses !== undefined;
}

/**
 * Admits a connection, or ends it. Afterwards its client's addresses are known,
 * and what the client has sent along is in its buffer.
 *
 * @returns Whether it was admitted; `false` if it has ended. Or the last bytes
 * for the client, after which it is to be closed.
 */
export async function admit(
  connection: Connection,
): Promise<boolean | Close> {
  connection.stage = "admit";
  const { acceptProxy, tls } = connection.listener;
  if (acceptProxy !== undefined) {
    if (!await acceptProxyHeader(connection)) return false;
  }
  if (!isWithinLimits(connection)) return false;
  if (tls !== undefined) {
    const accepted = await acceptTls(connection, tls);
    if (accepted !== true) return accepted;
  }
  connection.clocks.stop();
  connection.stage = "preread";
  return true;
}

/** Counts the connection for its client's address; ends it if that is refused. */
function isWithinLimits(connection: Connection): boolean {
  const { context: { addresses }, info: { remoteAddr } } = connection;
  // clients of a socket file have no address
  if (addresses === undefined || remoteAddr.transport === "unix") return true;
  const place = addresses.enter(remoteAddr.hostname);
  if (typeof place === "string") {
    connection.end(place);
    return false;
  }
  connection.addressPlace = place;
  return true;
}
