/**
 * The socket files that the program listens on: made such that nobody can
 * connect before the permissions are right, put in the place of nothing but a
 * dead socket, and removed in the end.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { PRIVATE_FOLDER } from "../net/address.ts";
import type { UnixListenOptions } from "../net/listen.ts";
import { messageOf } from "../lib/errors.ts";

/** How often to try to take a path that others take, too. */
const TRIES = 3;

/** A socket file to be. */
export interface SocketFile {
  readonly options: UnixListenOptions;
  /** Where a worker makes the socket: in a folder of the same file system. */
  readonly bindPath: string;
}

/**
 * Chooses where the socket is to be made that a listener needs.
 *
 * @returns A path that nothing else has, beside that of the listener.
 */
export function socketFile(options: UnixListenOptions): SocketFile {
  const folder = PRIVATE_FOLDER.replace(
    /x+/,
    (digits) => crypto.randomUUID().slice(0, digits.length),
  );
  const { path } = options;
  return { options, bindPath: join(dirname(path), folder, basename(path)) };
}

/** The socket files of this process. */
export class SocketFiles {
  /** What there is at each path that is ours. */
  readonly #own = new Map<string, string>();
  /** The folders in which sockets are being made. */
  readonly #folders = new Set<string>();

  /**
   * Looks whether a path can be listened on.
   *
   * @throws {Error} If not; the message says why.
   */
  async check({ path }: UnixListenOptions): Promise<void> {
    await this.#inspect(path);
  }

  /**
   * Makes the folder in which a worker is to make a socket. `tidy` removes it.
   *
   * @throws {Error} If there can be no folder there.
   */
  prepare({ bindPath }: SocketFile): void {
    const folder = dirname(bindPath);
    try {
      Deno.mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      throw new Error(
        `its folder must exist and be writable: ${messageOf(error)}`,
        { cause: error },
      );
    }
    this.#folders.add(folder);
  }

  /**
   * Puts a socket that a worker has made at its path, in place of one of this
   * process or of nobody.
   *
   * @throws {Error} If there is something else at the path; the message says
   * what. Nothing is removed then.
   */
  async publish({ options, bindPath }: SocketFile): Promise<void> {
    const { path, mode } = options;
    if (mode !== undefined) Deno.chmodSync(bindPath, mode);
    const id = identify(Deno.lstatSync(bindPath));
    for (let tries = 1;; tries++) {
      try {
        Deno.linkSync(bindPath, path);
        break;
      } catch (error) {
        const taken = error instanceof Deno.errors.AlreadyExists;
        if (!taken || tries === TRIES) throw error;
      }
      const found = await this.#inspect(path);
      if (found === undefined) continue;
      if (found === this.#own.get(path)) {
        // at no time is there nothing at the path
        Deno.renameSync(bindPath, path);
        break;
      }
      removeDead(path, found, `${bindPath}~`);
    }
    this.#own.set(path, id);
  }

  /** Removes the folder in which a socket was made. */
  tidy({ bindPath }: SocketFile): void {
    this.#removeFolder(dirname(bindPath));
  }

  /**
   * Removes the socket files of this process, but no others that have taken
   * their places.
   *
   * @param but The paths of those to leave.
   */
  remove(but: readonly string[] = []): void {
    for (const [path, id] of this.#own) {
      if (but.includes(path)) continue;
      this.#own.delete(path);
      const info = look(path);
      if (info !== undefined && identify(info) === id) Deno.removeSync(path);
    }
  }

  /** Removes all that is left of this process. */
  removeAll(): void {
    this.remove();
    for (const folder of this.#folders) this.#removeFolder(folder);
  }

  #removeFolder(folder: string): void {
    if (!this.#folders.delete(folder)) return;
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch {
      // somebody has removed it
    }
  }

  /**
   * Looks at what is at a path.
   *
   * @returns The socket of this process, or one on which nobody listens;
   * `undefined` if there is nothing.
   * @throws {Error} If there is anything else.
   */
  async #inspect(path: string): Promise<string | undefined> {
    const info = look(path);
    if (info === undefined) return undefined;
    if (!info.isSocket) {
      throw new Error(
        `there is ${
          describe(info)
        } at that path: remove it, or take another path`,
      );
    }
    const id = identify(info);
    if (this.#own.get(path) === id || await isDead(path)) return id;
    throw new Error("another program listens there");
  }
}

/** Removes a dead socket, unless there is something else by now. */
function removeDead(path: string, id: string, aside: string): void {
  Deno.renameSync(path, aside);
  if (identify(Deno.lstatSync(aside)) === id) return Deno.removeSync(aside);
  // somebody was faster, and gets it back
  Deno.renameSync(aside, path);
}

/** What there is at a path itself, not where a symbolic link leads. */
function look(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Tells files apart; a number alone may have been given to another since. */
function identify({ dev, ino, birthtime }: Deno.FileInfo): string {
  return `${dev}:${ino}:${birthtime?.getTime()}`;
}

function describe(info: Deno.FileInfo): string {
  if (info.isDirectory) return "a folder";
  return info.isSymlink ? "a symbolic link" : "a file that is no socket";
}

/** Finds out whether a socket file is left over from a program that has ended. */
async function isDead(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return true;
    if (error instanceof Deno.errors.NotFound) return true;
    throw new Error(
      `it cannot be found out whether anybody listens there: ${
        messageOf(error)
      }`,
      { cause: error },
    );
  }
}
