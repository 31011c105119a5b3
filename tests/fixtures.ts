/**
 * What tests share: the real program as a child process, and real sockets on
 * both sides of it. Everything is released with `await using`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * Registers a test that waits for other programs. It fails after some minutes
 * rather than wait for ever.
 */
export function test(name: string, fn: () => Promise<void>): void {
  Deno.test(name, { timeout: 300_000 }, fn);
}

/**
 * A remote that refuses connections. Port 1 is never given to a socket that asks
 * for a free port, so no other test listens there.
 */
export const REFUSING = "127.0.0.1:1";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The executable to test in place of the source, if there is one. */
const EXECUTABLE = Deno.env.get("PROXYMACHINE_EXECUTABLE");

/** How to run the program. */
export const PROGRAM: readonly string[] = EXECUTABLE === undefined
  ? [
    Deno.execPath(),
    "run",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-env",
    join(ROOT, "main.ts"),
  ]
  : [EXECUTABLE];

/**
 * The program with more permissions; the executable has all.
 *
 * @param flags Such as `--allow-write=/tmp`.
 */
export function programWith(...flags: readonly string[]): readonly string[] {
  if (EXECUTABLE !== undefined) return PROGRAM;
  const [deno = "", run = "", ...rest] = PROGRAM;
  return [deno, run, ...flags, ...rest];
}

/**
 * How the file of a router is named. The executable that can be built without
 * a download takes JavaScript only, so the routers of the tests that run on it
 * are written in what both languages have in common.
 */
export const ROUTER_EXTENSION = EXECUTABLE === undefined ? "ts" : "js";

/** How the program is started. */
export interface ProxyOptions {
  /**
   * More arguments.
   *
   * @default []
   */
  readonly args?: readonly string[];
  /**
   * The program and its first arguments.
   *
   * @default {@linkcode PROGRAM}
   */
  readonly program?: readonly string[];
  /**
   * Run a shell command first, such as `ulimit -n 256`.
   *
   * @default ""
   */
  readonly setup?: string;
  /**
   * What the file with the text is called, such as `routes.yaml`.
   *
   * @default a module in the language of the tests
   */
  readonly file?: string;
  /**
   * More files beside it, by name.
   *
   * @default {}
   */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * Where to listen.
   *
   * @default ["-h", "127.0.0.1", "-p", "0"]
   */
  readonly listen?: readonly string[];
}

/** Milliseconds that a line may take to come. */
const PATIENCE = 120_000;

/** A client and a server that the proxy has joined. */
export interface Joined extends Disposable {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/** Lines of a stream, kept, and awaited. */
export class Lines {
  /** All lines so far. */
  readonly all: string[] = [];
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #over = false;

  /** Starts reading. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#read(stream);
  }

  /**
   * Waits for a line, which may have come already.
   *
   * @param pattern What it contains, or matches.
   * @returns The first such line.
   */
  async find(pattern: string | RegExp): Promise<string> {
    const until = performance.now() + PATIENCE;
    for (;;) {
      const line = this.all.find((line) =>
        typeof pattern === "string"
          ? line.includes(pattern)
          : pattern.test(line)
      );
      if (line !== undefined) return line;
      if (this.#over) {
        throw new Error(`No line ${pattern} in:\n${this.all.join("\n")}`);
      }
      await this.#more(pattern, until);
    }
  }

  /**
   * Waits for several lines, which may have come already.
   *
   * @param pattern What each contains, or matches.
   * @param count How many.
   * @returns All such lines so far.
   */
  async findAll(pattern: string | RegExp, count: number): Promise<string[]> {
    const until = performance.now() + PATIENCE;
    while (this.count(pattern) < count) {
      if (this.#over) {
        throw new Error(
          `Only ${this.count(pattern)} of ${count} lines ${pattern} in:\n${
            this.all.join("\n")
          }`,
        );
      }
      await this.#more(pattern, until);
    }
    return this.all.filter((line) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line)
    );
  }

  /** Counts the lines so far that contain, or match, a pattern. */
  count(pattern: string | RegExp): number {
    return this.all.filter((line) =>
      typeof pattern === "string" ? line.includes(pattern) : pattern.test(line)
    ).length;
  }

