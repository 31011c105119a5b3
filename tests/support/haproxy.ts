/**
 * A real HAProxy, whose listening sockets are opened before it starts: so it has
 * ports that are free, and connections wait until it serves them.
 *
 * @module
 */
import { Folder } from "./folder.ts";
import { Lines } from "./lines.ts";
import { need } from "./run.ts";

/** Listens on free ports, prints them, and becomes HAProxy. */
const LAUNCHER = `
import os, socket, sys
program, config, *hosts = sys.argv[1:]
ports = []
for host in hosts:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((host, 0))
    listener.listen(128)
    descriptor = os.dup(listener.fileno())
    os.set_inheritable(descriptor, True)
    os.environ["LISTENER_%d" % len(ports)] = "fd@%d" % descriptor
    ports.append(str(listener.getsockname()[1]))
print("ports", *ports, flush=True)
os.execvp(program, [program, "-db", "-q", "-f", config])
`;

/** HAProxy, running. */
export class Haproxy implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: Folder;
  readonly #output: Lines;
  readonly #errors: Lines;
  /** The ports that it listens on, in the order of the hosts. */
  ports: readonly number[] = [];

  private constructor(folder: Folder, hosts: readonly string[]) {
    this.#folder = folder;
    this.#child = new Deno.Command(need("python3", "python3"), {
      args: [
        "-c",
        LAUNCHER,
        need("/usr/sbin/haproxy", "haproxy"),
        folder.file("haproxy.cfg"),
        ...hosts,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = new Lines(this.#child.stdout);
    this.#errors = new Lines(this.#child.stderr);
  }

  /**
   * Starts HAProxy.
   *
   * @param hosts IP addresses to listen on.
   * @param config The sections behind `defaults`; `bind "\${LISTENER_0}"` is for
   * the first of the hosts.
   */
  static async start(
    hosts: readonly string[],
    config: string,
  ): Promise<Haproxy> {
    const folder = await Folder.make({
      "haproxy.cfg": `
defaults
  mode tcp
  timeout connect 30s
  timeout client 60s
  timeout server 60s
${config}
`,
    });
    const haproxy = new Haproxy(folder, hosts);
    try {
      const line = await haproxy.#output.find(/^ports/);
      haproxy.ports = line.split(" ").slice(1).map(Number);
    } catch (error) {
      await haproxy[Symbol.asyncDispose]();
      throw error;
    }
    return haproxy;
  }

  /** What it has complained about. */
  get errors(): readonly string[] {
    return this.#errors.all;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await Promise.all([this.#output.ended, this.#errors.ended]);
    await this.#folder[Symbol.asyncDispose]();
  }
}
