/**
 * The remotes, in a process of their own: those that work, and those that fail.
 *
 * @module
 */
import { ResettingBackend } from "../support/faulty_remotes.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";
import { tell, untilStopped } from "./helper.ts";
import { PAGE } from "./loads.ts";
import { delay } from "../support/delay.ts";

/** What the process is told. */
export interface BackendTask {
  /** A certificate for 127.0.0.1, and its key, in PEM. */
  readonly cert: string;
  readonly key: string;
}

/** `127.0.0.1:port` of each remote. */
export interface Remotes {
  /** Speak HTTP. */
  readonly http: readonly string[];
  /** Sends back all that it gets. */
  readonly echo: string;
  /** The same behind TLS. */
  readonly tls: string;
  /** Sends back the first line, which has to be a PROXY header, and closes. */
  readonly header: string;
  /** Sends {@linkcode PAGE} again and again, as fast as it is taken. */
  readonly stream: string;
  /** Sends {@linkcode PAGE} once, and closes. */
  readonly page: string;
  /** Sends four bytes, one a second, and closes. */
  readonly slow: string;
  /** Reads something, and closes. */
  readonly closing: string;
  /** Answers, and resets the connection at the second message. */
  readonly resetting: string;
  /** Reads all, and says nothing. */
  readonly silent: string;
}

/** What the process says when it listens. */
export interface Listening {
  readonly type: "listening";
  readonly remotes: Remotes;
}

async function echo(socket: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return;
    await send(socket, buffer.subarray(0, count));
  }
}

async function tellFirstLine(socket: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  let text = "";
  while (!/\n.*\n/.test(text)) {
    const count = await socket.read(buffer);
    if (count === null) return;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  await send(socket, text.slice(0, text.indexOf("\n") + 1));
}

async function trickle(socket: Deno.Conn): Promise<void> {
  for (const byte of "slow") {
    await delay(1000);
    await send(socket, byte);
  }
}

function serveHttp(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => resolve(`127.0.0.1:${port}`),
  }, () => new Response("all is well\n"));
  return promise;
}

function serveTls({ cert, key }: BackendTask): string {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert,
    key,
  });
  void (async () => {
    for await (const socket of listener) {
      void echo(socket).catch(() => {}).finally(() => socket.close());
    }
  })();
  return `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
}

function serve(handler: (socket: Deno.TcpConn) => Promise<void>): string {
  return new Backend(handler).remote;
}

/** Reads the question first: to close with a part of it unread is to reset. */
function answer(
  handler: (socket: Deno.TcpConn) => Promise<void>,
): (socket: Deno.TcpConn) => Promise<void> {
  return async (socket) => {
    await socket.read(new Uint8Array(1024));
    await handler(socket);
  };
}

if (import.meta.main) {
  const task: BackendTask = JSON.parse(Deno.args[0] ?? "");
  const remotes: Remotes = {
    http: [await serveHttp(), await serveHttp()],
    echo: serve(echo),
    tls: serveTls(task),
    header: serve(tellFirstLine),
    stream: serve(answer(async (socket) => {
      for (;;) await send(socket, PAGE);
    })),
    page: serve(answer((socket) => send(socket, PAGE))),
    slow: serve(answer(trickle)),
    closing: serve(answer(async () => {})),
    resetting: (await ResettingBackend.listen()).remote,
    silent: serve(async (socket) => {
      await receiveAll(socket);
    }),
  };
  tell({ type: "listening", remotes } as Listening);
  await untilStopped();
  Deno.exit(); // with what is left of its connections
}
