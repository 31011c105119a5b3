/**
 * A network and its files of a test's own: what a program sees as its machine's
 * addresses, `/etc/resolv.conf` and `/etc/hosts`.
 *
 * @module
 */
import { join } from "node:path";

/** What a namespace has. */
export interface Namespace {
  /** The content of `/etc/resolv.conf`. */
  readonly resolvConf: string;
  /** The content of `/etc/hosts`. */
  readonly hosts: string;
  /**
   * Commands of a shell that are run first.
   *
   * @default ""
   */
  readonly setup?: string;
}

/** Why no namespace can be made here; `undefined` if it can. */
export function whyNoNamespace(): string | undefined {
  if (Deno.build.os !== "linux") return "network namespaces are Linux's";
  if (Deno.uid() !== 0) return "only root can make a network namespace";
  const { success } = new Deno.Command("unshare", {
    args: ["-n", "-m", "true"],
    stderr: "null",
  }).outputSync();
  return success ? undefined : "unshare -n -m is not allowed here";
}

/**
 * Runs a module in a network and mount namespace of its own.
 *
 * @param module A `file:` URL.
 * @param args Its arguments.
 * @param namespace What it has there; the loopback interface is up.
 * @throws {Error} If it fails; the message is what it has printed.
 */
export async function runInNamespace(
  module: string,
  args: readonly string[],
  { resolvConf, hosts, setup = "" }: Namespace,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "proxymachine-test-" });
  try {
    const files = { resolvConf, hosts };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const script = `set -e
ip link set lo up
mount --bind '${join(folder, "resolvConf")}' /etc/resolv.conf
mount --bind '${join(folder, "hosts")}' /etc/hosts
${setup}
exec "$0" run -A --quiet "$@"`;
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        "-n",
        "-m",
        "bash",
        "-c",
        script,
        Deno.execPath(),
        module,
        ...args,
      ],
    }).output();
    if (success) return;
    const decoder = new TextDecoder();
    throw new Error(decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
