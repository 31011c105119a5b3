/**
 * Hooks on the imports of a router: to refuse them where the runtime does not,
 * and to note them.
 *
 * @module
 */
import module from "node:module";
import { fileURLToPath } from "node:url";
import { relative } from "node:path";

/** The part of `node:module` that is used here; not all runtimes have it. */
interface Hooks {
  registerHooks?(hooks: {
    resolve(
      specifier: string,
      context: unknown,
      next: (specifier: string, context: unknown) => { url: string },
    ): { url: string };
  }): unknown;
}

/**
 * Refuses imports of files from outside some folders. An executable reads the
 * modules that it imports without asking for the permission to read; under
 * `deno run` the permission itself says all this.
 *
 * @param readable The files and folders that may be imported from; asked at
 * each import, as they become fewer when the router is loaded.
 * @returns Whether the runtime can do it.
 */
export function confineImports(readable: () => readonly string[]): boolean {
  const { registerHooks } = module as unknown as Hooks;
  if (registerHooks === undefined) return false;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      if (resolved.url.startsWith("file:")) {
        const path = fileURLToPath(resolved.url);
        if (!readable().some((folder) => isWithin(path, folder))) {
          throw new Deno.errors.NotCapable(
            `Requires read access to ${JSON.stringify(path)}`,
          );
        }
      }
      return resolved;
    },
  });
  return true;
}

/**
 * Notes which files are imported from now on.
 *
 * @returns Their URLs, as a set that grows; it stays empty if the runtime has no
 * such hooks.
 */
export function reportImports(): ReadonlySet<string> {
  const urls = new Set<string>();
  const { registerHooks } = module as unknown as Hooks;
  registerHooks?.({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      if (resolved.url.startsWith("file:")) urls.add(resolved.url);
      return resolved;
    },
  });
  return urls;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith("../");
}
