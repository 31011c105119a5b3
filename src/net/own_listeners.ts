/**
 * The listeners of this program, by which a remote is recognised that is one of
 * them: a connection to it would be a loop.
 *
 * @module
 */
import type { HostPort } from "./address.ts";
import { formatIp, parseIp } from "./cidr.ts";

/** Where all threads of the program listen, and what this machine is called. */
export interface Listening {
  /** The addresses that were bound, those of the admin server among them. */
  readonly tcp: readonly HostPort[];
  /** Socket files: their paths, and those at which the sockets were made. */
  readonly paths: readonly string[];
  /** The addresses of this machine, as far as they are known. */
  readonly machine: readonly string[];
}

/** No listener. */
export const NO_LISTENING: Listening = { tcp: [], paths: [], machine: [] };

/** The most that is learned: addresses, and paths that lead to own sockets. */
const MAX_LEARNED = 1024;

const ANY_IPV4 = "0.0.0.0";
const ANY_IPV6 = "::";

/** Recognises the listeners of this program. */
export class OwnListeners {
  /** The addresses that are listened on, by port. */
  readonly #bound = new Map<number, Set<string>>();
  readonly #paths = new Set<string>();
  readonly #machine = new Set<string>();
  /** Paths that led to a socket of this program, such as a symbolic link. */
  readonly #learnedPaths = new Set<string>();

  /** @param listening What there is; `set` replaces it. */
  constructor(listening: Listening = NO_LISTENING) {
    this.set(listening);
  }

  /** Listeners have been opened or closed. */
  set({ tcp, paths, machine }: Listening): void {
    this.#bound.clear();
    this.#paths.clear();
    this.#learnedPaths.clear();
    for (const { hostname, port } of tcp) {
      const bound = this.#bound.get(port);
      if (bound === undefined) this.#bound.set(port, new Set([key(hostname)]));
      else bound.add(key(hostname));
    }
    for (const path of paths) this.#paths.add(plainPath(path));
    for (const address of machine) this.#machine.add(key(address));
  }

  /**
   * Tells whether an address is one of the listeners. Costs one look at a map,
   * unless something listens at the port.
   *
   * @param hostname An IP address; a name is none of them.
   */
  has(hostname: string, port: number): boolean {
    const bound = this.#bound.get(port);
    if (bound === undefined) return false;
    const address = reached(key(hostname));
    if (bound.has(address)) return true;
    const isIpv4 = !address.includes(":");
    // a socket at :: takes IPv4 connections, too
    return (isIpv4 && bound.has(ANY_IPV4) || bound.has(ANY_IPV6)) &&
      (isLoopback(address) || this.#machine.has(address));
  }

  /**
   * Tells whether a connection that was made leads to one of the listeners. An
   * address that a connection has at both ends is one of this machine, and is
   * remembered as such.
   *
   * @param local The end of this program.
   * @param remote The other end.
   */
  isReached(local: HostPort, remote: HostPort): boolean {
    if (!this.#bound.has(remote.port)) return false;
    if (
      local.hostname === remote.hostname && this.#machine.size < MAX_LEARNED
    ) {
      this.#machine.add(key(local.hostname));
    }
    return this.has(remote.hostname, remote.port);
  }

  /** Tells whether a path is that of a socket of this program. */
  hasPath(path: string): boolean {
    return this.#paths.size > 0 &&
      (this.#paths.has(plainPath(path)) || this.#learnedPaths.has(path));
  }

  /**
   * Tells whether a connection to a socket file leads to one of this program.
   *
   * @param path What was connected to.
   * @param peer Where the socket there was made, as the kernel tells it: it is
   * the same whatever path leads to the socket.
   */
  isPathReached(path: string, peer: string | undefined | null): boolean {
    if (!peer || !this.#paths.has(plainPath(peer))) return false;
    if (this.#learnedPaths.size >= MAX_LEARNED) this.#learnedPaths.clear();
    this.#learnedPaths.add(path);
    return true;
  }
}

/** One text for each address; texts that are none stay as they are. */
function key(address: string): string {
  const bytes = parseIp(address);
  return bytes === undefined ? address : formatIp(bytes);
}

/** Connecting to no address leads to this machine. */
function reached(address: string): string {
  if (address === ANY_IPV4) return "127.0.0.1";
  return address === ANY_IPV6 ? "::1" : address;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** Without what leads nowhere else: `//`, `.` and `..`. */
function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