  /** Waits for another line, or the end. */
  async #more(pattern: string | RegExp, until: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () =>
        reject(new Error(`${pattern} did not come:\n${this.all.join("\n")}`)),
      until - performance.now(),
    );
    this.#waiting.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(resolve);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (
      const text of stream.pipeThrough(
        new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
      )
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.all.push(...lines);
      this.#wake();
    }
    if (rest !== "") this.all.push(rest);
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** The program, running and listening. */
export class Proxy implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  /** The operational log: standard error. */
  readonly log: Lines;
  /** The access log: standard output. */
  readonly access: Lines;
  /** Where it listens on 127.0.0.1. */
  port = 0;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.log = new Lines(child.stderr);
    this.access = new Lines(child.stdout);
  }

  /**
   * Starts the program with a router, and waits until it listens.
   *
   * @param router The text of a module or a route table, or a `file:` URL of
   * one.
   * @param options How to start it; one worker unless `args` say otherwise.
   */
  static async start(
    router: string | URL,
    options: ProxyOptions = {},
  ): Promise<Proxy> {
    const folder = await Deno.makeTempDir({ prefix: "proxymachine-test-" });
    let file = join(folder, options.file ?? `router.${ROUTER_EXTENSION}`);
    if (router instanceof URL) file = fileURLToPath(router);
    else await Deno.writeTextFile(file, router);
    for (const [name, text] of Object.entries(options.files ?? {})) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const [command = "", ...first] = options.program ?? PROGRAM;
    const args = [
      ...first,
      "-c",
      file,
      ...(options.listen ?? ["-h", "127.0.0.1", "-p", "0"]),
      ...(options.args ?? ["-w", "1"]),
    ];
    const child = options.setup === undefined
      ? new Deno.Command(command, { args, ...PIPED }).spawn()
      : new Deno.Command("bash", {
        args: ["-c", `${options.setup}; exec "$0" "$@"`, command, ...args],
        ...PIPED,
      }).spawn();
    const proxy = new Proxy(child, folder);
    try {
      const line = await proxy.log.find("Listening on");
      proxy.port = Number(/:(\d+) with/.exec(line)?.[1]);
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  /** The process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves when the process has ended. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Connects as a client. */
  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  /**
   * Connects as a client that the router sends to an upstream, and sends one
   * byte each way.
   *
   * @returns The sockets, which are closed with the result.
   */
  async join(upstream: Upstream): Promise<Joined> {
    const client = await this.connect();
    await send(client, "a");
    const server = await upstream.accept();
    if (await receive(server, 1) !== "a") throw new Error("not joined");
    await send(server, "b");
    if (await receive(client, 1) !== "b") throw new Error("not joined");
    return {
      client,
      server,
      [Symbol.dispose]() {
        client[Symbol.dispose]();
        server[Symbol.dispose]();
      },
    };
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /**
   * Waits until the process has ended, and all of its lines have come.
   *
   * @returns The exit status; `undefined` if a signal has ended it.
   */
  async ended(): Promise<number | undefined> {
    const { code, signal } = await this.status;
    await Promise.all([this.log.ended, this.access.ended]);
    return signal === null ? code : undefined;
  }

  /** Suspends the process until `SIGCONT`, and waits until it stands still. */
  async suspend(): Promise<void> {
    this.kill("SIGSTOP");
    const tasks = `/proc/${this.pid}/task`;
    const isRunning = ({ name }: Deno.DirEntry) =>
      !/^\d+ \(.*\) T/.test(Deno.readTextFileSync(`${tasks}/${name}/stat`));
    while ([...Deno.readDirSync(tasks)].some(isRunning)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Memory that the process holds in bytes (resident set). */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024;
  }

  /** How many descriptors the process has open. */
  get descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.pid}/fd`)].length;
  }

  /** Waits until the process has at most so many descriptors open. */
  async hasDescriptors(most: number): Promise<void> {
    while (this.descriptors > most) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Ends the process, if it still runs, and removes its router. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await Promise.all([this.log.ended, this.access.ended]);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

const PIPED = { stdin: "null", stdout: "piped", stderr: "piped" } as const;

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

/** A program at a terminal of its own. */
export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  /** What it has shown. */
  readonly screen: Lines;

  /**
   * Starts the program.
   *
   * @param command The program and its arguments.
   */
  constructor(command: readonly string[]) {
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    this.#child = new Deno.Command(need("script", "bsdutils"), {
      // exec: a shell that waits for it would die of a Ctrl+C, too
      args: ["-qefc", `exec ${quoted.join(" ")}`, "/dev/null"],
      env: { SHELL: "/bin/sh" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.screen = new Lines(this.#child.stdout);
  }

  /** Resolves when the program has ended; its exit status. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Types a text, which nobody reads if the program has ended. */
  async type(text: string): Promise<void> {
    try {
      await this.#keyboard.write(new TextEncoder().encode(text));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  /**
   * Answers a prompt until a line comes: Deno drops what was typed before it
   * has begun to read the answer, and does not show when that is.
   *
   * @param answer What to type.
   * @param pattern What the line contains, or matches.
   */
  async answerUntil(
    answer: string,
    pattern: string | RegExp,
  ): Promise<string> {
    const timer = setInterval(() => this.type(`${answer}\n`), 100);
    try {
      return await this.screen.find(pattern);
    } finally {
      clearInterval(timer);
    }
  }

  /** Hangs up, which ends the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#keyboard.close().catch(() => {});
    await this.#child.status;
    await this.screen.ended;
  }
}

/** A server. */
abstract class Server<Conn extends Deno.Conn> implements AsyncDisposable {
  readonly #listener: Deno.Listener<Conn>;
  readonly #serving: Promise<void>;
  readonly #handlers = new Set<Promise<void>>();
  readonly #sockets = new Set<Conn>();
  /** How many connections it has accepted. */
  accepted = 0;

  constructor(
    listener: Deno.Listener<Conn>,
    handler: (socket: Conn) => Promise<void> | void,
  ) {
    this.#listener = listener;
    this.#serving = this.#serve(handler);
  }

  /** Where it listens. */
  protected get address(): Deno.Addr {
    return this.#listener.addr;
  }

  /** Stops listening and closes its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const socket of this.#sockets) socket[Symbol.dispose]();
    await this.#serving;
    await Promise.all(this.#handlers);
  }

  async #serve(
    handler: (socket: Conn) => Promise<void> | void,
  ): Promise<void> {
    for await (const socket of this.#listener) {
      this.accepted++;
      const done = this.#handle(socket, handler);
      this.#handlers.add(done);
      void done.finally(() => this.#handlers.delete(done));
    }
  }

  async #handle(
    socket: Conn,
    handler: (socket: Conn) => Promise<void> | void,
  ): Promise<void> {
    this.#sockets.add(socket);
    try {
      await handler(socket);
    } catch {
      // the connection was closed under it, by the test or by the proxy
    } finally {
      this.#sockets.delete(socket);
      socket[Symbol.dispose]();
    }
  }
}

/** A server on a port of 127.0.0.1 that is free, or of another address. */
export class Backend extends Server<Deno.TcpConn> {
  /**
   * @param handler Serves a connection; it is closed when the promise resolves.
   * @param address Where to listen, such as an IPv4 address of its own.
   */
  constructor(
    handler: (socket: Deno.TcpConn) => Promise<void> | void,
    address: Partial<Deno.TcpListenOptions> = {},
  ) {
    super(
      Deno.listen({ hostname: "127.0.0.1", port: 0, ...address }),
      handler,
    );
  }

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `${(this.address as Deno.NetAddr).hostname}:${this.port}`;
  }

  /** The port. */
  get port(): number {
    return (this.address as Deno.NetAddr).port;
  }
}

/**
 * A server that says its name and closes.
 *
 * @param hostname Where it listens.
 */
export function named(name: string, hostname = "127.0.0.1"): Backend {
  return new Backend((socket) => send(socket, name), { hostname });
}

/** A server on a socket file. */
export class UnixBackend extends Server<Deno.UnixConn> {
  /** The socket file. */
  readonly path: string;

  /**
   * @param path Where to make the socket file.
   * @param handler Serves a connection; it is closed when the promise resolves.
   */
  constructor(
    path: string,
    handler: (socket: Deno.UnixConn) => Promise<void> | void,
  ) {
    super(Deno.listen({ transport: "unix", path }), handler);
    this.path = path;
  }
}

/** A server whose connections a test takes, and serves, one by one. */
export class Upstream implements Disposable {
  readonly #listener: Deno.TcpListener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
  });

  /** `127.0.0.1:port`. */
  get remote(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Waits for the next connection; the caller closes it. */
  accept(): Promise<Deno.TcpConn> {
    return this.#listener.accept();
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/**
 * A connection that can be reset: `close` of a `Deno.TcpConn` always sends an
 * EOF first.
 */
export class Resettable {
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("error", () => {}); // the peer may be faster
  }

  /** Connects to a port of 127.0.0.1. */
  static async connect(port: number): Promise<Resettable> {
    const socket = net.connect({
      host: "127.0.0.1",
      port,
      allowHalfOpen: true,
    });
    await once(socket, "connect");
    return new Resettable(socket);
  }

  /**
   * Listens, and waits for one connection.
   *
   * @returns The remote, and the connection to come.
   */
  static async listen(): Promise<
    { remote: string; connection: Promise<Resettable> }
  > {
    const server = net.createServer({ allowHalfOpen: true });
    const connection = once(server, "connection").then(([socket]) => {
      server.close();
      return new Resettable(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    return { remote: `127.0.0.1:${port}`, connection };
  }

  /** Sends text. */
  send(text: string): void {
    this.#socket.write(text);
  }

  /** Waits for the next bytes that come. */
  async receive(): Promise<string> {
    const [bytes] = await once(this.#socket, "data");
    return String(bytes);
  }

  /** Waits until the peer has ended its side; what it sends is dropped. */
  async ended(): Promise<void> {
    if (this.#socket.readableEnded) return;
    const ended = once(this.#socket, "end");
    this.#socket.resume();
    await ended;
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Ends its side, once all is sent. */
  end(): void {
    this.#socket.end();
  }

  /** Resets the connection, unless the peer has. */
  async reset(): Promise<void> {
    if (this.#socket.closed) return;
    // not once(), which rejects if an error of before is told first
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", () => resolve());
    this.#socket.resetAndDestroy();
    await promise;
  }
}

/** Ports that are given to nobody who asks for any: below those, on Linux. */
const UNGIVEN = { from: 15_000, to: 32_000 };

/**
 * Finds a port of 127.0.0.1 on which nobody listens, and which nobody else is
 * given: no listener that asks for a free port, and no connection that goes out.
 */
export function unusedPort(): number {
  const { from, to } = UNGIVEN;
  for (;;) {
    const port = from + Math.floor(Math.random() * (to - from));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Waits until nobody listens on a port of 127.0.0.1 any more. */
export async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      // it was in the queue of a listener that has been closed
      const isGone = error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.NotConnected;
      if (!isGone) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Writes all of a text or of bytes. */
export async function send(
  socket: Deno.Conn,
  data: string | Uint8Array,
): Promise<void> {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  for (let at = 0; at < bytes.length;) {
    at += await socket.write(bytes.subarray(at));
  }
}

/** Reads until EOF; the result is text of one character per byte. */
export async function receiveAll(socket: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return text;
    text += String.fromCharCode(...buffer.subarray(0, count));
  }
}

/** Reads exactly so many bytes, as text of one character per byte. */
export async function receive(
  socket: Deno.Conn,
  length: number,
): Promise<string> {
  const buffer = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await socket.read(buffer.subarray(at));
    if (count === null) {
      throw new Error(`EOF after ${at} of ${length} bytes`);
    }
    at += count;
  }
  return String.fromCharCode(...buffer);
}

/** What a bulk transfer consisted of. */
export interface Digest {
  readonly length: number;
  readonly sha256: string;
}

/** Sends so many bytes, which differ all along, and tells their hash. */
export async function sendBulk(
  socket: Deno.Conn,
  length: number,
): Promise<Digest> {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(262_144);
  for (let at = 0; at < chunk.length; at += 65_536) {
    crypto.getRandomValues(chunk.subarray(at, at + 65_536));
  }
  for (let sent = 0; sent < length;) {
    new DataView(chunk.buffer).setFloat64(0, sent);
    const part = chunk.subarray(0, Math.min(chunk.length, length - sent));
    hash.update(part);
    await send(socket, part);
    sent += part.length;
  }
  return { length, sha256: hash.digest("hex") };
}

/** Reads until EOF and tells the hash of what came. */
export async function receiveBulk(socket: Deno.Conn): Promise<Digest> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(262_144);
  let length = 0;
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return { length, sha256: hash.digest("hex") };
    hash.update(buffer.subarray(0, count));
    length += count;
  }
}

/** A router that sends everybody to one remote at the first byte. */
export function routerTo(remote: string): string {
  return `export default () => ({ remote: "${remote}" });`;
}

/** A router that answers each line with `reply`, until one says where to go. */
export function dialogue(
  remote: string,
  reply = "data.text.slice(0, length)",
): string {
  return `export default (data) => {
    const length = data.text.indexOf("\\n") + 1;
    if (length === 0) return { noop: true };
    return data.startsWith("go")
      ? { remote: "${remote}", reply: "going\\n" }
      : { reply: ${reply}, consume: length };
  };`;
}
