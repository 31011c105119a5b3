/**
 * Where connections come from: TCP sockets that all threads share, and socket
 * files.
 *
 * @module
 */
import type { KeyPair } from "./tls_engine.ts";

/**
 * Connections that may wait to be accepted. The runtime's own default is 511,
 * which a burst fills; who finds no place tries again after a second. The system
 * may allow less (`net.core.somaxconn`).
 */
const BACKLOG = 4096;

/** Who may send a header of the PROXY protocol: anyone, or some networks. */
export type AcceptProxy = true | readonly string[];

/** A certificate of a listener, and where it is from. */
export interface Certificate {
  /** The path of the file with the certificates (PEM). */
  readonly certFile: string;
  /** The path of the file with the private key (PEM). */
  readonly keyFile: string;
  /** What the files have, once the main thread has read them. */
  readonly pair?: KeyPair | undefined;
  /** Its names: host names, perhaps with `*.` in front; empty until read. */
  readonly names: readonly string[];
}

/** How a listener speaks TLS. */
export interface ListenTls {
  /** At least one; the first is for clients that ask for no name of another. */
  readonly certificates: readonly Certificate[];
  /** Application protocols, the best first; empty: any that the client offers. */
  readonly alpn: readonly string[];
}

/** Where to listen, and how connections begin there. */
export type ListenOptions = TcpListenOptions | UnixListenOptions;

/** What listeners of all kinds have. */
export interface CommonListenOptions {
  /** What routers call the listener. */
  readonly name: string;
  /**
   * Every connection begins with a header of the PROXY protocol; `true` from
   * any peer, otherwise from these networks (CIDR) only.
   *
   * @default no header
   */
  readonly acceptProxy?: AcceptProxy | undefined;
  /**
   * Connections speak TLS, which ends here.
   *
   * @default what clients send is routed as it is
   */
  readonly tls?: ListenTls | undefined;
}

/** A TCP socket. */
export interface TcpListenOptions extends CommonListenOptions {
  /** A host name or an IP address. */
  readonly hostname: string;
  /** 0 for any port that is free. */
  readonly port: number;
}

/** A socket file. */
export interface UnixListenOptions extends CommonListenOptions {
  /** An absolute path. */
  readonly path: string;
  /**
   * The permissions of the file; clients need that of writing.
   *
   * @default what the umask leaves
   */
  readonly mode?: number | undefined;
}

/** What a worker is to listen on. */
export type Bind =
  | TcpListenOptions
  /** The worker makes the socket file there, and the main thread moves it. */
  | UnixListenOptions & { readonly bindPath: string };

/**
 * Listens.
 *
 * @param options A TCP socket, which is shared with all threads that listen
 * there; or a socket file, which is for this thread alone.
 * @returns A listener. Closing it removes nothing: the file has been moved.
 */
export function listen(
  options: Bind,
): Deno.TcpListener | Deno.UnixListener {
  return "path" in options
    ? Deno.listen({ transport: "unix", path: options.bindPath })
    : listenShared(options);
}

/**
 * Listens on a socket that all threads of the process share: those that listen
 * on the same address (port 0 included) accept from the same queue.
 *
 * @param options Where to listen; the rest does not matter.
 * @returns A listener; the shared socket is closed with the last of them.
 * @throws {Deno.errors.AddrInUse} If another process listens there.
 */
export function listenShared(options: TcpListenOptions): Deno.TcpListener {
  // Both are missing from the public types. `loadBalanced` is what `deno serve
  // --parallel` uses: it clones the socket of the thread that was first.
  const shared: Deno.TcpListenOptions & {
    loadBalanced: boolean;
    tcpBacklog: number;
  } = {
    hostname: options.hostname,
    port: options.port,
    loadBalanced: true,
    tcpBacklog: BACKLOG,
  };
  return Deno.listen(shared);
}
