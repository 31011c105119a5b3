/**
 * What HAProxy, nginx and sslh say of the same hellos, where they are
 * installed: they see TLS where `tls()` does, and the same name.
 *
 * @module
 */
import { assert, assertStrictEquals } from "@std/assert";
import { tls } from "proxymachine/protocols";
import { Folder } from "../support/folder.ts";
import { Lines } from "../support/lines.ts";
import { unusedPort } from "../support/ports.ts";
import { samples } from "../support/protocols/samples.ts";

const NGINX_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** Hellos, and other first messages. */
const messages: readonly { name: string; bytes: Uint8Array }[] = [
  ...caseFiles(),
  ...samples.filter(({ parser, name, bytes }) =>
    (parser === "tls" || parser === "http" && name === "bare LF") &&
    bytes.length < 1000 && !name.includes("SSL 3")
  ),
];

/** Hellos that a peer does not see, and that servers accept. */
const UNSEEN: Readonly<Record<string, RegExp>> = {
  haproxy: /cut inside the handshake|cut behind/, // it reads one record
  nginx: /empty list of names|empty extension|beyond|unknown type/, // it gives up there
  sslh: /cut |without extensions/,
};

/** Where a peer takes a name of another type for the host name. */
const OTHER_NAME = /unknown type of name/;

/** What a peer says of a message. */
interface Verdict {
  readonly isTls: boolean;
  /** One character per byte; `undefined` when there is none. */
  readonly name: string | undefined;
}

Deno.test({
  name: "tls() sees TLS and the name that HAProxy sees (req.ssl_sni)",
  ignore: !isInstalled("haproxy"),
  async fn(t) {
    await using folder = await Folder.make();
    const socket = folder.file("s.sock");
    await Deno.writeTextFile(
      folder.file("haproxy.cfg"),
      `
global
  log stdout format raw daemon
frontend f
  mode tcp
  log global
  timeout client 30s
  bind unix@${socket}
  tcp-request inspect-delay 20s
  tcp-request content set-var(txn.sni) req.ssl_sni
  tcp-request content set-var(txn.tls) req.ssl_ver
  tcp-request content reject if { req.len gt 0 }
  log-format "tls=%[var(txn.tls)] sni=%[var(txn.sni),hex]."
`,
    );
    const args = ["-db", "-f", folder.file("haproxy.cfg")];
    await using peer = start("haproxy", args);
    await peer.listens({ transport: "unix", path: socket });
    let lines = 1; // of the connection that found it listening
    await peer.output.findAll(/^tls=/, lines);
    for (const { name, bytes } of messages) {
      if (isSsl2(bytes)) continue; // HAProxy 2.6 takes no version above 3.2 here
      await t.step(name, async () => {
        await ask({ transport: "unix", path: socket }, bytes);
        const all = await peer.output.findAll(/^tls=/, ++lines);
        const [, version, sni] = /^tls=(\S+) sni=([0-9A-F]*)/.exec(
          all.at(-1)!,
        )!;
        assertAgrees("haproxy", name, bytes, {
          isTls: version !== "-",
          name: sni ? fromHex(sni) : undefined,
        });
      });
    }
  },
});

Deno.test({
  name: "tls() sees TLS and the name that nginx sees (ssl_preread)",
  ignore: !isInstalled("nginx") || !exists(NGINX_MODULE),
  async fn(t) {
    await using folder = await Folder.make();
    const socket = folder.file("s.sock");
    await Deno.writeTextFile(
      folder.file("nginx.conf"),
      `
load_module ${NGINX_MODULE};
daemon off; master_process off;
pid ${folder.file("pid")}; error_log ${folder.file("log")};
events { worker_connections 64; }
stream {
  server {
    listen unix:${socket};
    ssl_preread on;
    return "$ssl_preread_protocol|$ssl_preread_server_name";
  }
}
`,
    );
    await using peer = start("nginx", ["-c", folder.file("nginx.conf")]);
    await peer.listens({ transport: "unix", path: socket });
    for (const { name, bytes } of messages) {
      await t.step(name, async () => {
        const text = await ask({ transport: "unix", path: socket }, bytes);
        const [version, sni] = text.split("|");
        assertAgrees("nginx", name, bytes, {
          isTls: version !== "",
          name: sni || undefined,
        });
      });
    }
  },
});

