/**
 * The client of a connection, as routers see it.
 *
 * @module
 */
import type { Address, Client, ClientTls } from "../router/contract.ts";
import { parseSocketPath } from "../net/address.ts";
import type { ListenOptions } from "../net/listen.ts";

/** The fields by which a line of the log tells whose connection it is about. */
export type Who = {
  readonly client: string;
  readonly id: number;
  /** The name of the listener. */
  readonly listener: string;
  /** Who has decided, once that is known. */
  readonly route: string | undefined;
  /** The pool that the last remote is of. */
  readonly pool: string | undefined;
};

/** For routers all of it is read-only. */
export class ClientInfo implements Client {
  readonly id: number;
  /** Set by admission only. */
  remoteAddr: Address;
  /** Set by admission only. */
  localAddr: Address;
  readonly listener: string;
  /** Set by admission only. */
  tls: ClientTls | undefined;

  constructor(
    id: number,
    socket: Deno.TcpConn | Deno.UnixConn,
    listener: ListenOptions,
  ) {
    this.id = id;
    this.listener = listener.name;
    if ("path" in listener) {
      this.remoteAddr = peerOf(socket as Deno.UnixConn);
      // the socket itself knows the path at which it was made
      this.localAddr = { transport: "unix", path: listener.path };
    } else {
      this.remoteAddr = socket.remoteAddr as Address;
      this.localAddr = socket.localAddr as Address;
    }
    this.tls = undefined;
  }
}

/** The other end of a socket file: it may have chosen a path, or any bytes. */
function peerOf({ remoteAddr }: Deno.UnixConn): Address {
  const { path } = remoteAddr as { path: string | null };
  const parsed = parseSocketPath(`unix:${path ?? ""}`);
  return {
    transport: "unix",
    path: typeof parsed === "string" ? "" : parsed.path,
  };
}
