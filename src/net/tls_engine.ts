/**
 * TLS of a server in memory: bytes of the wire in, plain bytes out, and the
 * other way round.
 *
 * It is the part of the runtime's `node:tls` that does the work, without the
 * streams around it: those read ahead, and hold 20 KB for a connection that
 * waits. That part is not a public interface, so its methods are checked before
 * it is used.
 *
 * @module
 */
import process from "node:process";

/** A certificate with its key. */
export interface KeyPair {
  /** Certificates (PEM): the server's own, then those of its issuers. */
  readonly cert: string;
  /** The private key (PEM). */
  readonly key: string;
}

/** What the handshake has agreed on. */
export interface Agreed {
  /** The name that the client has asked for (SNI). */
  readonly serverName: string | undefined;
  /** The application protocol (ALPN). */
  readonly alpn: string | undefined;
  /** Such as `TLSv1.3`. */
  readonly version: string | undefined;
}

/** The methods of the runtime's part that are used here. */
interface Wrap {
  /** Returns 0, or -1 if the pair cannot be used. */
  initServerTls(context: Readonly<Record<string, unknown>>): number;
  setAlpnProtocols(protocols: readonly string[]): void;
  /** Output is left for `drainEncOut`. */
  attachJsStream(): number;
  /** The object whose `onhandshakedone` and `onerror` are called. */
  setHandle(handle: object): void;
  /** What takes plain bytes; `undefined` for EOF. */
  setOnread(take: (bytes: ArrayBuffer | undefined) => void): void;
  start(): number;
  /** Takes bytes of the wire, and calls back. */
  readBuffer(bytes: Uint8Array): void;
  /** Takes plain bytes; returns 0. */
  writeBuffer(request: object, bytes: Uint8Array): number;
  /** Makes a `close_notify`. */
  shutdown(request: object): number;
  /** Gives bytes for the wire. */
  drainEncOut(): Uint8Array;
  getAlpnNegotiatedProtocol(out: { alpnProtocol?: string | false }): unknown;
  getServername(): string | null | undefined;
  getProtocol(out: { protocol?: string }): unknown;
  destroySsl(): void;
}

const METHODS: readonly (keyof Wrap)[] = [
  "initServerTls",
  "setAlpnProtocols",
  "attachJsStream",
  "setHandle",
  "setOnread",
  "start",
  "readBuffer",
  "writeBuffer",
  "shutdown",
  "drainEncOut",
  "getAlpnNegotiatedProtocol",
  "getServername",
  "getProtocol",
  "destroySsl",
];

/** The runtime's kind of a server. */
const SERVER = 1;

/** How many plain bytes are taken at a time: the runtime would keep the rest. */
export const MAX_WRITE = 48 * 1024;

type WrapClass = new (kind: number, provider: number) => Wrap;

let wrapClass: WrapClass | undefined;

/**
 * Finds the runtime's part; the first call takes 0.1 seconds and 11 MB.
 *
 * @returns Whether it is there, and has all that is used.
 */
export function hasEngine(): boolean {
  wrapClass ??= findClass();
  return wrapClass !== undefined;
}

function findClass(): WrapClass | undefined {
  const tls = process.getBuiltinModule("node:tls");
  const { Duplex } = process.getBuiltinModule("node:stream");
  const nothing = new Duplex({ read() {} });
  const socket = new tls.TLSSocket(nothing, { isServer: true });
  // it has no certificate, and says so when it is started
  socket.on("error", () => {});
  const { _handle: handle } = socket as unknown as { _handle?: object | null };
  const found = handle?.constructor as WrapClass | undefined;
  socket.destroy();
  const { prototype } = found ?? {};
  return METHODS.every((name) => typeof prototype?.[name] === "function")
    ? found
    : undefined;
}

/** One connection's TLS. */
export class TlsEngine {
  readonly #wrap: Wrap;
  readonly #plain: Uint8Array[] = [];
  /** The handshake is done. */
  established = false;
  /** The client has ended its side by a `close_notify`. */
  ended = false;
  /** What went wrong; nothing goes on after it. */
  error: Error | undefined;

  /**
   * @param alpn The protocols that there are, the best first; without any, the
   * client's are not looked at.
   * @throws {TypeError} If the runtime cannot use them.
   */
  constructor(pair: KeyPair, alpn: readonly string[]) {
    if (!hasEngine()) {
      throw new TypeError("this runtime has no TLS of that kind");
    }
    const wrap = this.#wrap = new (wrapClass as WrapClass)(SERVER, 0);
    const context = {
      cert: pair.cert,
      key: pair.key,
      rejectUnauthorized: false,
    };
    if (wrap.initServerTls(context) !== 0) {
      throw new TypeError("the runtime cannot use that certificate and key");
    }
    if (alpn.length > 0) wrap.setAlpnProtocols([...alpn]);
    wrap.attachJsStream();
    wrap.setHandle({
      onhandshakedone: () => this.established = true,
      onerror: (error: Error) => this.error ??= error,
    });
    wrap.setOnread((bytes) => {
      if (bytes === undefined) this.ended = true;
      else this.#plain.push(new Uint8Array(bytes));
    });
    wrap.start();
  }

  /**
   * Takes bytes of the wire. Look at `established`, `ended` and `error` then,
   * and send what `output` has, even after an error.
   *
   * @param bytes They may be changed afterwards.
   */
  receive(bytes: Uint8Array): void {
    if (this.error === undefined) this.#wrap.readBuffer(bytes);
  }

  /**
   * Gives plain bytes that have been received.
   *
   * @returns How many; 0 if there are none.
   */
  take(buffer: Uint8Array): number {
    const first = this.#plain[0];
    if (first === undefined) return 0;
    if (first.length <= buffer.length) {
      buffer.set(first);
      this.#plain.shift();
      return first.length;
    }
    buffer.set(first.subarray(0, buffer.length));
    this.#plain[0] = first.subarray(buffer.length);
    return buffer.length;
  }

  /**
   * Takes plain bytes to send; their records are in `output` then.
   *
   * @param bytes At most {@linkcode MAX_WRITE}.
   */
  send(bytes: Uint8Array): void {
    if (this.#wrap.writeBuffer({}, bytes) !== 0) {
      throw new Error("the TLS connection is closed");
    }
  }

  /** Ends this side: the `close_notify` is in `output` then. */
  end(): void {
    this.#wrap.shutdown({});
  }

  /** Gives the bytes for the wire that there are. */
  output(): Uint8Array {
    return this.#wrap.drainEncOut();
  }

  /** Tells what the handshake has agreed on. */
  agreed(): Agreed {
    const alpn: { alpnProtocol?: string | false } = {};
    const version: { protocol?: string } = {};
    this.#wrap.getAlpnNegotiatedProtocol(alpn);
    this.#wrap.getProtocol(version);
    return {
      serverName: this.#wrap.getServername()?.toLowerCase(),
      alpn: alpn.alpnProtocol || undefined,
      version: version.protocol,
    };
  }

  /** Frees the memory, which nothing else does. */
  close(): void {
    this.#wrap.destroySsl();
  }
}
