import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HttpTimes } from "../../src/admin/http_connection.ts";
import type { HttpAnswer, HttpAsked } from "../../src/admin/http_message.ts";
import { HttpServer } from "../../src/admin/http_server.ts";
import { MAX_ADMIN_CONNECTIONS } from "../../src/options/admin.ts";
import { receive, receiveAll, send } from "../support/sockets.ts";

/** Answers with what was asked. */
function echo({ method, url }: HttpAsked): Promise<HttpAnswer> {
  return Promise.resolve({
    status: 200,
    headers: { "content-type": "text/plain" },
    body: `${method} ${url}`,
  });
}

/** Times that no test reaches. */
const LONG = { head: 600, idle: 600 };

/** A server, and connections to it. */
class Fixture implements Disposable {
  readonly #server: HttpServer;
  readonly #sockets: Deno.TcpConn[] = [];

  constructor(handler = echo, times: HttpTimes = LONG) {
    const address = { hostname: "127.0.0.1", port: 0 };
    this.#server = new HttpServer(
      address,
      handler,
      (error) => {
        throw error;
      },
      times,
    );
  }

  async connect(): Promise<Deno.TcpConn> {
    const { hostname, port } = this.#server.address;
    const socket = await Deno.connect({ hostname, port });
    this.#sockets.push(socket);
    return socket;
  }

  /** Sends a text, and reads until the server closes. */
  async last(text: string): Promise<string> {
    const socket = await this.connect();
    await send(socket, text);
    return await receiveAll(socket);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket[Symbol.dispose]();
    this.#server[Symbol.dispose]();
  }
}

const HOST = "Host: localhost\r\n";

/** Sends a request whose answer is `GET http://localhost/…`. */
async function ask(socket: Deno.TcpConn, path: string): Promise<void> {
  await send(socket, `GET ${path} HTTP/1.1\r\n${HOST}\r\n`);
  const body = `GET http://localhost${path}`;
  let text = "";
  while (!text.endsWith(body)) text += await receive(socket, 1);
}

Deno.test("HttpServer answers requests one after the other on a connection", async () => {
  using fixture = new Fixture();
  const socket = await fixture.connect();
  await ask(socket, "/a");
  await ask(socket, "/b?c=d");
  await send(socket, `HEAD /e HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
  const head = await receiveAll(socket);
  assertMatch(head, /^HTTP\/1\.1 200 OK\r\n/);
  assertMatch(head, /\r\ndate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n/);
  assertMatch(head, /\r\ncontent-length: 23\r\nconnection: close\r\n\r\n$/);
});

Deno.test("HttpServer reads a head in pieces", async () => {
  using fixture = new Fixture();
  const socket = await fixture.connect();
  const end = "Connection: close\r\n\r\n";
  const long = `X: ${"y".repeat(9000)}\r\n`;
  for (const byte of `GET /a HTTP/1.1\r\n${HOST}`) await send(socket, byte);
  await send(socket, long);
  for (const byte of end) await send(socket, byte);
  assertMatch(await receiveAll(socket), /\r\n\r\nGET http:\/\/localhost\/a$/);
});

Deno.test("HttpServer takes the host from the target, the field, or its address", async () => {
  using fixture = new Fixture();
  const url = async (text: string) =>
    (await fixture.last(text)).split("\r\n\r\n")[1];
  const close = "Connection: close\r\n\r\n";
  assertEquals(
    await url(`GET http://a:1/b HTTP/1.1\r\n${HOST}${close}`),
    "GET http://a:1/b",
  );
  assertEquals(
    await url(`GET / HTTP/1.1\r\nHost: [::1]:9\r\n${close}`),
    "GET http://[::1]:9/",
  );
  assertEquals(await url("GET /b HTTP/1.0\r\n\r\n"), "GET http://127.0.0.1/b");
});

Deno.test("HttpServer refuses what is no request, and closes", async () => {
  using fixture = new Fixture();
  for (
    const text of [
      "\x16\x03\x01\x02\x00\x01",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET http://a|b/ HTTP/1.0\r\n\r\n",
    ]
  ) {
    assertMatch(
      await fixture.last(text),
      /^HTTP\/1\.1 400 Bad Request\r\n[^]*\{"error":"this is no HTTP\/1 request"\}\n$/,
      text,
    );
  }
  assertMatch(
    await fixture.last(
      `GET / HTTP/1.1\r\n${HOST}X: ${"y".repeat(20_000)}\r\n\r\n`,
    ),
    /^HTTP\/1\.1 431 [^]*must have less than 16384 bytes/,
  );
});

