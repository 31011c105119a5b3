/**
 * One try to connect to a remote, the next of those that there are.
 *
 * @module
 */
import { writeAll } from "../lib/write_all.ts";
import { type HostPort, isIp } from "../net/address.ts";
import type { Candidates } from "../net/candidates.ts";
import { connectUntil } from "../net/connect_until.ts";
import type { Connection } from "./connection.ts";
import type { Connect } from "../decision/decision.ts";
import { dialName, timedOut } from "./dial_name.ts";
import { proxyHeader } from "../net/proxy_header.ts";
import { setOptions, type Socket, takeSocket } from "../net/socket.ts";
import type { Target } from "../net/remote.ts";
import { startTls, type TlsToRemote } from "../net/tls_client.ts";

/** A connected remote: a socket, or what `takeSocket` makes one of. */
export type Dialed = Deno.TcpConn | Deno.UnixConn | Socket;

/**
 * Tries the next remote.
 *
 * @param announce Is told which one that is.
 * @returns What `dial` does; `undefined` if there is no remote left.
 */
export function dialNext(
  connection: Connection,
  verdict: Connect,
  candidates: Candidates,
  announce?: (next: Target) => void,
): Promise<Dialed> | undefined {
  const target = candidates.next();
  if (target === undefined) return undefined;
  announce?.(target);
  connection.remote = target.remote;
  return dial(connection, target, verdict);
}

/**
 * Takes a connected remote; if the connection has ended meanwhile, closes it and
 * returns `undefined`.
 *
 * @throws {Error} If it leads to this program itself; it is closed then.
 */
export function take(
  connection: Connection,
  candidates: Candidates,
  dialed: Dialed,
): Socket | undefined {
  connection.dialing = undefined;
  let socket;
  if ("settle" in dialed) {
    socket = dialed;
  } else {
    if (!isUnix(dialed)) {
      connection.context.destinations.checkConnected(dialed);
    }
    socket = takeSocket(dialed);
  }
  if (connection.isClosed()) {
    socket.close();
    candidates.returned();
    return undefined;
  }
  connection.lease = candidates.connected();
  return socket;
}

function isUnix(conn: Deno.TcpConn | Deno.UnixConn): conn is Deno.UnixConn {
  return conn.remoteAddr.transport === "unix";
}

/** Says that there is no remote to try. */
export function noneLeft(
  { context: { log }, who }: Connection,
  { pool }: Connect,
): Error {
  const name = String(pool?.pool.name);
  log.error(
    "Cannot connect as all members of the pool {pool} are drained (client {client})",
    { ...who, pool: name },
  );
  return new Error(`all members of the pool ${name} are drained`);
}

/**
 * Connects to a remote once. If the remote is to get a PROXY header, that is
 * left in `connection.preamble`, so that it is sent together with the first
 * bytes of the client; it is sent here if the remote is to speak TLS after it.
 *
 * @param connection Aborts the try when it ends, if the try has a time limit.
 * @param verdict Says how long the try may take.
 * @returns What the caller closes.
 * @throws {Error} If it cannot be connected to.
 */
function dial(
  connection: Connection,
  { address }: Target,
  { connectTimeout: own, proxyProtocol, tls }: Connect,
): Promise<Dialed> {
  const connectTimeout = own ??
    (connection.context.options.connectTimeout || undefined);
  const { remoteAddr, localAddr } = connection.info;
  connection.preamble = proxyProtocol === undefined
    ? undefined // nor that of a remote which was tried before
    : proxyHeader(proxyProtocol, remoteAddr, localAddr);
  if ("path" in address) {
    return connection.context.destinations.connectPath(address);
  }
  if (tls !== undefined) {
    return dialTls(connection, address, connectTimeout, tls);
  }
  return dialTcp(connection, address, connectTimeout);
}

/** Connects by TCP; a name is looked up first. */
function dialTcp(
  connection: Connection,
  remote: HostPort,
  connectTimeout: number | undefined,
): Promise<Deno.TcpConn> {
  const { naming } = connection.context;
  if (naming === undefined || isIp(remote.hostname)) {
    return dialAddress(connection, remote, connectTimeout);
  }
  return dialName(
    connection,
    naming,
    remote,
    connectTimeout,
    (address) => dialAddress(connection, address, connectTimeout),
  );
}

/**
 * A try without a time limit has no timer, and no signal; except to a remote
 * that was slow before, so that the try can be ended when the client leaves.
 */
function dialAddress(
  connection: Connection,
  address: HostPort,
  connectTimeout: number | undefined,
): Promise<Deno.TcpConn> {
  connection.context.destinations.check(address);
  if (connectTimeout !== undefined) {
    return connectInTime(connection, address, connectTimeout);
  }
  if (connection.context.slowRemotes.has(address)) {
    return connectWhileWanted(connection, address);
  }
  connection.dialing = address;
  return Deno.connect(address);
}

/** Connects until the connection ends; has a signal for that. */
async function connectWhileWanted(
  connection: Connection,
  address: HostPort,
): Promise<Deno.TcpConn> {
  const conn = await connectInTime(connection, address, undefined);
  connection.context.slowRemotes.delete(address);
  return conn;
}

/** The time limit is that of connecting and the handshake together. */
async function dialTls(
  connection: Connection,
  address: HostPort,
  connectTimeout: number | undefined,
  tls: TlsToRemote,
): Promise<Socket> {
  const started = performance.now();
  const conn = await dialTcp(connection, address, connectTimeout);
  connection.dialing = undefined;
  connection.context.destinations.checkConnected(conn);
  setOptions(conn);
  const { preamble } = connection;
  if (preamble !== undefined) {
    // not encrypted, before the handshake; a new connection takes it at once
    await writePreamble(conn, preamble);
    connection.preamble = undefined;
  }
  return await startTls(
    connection,
    conn,
    address.hostname,
    tls,
    started,
    connectTimeout,
  );
}

async function writePreamble(
  conn: Deno.TcpConn,
  bytes: Uint8Array,
): Promise<void> {
  try {
    await writeAll(conn, bytes);
  } catch (error) {
    conn.close();
    throw error;
  }
}

async function connectInTime(
  connection: Connection,
  address: HostPort,
  milliseconds: number | undefined,
): Promise<Deno.TcpConn> {
  const controller = connection.connecting = new AbortController();
  const { signal } = controller;
  const timer = milliseconds && setTimeout(
    () => controller.abort(timedOut(address, milliseconds)),
    milliseconds,
  );
  try {
    return await connectUntil(address, signal);
  } finally {
    clearTimeout(timer);
    connection.connecting = undefined;
  }
}
