/**
 * A folder for the files of a test.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** A folder for the files of a test. */
export class Folder implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes a folder.
   *
   * @param files Names, which may have folders in front, and texts.
   */
  static async make(
    files: Readonly<Record<string, string>> = {},
  ): Promise<Folder> {
    const folder = new Folder(
      await Deno.makeTempDir({ prefix: "proxymachine-test-" }),
    );
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(join(folder.path, dirname(name)), { recursive: true });
      await Deno.writeTextFile(join(folder.path, name), text);
    }
    return folder;
  }

  /** The absolute path of a file in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The `file:` URL of a file in it. */
  url(name: string): URL {
    return pathToFileURL(this.file(name));
  }

  /** Removes it with all that it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