Deno.test("HttpServer answers a request with a body without waiting for it, and closes", async () => {
  using fixture = new Fixture();
  for (const length of ["Content-Length: 99", "Transfer-Encoding: chunked"]) {
    const answer = await fixture.last(
      `POST /a HTTP/1.1\r\n${HOST}${length}\r\n\r\n`,
    );
    assertMatch(answer, /\r\nconnection: close\r\n[^]*POST http:/);
  }
  // a second request is not answered out of turn, but not at all
  const two = `GET /a HTTP/1.1\r\n${HOST}\r\n`.repeat(2);
  assertEquals((await fixture.last(two)).match(/HTTP\/1.1 200/g)?.length, 1);
});

Deno.test("HttpServer closes what waits longest when there are too many", async () => {
  using fixture = new Fixture();
  const oldest = await fixture.connect();
  await ask(oldest, "/a");
  const rest = [];
  for (let i = 1; i < MAX_ADMIN_CONNECTIONS; i++) {
    const socket = await fixture.connect();
    await ask(socket, "/b");
    rest.push(socket);
  }
  // now it is the one that has waited for the shortest time
  await ask(oldest, "/c");
  const other = await fixture.connect();
  await ask(other, "/d");
  assertEquals(await rest[0]?.read(new Uint8Array(1)), null);
  await ask(oldest, "/e");
  for (const socket of rest.slice(1)) await ask(socket, "/f");
});

Deno.test("HttpServer closes no connection that is being answered", async () => {
  const answer = Promise.withResolvers<void>();
  const full = Promise.withResolvers<void>();
  let asked = 0;
  using fixture = new Fixture(async (request) => {
    if (++asked === MAX_ADMIN_CONNECTIONS) full.resolve();
    await answer.promise;
    return await echo(request);
  });
  const sockets = [];
  for (let i = 0; i < MAX_ADMIN_CONNECTIONS; i++) {
    const socket = await fixture.connect();
    await send(socket, "GET /a HTTP/1.0\r\n\r\n");
    sockets.push(socket);
  }
  await full.promise;
  const late = await fixture.connect();
  assertEquals(await late.read(new Uint8Array(1)), null);
  answer.resolve();
  for (const text of await Promise.all(sockets.map(receiveAll))) {
    assertMatch(text, /GET http:/);
  }
});

Deno.test("HttpServer closes a connection whose request does not come in time", async () => {
  using fixture = new Fixture(echo, { head: 0.2, idle: 600 });
  const silent = await fixture.connect();
  const slow = await fixture.connect();
  // it may have been closed already
  await send(slow, "GET / HT").catch(() => {});
  assertEquals(await ended(silent), true);
  assertEquals(await ended(slow), true);
});

Deno.test("HttpServer closes a connection that takes no answer, or asks no more", async () => {
  const body = "x".repeat(50_000_000);
  using fixture = new Fixture(
    (request) =>
      request.url.endsWith("/large")
        ? Promise.resolve({ status: 200, headers: {}, body })
        : echo(request),
    { head: 600, idle: 0.2 },
  );
  const idle = await fixture.connect();
  await ask(idle, "/a");
  assertEquals(await idle.read(new Uint8Array(1)), null);
  const stuck = await fixture.connect();
  await send(stuck, `GET /large HTTP/1.1\r\n${HOST}\r\n`);
  assertEquals(await receive(stuck, 12), "HTTP/1.1 200");
  // the other has been closed by the same look, or by a later one
  const next = await fixture.connect();
  await ask(next, "/a");
  assertEquals(await next.read(new Uint8Array(1)), null);
  assert((await drained(stuck)) < body.length);
});

/** Tells whether the other side has ended the connection. */
async function ended(socket: Deno.TcpConn): Promise<boolean> {
  try {
    return await socket.read(new Uint8Array(1)) === null;
  } catch (error) {
    // it had bytes that nobody read
    return error instanceof Deno.errors.ConnectionReset;
  }
}

/** Counts the bytes until the other side ends the connection. */
async function drained(socket: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let length = 0;
  try {
    for (;;) {
      const read = await socket.read(buffer);
      if (read === null) return length;
      length += read;
    }
  } catch {
    return length;
  }
}
