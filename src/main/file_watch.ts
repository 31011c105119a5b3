/**
 * Detects that files have changed.
 *
 * Files are looked at every half second. Unlike notifications of the system,
 * that works for files that are replaced by a rename, for symbolic links
 * anywhere on the way (as in Kubernetes' ConfigMaps), for files that are missing
 * for a while, on network file systems and in containers.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** Milliseconds between two looks; a change must last for one. */
const INTERVAL = 500;

/** Files to look at, at most. */
const MOST = 10_000;

/** The program's own modules, which a router may import. */
const OWN_FOLDER = new URL("../", import.meta.url).href;

/** Tells when files have changed, and the change is complete. */
export class FileWatch {
  readonly #onChange: (path: string) => void;
  /** What each file looked like when it was read. */
  #files = new Map<string, string>();
  /** What those that have changed looked like the last time. */
  #unsettled = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /**
   * @param onChange Is called with the path of a file that has changed, once
   * for all that have changed at a time.
   */
  constructor(onChange: (path: string) => void) {
    this.#onChange = onChange;
  }

  /**
   * Looks at files from now on.
   *
   * @param paths The files. Those it may not read are left out.
   * @param since When they were read (`Date.now()`): one that is new here, and
   * has changed since, counts as changed.
   * @param keep Whether to look at those of before, too.
   */
  async follow(
    paths: readonly string[],
    since: number,
    keep: boolean,
  ): Promise<void> {
    const files = new Map(keep ? this.#files : []);
    for (const path of [...new Set(paths)].slice(0, MOST)) {
      if (files.has(path) || !await mayRead(path)) continue;
      const look = await lookAt(path);
      files.set(
        path,
        this.#files.get(path) ?? (look.changed >= since ? "" : look.text),
      );
    }
    this.#files = files;
    if (!this.#stopped) this.#timer ??= this.#schedule();
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): ReturnType<typeof setTimeout> {
    return setTimeout(async () => {
      await this.#look();
      if (!this.#stopped) this.#timer = this.#schedule();
    }, INTERVAL);
  }

  async #look(): Promise<void> {
    const files = this.#files;
    const looks = await Promise.all(
      [...files.keys()].map(async (path) =>
        [path, await lookAt(path)] as const
      ),
    );
    // `follow` was called meanwhile
    if (files !== this.#files) return;
    const changed = new Map<string, string>();
    for (const [path, { text }] of looks) {
      if (text !== files.get(path)) changed.set(path, text);
    }
    const settled = changed.size > 0 &&
      changed.size === this.#unsettled.size &&
      [...changed].every(([path, text]) => this.#unsettled.get(path) === text);
    this.#unsettled = changed;
    if (!settled || this.#stopped) return;
    const [first = ""] = changed.keys();
    for (const [path, text] of changed) files.set(path, text);
    this.#unsettled = new Map();
    this.#onChange(first);
  }
}

/** What tells whether a file has changed; symbolic links are followed. */
async function lookAt(
  path: string,
): Promise<{ readonly text: string; readonly changed: number }> {
  try {
    const { dev, ino, size, mtime } = await Deno.stat(path);
    const changed = mtime?.getTime() ?? 0;
    return { text: [dev, ino, size, changed].join(" "), changed };
  } catch (error) {
    return { text: error instanceof Error ? error.name : "?", changed: 0 };
  }
}

async function mayRead(path: string): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "read", path });
  return state === "granted";
}

/**
 * Lists the files of a router.
 *
 * @returns The paths of the files among them, without the program's own.
 */
export function filesOf(urls: readonly string[]): string[] {
  return [...new Set(urls)]
    .filter((url) => url.startsWith("file:") && !url.startsWith(OWN_FOLDER))
    .flatMap((url) => {
      try {
        return [fileURLToPath(url)];
      } catch {
        return []; // not the URL of a file of this machine
      }
    });
}

/**
 * Lists the files that an error message names: those that could not be loaded
 * have not been imported.
 */
export function filesIn(message: string): string[] {
  return filesOf(
    [...message.matchAll(/file:\/\/[^\s"']+?(?=:\d+:\d+|[\s"']|\.?$)/g)]
      .map(([url]) => url),
  );
}
