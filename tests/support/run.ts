/**
 * Running other programs.
 *
 * @module
 */

/** The pipes of a child process whose output is read. */
export const PIPED = {
  stdin: "null",
  stdout: "piped",
  stderr: "piped",
} as const;

/** What a run of the program has left. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @param command The program and its arguments.
 * @param stdin What it may read; it may also end before it has read all.
 */
export async function run(
  command: readonly string[],
  stdin: string | Uint8Array<ArrayBuffer> = "",
): Promise<Result> {
  const [name = "", ...args] = command;
  const child = new Deno.Command(name, { args, ...PIPED, stdin: "piped" })
    .spawn();
  // read while it is written to, as it may write before it has read all
  const output = child.output();
  const writer = child.stdin.getWriter();
  try {
    await writer.write(
      typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin,
    );
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  const { code, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/**
 * Makes sure that a program is installed.
 *
 * @param name Its name, or its path where it is not on everyone's `PATH`.
 * @param debianPackage What to install if it is not.
 * @returns The name.
 */
export function need(name: string, debianPackage: string): string {
  const { success } = new Deno.Command("sh", {
    args: ["-c", `command -v "$0" >/dev/null`, name],
  }).outputSync();
  if (success) return name;
  throw new Error(
    `This test needs ${name}: run apt-get install ${debianPackage}`,
  );
}
