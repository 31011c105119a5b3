/**
 * Certificates, and programs that speak TLS.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Folder } from "./folder.ts";
import { Lines } from "./lines.ts";
import { need, run } from "./run.ts";

/** What a certificate is to be like. */
export interface Wish {
  /** Such as `DNS:a.example,IP:127.0.0.1`. */
  readonly names: string;
  /** @default "ec" */
  readonly key?: "ec" | "rsa";
  /** @default "valid" */
  readonly time?: "valid" | "expired";
}

/** The files of a certificate. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** An authority that issues certificates; its files are in a folder of its own. */
export class Authority implements AsyncDisposable {
  readonly #folder: Folder;
  /** Its own certificate. */
  readonly file: string;
  #count = 0;

  private constructor(folder: Folder) {
    this.#folder = folder;
    this.file = folder.file("ca.pem");
  }

  /** Makes an authority. */
  static async make(): Promise<Authority> {
    const folder = await Folder.make({
      "index.txt": "",
    });
    const authority = new Authority(folder);
    await openssl([
      ...["req", "-x509", "-nodes", "-days", "7"],
      ...["-subj", `/CN=Test CA ${crypto.randomUUID()}`],
      ...KEYS.ec,
      ...["-keyout", folder.file("ca.key"), "-out", authority.file],
    ]);
    return authority;
  }

  /** The text of its own certificate. */
  get pem(): string {
    return Deno.readTextFileSync(this.file);
  }

  /** Issues a certificate. */
  async issue({ names, key = "ec", time = "valid" }: Wish): Promise<Issued> {
    const path = this.#folder.file(String(++this.#count));
    const issued = { cert: `${path}.pem`, key: `${path}.key` };
    await openssl([
      ...["req", "-nodes", "-subj", "/CN=test", ...KEYS[key]],
      ...["-keyout", issued.key, "-out", `${path}.csr`],
    ]);
    await Deno.writeTextFile(
      `${path}.cnf`,
      `[ca]
default_ca = test
[test]
database = ${this.#folder.file("index.txt")}
unique_subject = no
rand_serial = yes
new_certs_dir = ${this.#folder.path}
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
basicConstraints = CA:FALSE
subjectAltName = ${names}
`,
    );
    const day = 86_400_000;
    const until = Date.now() + (time === "valid" ? 7 : -1) * day;
    await openssl([
      ...["ca", "-batch", "-notext", "-config", `${path}.cnf`],
      ...["-cert", this.file, "-keyfile", this.#folder.file("ca.key")],
      ...["-startdate", stamp(Date.now() - 9 * day), "-enddate", stamp(until)],
      ...["-in", `${path}.csr`, "-out", issued.cert],
    ]);
    return issued;
  }

  /** Removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

const KEYS = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  rsa: ["-newkey", "rsa:2048"],
};

/** A time as `YYYYMMDDHHMMSSZ`. */
function stamp(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
}

async function openssl(args: readonly string[]): Promise<void> {
  const result = await run([need("openssl", "openssl"), ...args]);
  assertEquals(result.code, 0, result.stderr);
}

/** `openssl s_server`, which sends each line back reversed. */
export class OpensslServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  /** What it has printed. */
  readonly output: Lines;
  /** `127.0.0.1:port`. */
  remote = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.output = new Lines(child.stdout);
  }

  /**
   * Starts it, and waits until it listens.
   *
   * @param issued Its certificate.
   * @param args More arguments.
   */
  static async start(
    { cert, key }: Issued,
    ...args: readonly string[]
  ): Promise<OpensslServer> {
    const server = new OpensslServer(
      new Deno.Command(need("openssl", "openssl"), {
        args: [
          ...["s_server", "-accept", "127.0.0.1:0", "-rev"],
          ...["-cert", cert, "-key", key, ...args],
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn(),
    );
    const line = await server.output.find("ACCEPT");
    server.remote = line.replace("ACCEPT ", "");
    return server;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.output.ended;
  }
}
