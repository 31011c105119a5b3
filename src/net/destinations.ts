/**
 * Where this program does not connect to, whoever says so: its own listeners,
 * and a socket that is both ends of one connection.
 *
 * @module
 */
import { formatAddress, type HostPort, type SocketPath } from "./address.ts";
import { type Listening, OwnListeners } from "./own_listeners.ts";

/** A remote that is not connected to; to try it again would be in vain. */
export class RefusedRemote extends Error {
  override readonly name = "RefusedRemote";
  /** What to count it as. */
  readonly counter: "loops-refused" = "loops-refused";
}

/** Connections that a thread makes are checked by this, before and after. */
export class Destinations {
  readonly own: OwnListeners;

  constructor(listening?: Listening) {
    this.own = new OwnListeners(listening);
  }

  /**
   * Looks at an address before it is connected to.
   *
   * @param address An IP address, or a socket file; names pass.
   * @throws {RefusedRemote} If it must not be connected to.
   */
  check(address: HostPort | SocketPath): void {
    const isOwn = "path" in address
      ? this.own.hasPath(address.path)
      : this.own.has(address.hostname, address.port);
    if (isOwn) throw loop(address);
  }

  /**
   * Looks at a connection before anything is sent.
   *
   * @param conn Closed if it throws.
   * @throws {RefusedRemote} If it leads to this program itself.
   * @throws {Deno.errors.ConnectionRefused} If it is connected to itself.
   */
  checkConnected(conn: Deno.TcpConn): void {
    const { localAddr, remoteAddr } = conn;
    let error;
    if (
      localAddr.port === remoteAddr.port &&
      localAddr.hostname === remoteAddr.hostname
    ) error = connectedToItself(remoteAddr);
    else if (this.own.isReached(localAddr, remoteAddr)) {
      error = loop(remoteAddr);
    } else return;
    conn.close();
    throw error;
  }

  /**
   * Connects to a socket file, which succeeds or fails at once.
   *
   * @returns The connection, which the caller closes.
   * @throws {RefusedRemote} If it is one of this program, by whatever path.
   */
  async connectPath(address: SocketPath): Promise<Deno.UnixConn> {
    this.check(address);
    const { path } = address;
    const conn = await Deno.connect({ transport: "unix", path });
    const peer = conn.remoteAddr as { readonly path?: string | null };
    if (!this.own.isPathReached(path, peer.path)) return conn;
    conn.close();
    throw loop(address);
  }
}

function loop(address: HostPort | SocketPath): RefusedRemote {
  return new RefusedRemote(
    `a remote must not be a listener of the proxy itself: current value is ${
      formatAddress(address)
    }`,
  );
}

/**
 * Where nothing listens at a port from which the system takes those of
 * connections, one in some thousand tries gets that very port, and TCP connects
 * it to itself (simultaneous open, RFC 9293 3.5): nobody is there.
 */
function connectedToItself(address: HostPort): Error {
  return Object.assign(
    new Deno.errors.ConnectionRefused(
      `Connection refused: nothing listens at ${
        formatAddress(address)
      }, and the connection led to itself`,
    ),
    { code: "ECONNREFUSED" },
  );
}

let threadDestinations = new Destinations();

/** Those of this thread: without a listener, until it serves. */
export function destinations(): Destinations {
  return threadDestinations;
}

/** Says what checks of members and tables in Redis may connect to, too. */
export function useDestinations(used: Destinations): void {
  threadDestinations = used;
}