Deno.test({
  name: "tls() sees TLS where sslh does",
  ignore: !isInstalled("sslh"),
  async fn(t) {
    using tlsRemote = remote("tls");
    using other = remote("other");
    const port = unusedPort();
    await using peer = start("sslh", [
      "-f",
      "-p",
      `127.0.0.1:${port}`,
      "--tls",
      `127.0.0.1:${tlsRemote.port}`,
      "--anyprot",
      `127.0.0.1:${other.port}`,
    ]);
    const address = { transport: "tcp", hostname: "127.0.0.1", port } as const;
    await peer.listens(address);
    for (const { name, bytes } of messages) {
      if (isSsl2(bytes)) continue; // sslh does not know this format
      await t.step(name, async () => {
        const isTls = (await ask(address, bytes)) === "tls";
        assertAgrees("sslh", name, bytes, { isTls, name: undefined });
      });
    }
  },
});

/** Asserts that a peer sees what the parser does. */
function assertAgrees(
  peer: string,
  message: string,
  bytes: Uint8Array,
  verdict: Verdict,
): void {
  const hello = tls(bytes);
  if (UNSEEN[peer]!.test(message)) {
    assert(hello && !verdict.isTls, "this is no exception");
    return;
  }
  assertStrictEquals(Boolean(hello), verdict.isTls);
  if (peer === "sslh" || OTHER_NAME.test(message)) return;
  // Of two names in the list, which no client sends, the parser takes none.
  if (hello?.rawServerName !== undefined) {
    assertStrictEquals(verdict.name, hello.rawServerName);
  }
}

function* caseFiles(): Generator<{ name: string; bytes: Uint8Array }> {
  const folder = new URL("cases/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    if (!/^(tls|http|ssh|xmpp|redis)-.*\.bin$/.test(name)) continue;
    yield { name, bytes: Deno.readFileSync(new URL(name, folder)) };
  }
}

function isSsl2(bytes: Uint8Array): boolean {
  return bytes[0]! >= 0x80;
}

type Where =
  | { readonly transport: "unix"; readonly path: string }
  | {
    readonly transport: "tcp";
    readonly hostname: string;
    readonly port: number;
  };

function connect(where: Where): Promise<Deno.Conn> {
  return where.transport === "unix" ? Deno.connect(where) : Deno.connect(where);
}

/** Sends bytes and reads what comes back until the end; one character per byte. */
async function ask(where: Where, bytes: Uint8Array): Promise<string> {
  using conn = await connect(where);
  let text = "";
  const buffer = new Uint8Array(4096);
  try {
    await conn.write(bytes);
    for (;;) {
      const length = await conn.read(buffer);
      if (length === null) return text;
      text += String.fromCharCode(...buffer.subarray(0, length));
    }
  } catch (error) { // the peer refuses, and resets
    if (error instanceof Deno.errors.ConnectionReset) return text;
    if (error instanceof Deno.errors.BrokenPipe) return text;
    throw error;
  }
}

/** A listener that says a word to each client and closes. */
function remote(word: string): { port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const conn of listener) {
      try {
        await conn.read(new Uint8Array(4096));
        await conn.write(new TextEncoder().encode(word));
      } catch {
        // sslh was there only to see whether somebody listens
      }
      conn.close();
    }
  })();
  const { port } = listener.addr;
  return { port, [Symbol.dispose]: () => listener.close() };
}

/** Starts a program, which ends with what is returned. */
function start(program: string, args: readonly string[]) {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = new Lines(child.stdout);
  const errors = new Lines(child.stderr);
  let hasEnded = false;
  const status = child.status.then(() => hasEnded = true);
  return {
    output,
    /** Resolves when it accepts connections. */
    async listens(where: Where): Promise<void> {
      for (;;) {
        try {
          (await connect(where)).close();
          return;
        } catch (cause) {
          const message = `${program} has ended: ${errors.all.join("\n")}`;
          if (hasEnded) throw new Error(message, { cause });
        }
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!hasEnded) child.kill("SIGTERM"); // sslh ends its own processes
      await status;
      await Promise.all([output.ended, errors.ended]);
    },
  };
}

function isInstalled(program: string): boolean {
  return new Deno.Command("sh", {
    args: ["-c", `command -v "$0" >/dev/null`, program],
  }).outputSync().success;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function fromHex(digits: string): string {
  return String.fromCharCode(...Uint8Array.fromHex(digits));
}
