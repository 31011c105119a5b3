/**
 * `/etc/resolv.conf` and `/etc/hosts`, which the main thread reads for the
 * workers, as no router may read them there.
 *
 * @module
 */
import {
  parseHosts,
  parseResolvConf,
  type SystemNames,
} from "../net/resolver_files.ts";

/** The files. */
const RESOLVER = "/etc/resolv.conf";
const HOSTS = "/etc/hosts";

/** Milliseconds between two looks whether a file has changed. */
const INTERVAL = 2000;

/** Bytes of a file that are read at most: more is no file of this kind. */
const MAX_SIZE = 32 * 1024 * 1024;

/** What the two files say, now and when they change. */
export class SystemNamesFiles {
  /** What they said when they were read last. */
  current: SystemNames = { resolver: undefined, hosts: undefined };
  readonly #changed: (names: SystemNames) => void;
  #seen = "";
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Reads the files, as far as the program may.
   *
   * @param changed Is called when they have changed since.
   */
  constructor(changed: (names: SystemNames) => void) {
    this.#changed = changed;
    if (!mayRead(RESOLVER) && !mayRead(HOSTS)) return;
    this.#look();
    this.#timer = setInterval(() => {
      if (this.#look()) this.#changed(this.current);
    }, INTERVAL);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** Reads them if they have changed; tells whether they have. */
  #look(): boolean {
    const seen = `${identity(RESOLVER)} ${identity(HOSTS)}`;
    if (seen === this.#seen) return false;
    this.#seen = seen;
    const resolver = read(RESOLVER);
    const hosts = read(HOSTS);
    this.current = {
      resolver: resolver === undefined ? undefined : parseResolvConf(resolver),
      hosts: hosts === undefined ? undefined : parseHosts(hosts),
    };
    return true;
  }
}

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

/** Changes whenever a file is written or replaced. */
function identity(path: string): string {
  if (!mayRead(path)) return "-";
  try {
    const { ino, mtime, size } = Deno.statSync(path);
    return `${ino} ${mtime?.getTime()} ${size}`;
  } catch {
    return "-";
  }
}

/** `undefined` if it may not be read; a missing file says nothing. */
function read(path: string): string | undefined {
  if (!mayRead(path)) return undefined;
  try {
    if (Deno.statSync(path).size > MAX_SIZE) return undefined;
    return Deno.readTextFileSync(path);
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "" : undefined;
  }
}
