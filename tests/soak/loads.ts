/**
 * What clients do to the proxy, all at the same time: most of them work, the
 * others meet a fault, or are one.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import type { EndReason } from "../../src/stats/end_reason.ts";
import type { Resettable } from "../support/resettable.ts";
import {
  receive,
  receiveAll,
  receiveBulk,
  send,
  sendBulk,
} from "../support/sockets.ts";

/** What the remotes `page` and `stream` send: so long that it has to be waited for. */
export const PAGE: Uint8Array<ArrayBuffer> = new Uint8Array(1_048_576).map((
  _,
  index,
) => index * 7 + (index >> 8));

/** Where connections have to begin with a PROXY header. */
export const BEHIND = "127.0.0.2";

/** Where TLS ends. */
export const ENCRYPTED = "127.0.0.3";

/** What a client has. */
export interface World {
  /** It is time to come to an end. */
  readonly stopping: boolean;
  /** Connects to the listener; the caller closes it. */
  connect(): Promise<Deno.TcpConn>;
  /** Connects to the listener that expects a PROXY header. */
  connectBehind(): Promise<Deno.TcpConn>;
  /** Connects to the listener with TLS. */
  connectTls(): Promise<Deno.TlsConn>;
  /** Connects to the listener with TLS, and speaks none yet. */
  connectToTls(): Promise<Deno.TcpConn>;
  /** Connects to the listener by a connection that can be reset. */
  connectResettable(): Promise<Resettable>;
  /** Waits, unless it is time to come to an end. */
  pause(milliseconds: number): Promise<void>;
}

/** A kind of clients. */
export interface Load {
  /** What they are called in reports. */
  readonly name: string;
  /** How many there are at a time. */
  readonly clients: number;
  /** Milliseconds after one has left, until the next one comes. */
  readonly pause: number;
  /** How their connections may end. */
  readonly ends: readonly EndReason[];
  /**
   * Is one of them.
   *
   * @throws If the proxy has not done what it should.
   */
  be(world: World): Promise<void>;
}

/** Those that work, and must not notice the others. */
const HEALTHY: readonly Load[] = [
  {
    name: "requests over a lasting connection",
    clients: 8,
    pause: 10,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      for (let count = 0; count < 100 && !world.stopping; count++) {
        await request(socket);
        await world.pause(10);
      }
    },
  },
  {
    name: "a connection per request",
    clients: 4,
    pause: 50,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      await send(
        socket,
        "GET / HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n",
      );
      assertMatch(
        await receiveAll(socket),
        /^HTTP\/1\.1 200 OK\r\n.*well\n$/s,
      );
    },
  },
  {
    name: "a dialogue with the router, then a request",
    clients: 2,
    pause: 100,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      for (let round = 0; round < 3; round++) {
        await send(socket, "hello router\n");
        assertEquals(await receive(socket, 3), "hi\n");
      }
      await request(socket);
    },
  },
  {
    name: "4 MB each way",
    clients: 2,
    pause: 500,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      await echo(socket, "echo");
      const [sent, received] = await Promise.all([
        sendBulk(socket, 4_000_000).then(async (digest) => {
          await socket.closeWrite();
          return digest;
        }),
        receiveBulk(socket),
      ]);
      assertEquals(received, sent);
    },
  },
  {
    name: "idle for 12 seconds",
    clients: 60,
    pause: 100,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      await echo(socket, "echo");
      await world.pause(12_000);
      await echo(socket, "still here");
    },
  },
  {
    name: "sends one byte a second",
    clients: 20,
    pause: 100,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      for (const byte of "echo ") {
        await send(socket, byte);
        await world.pause(1000);
      }
      assertEquals(await receive(socket, 5), "echo ");
    },
  },
  {
    name: "reads slowly",
    clients: 5,
    pause: 100,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      await send(socket, "page ");
      const buffer = new Uint8Array(131_072);
      let at = 0;
      for (;;) {
        const count = await socket.read(buffer);
        if (count === null) break;
        assertEquals(
          buffer.subarray(0, count),
          PAGE.subarray(at, at + count),
        );
        at += count;
        await world.pause(500);
      }
      assertEquals(at, PAGE.length);
    },
  },
  {
    name: "a remote that sends one byte a second",
    clients: 10,
    pause: 100,
    ends: ["done"],
    be: (world) => ask(world, "trickle ", "slow"),
  },
  echoes("a remote with TLS", "tls", (world) => world.connect()),
  echoes(
    "a remote from a table in Redis",
    "table",
    (world) => world.connect(),
  ),
  echoes("a client with TLS", "echo", (world) => world.connectTls()),
  {
    name: "a PROXY header from the client",
    clients: 2,
    pause: 200,
    ends: ["router-close"],
    async be(world) {
      using socket = await world.connectBehind();
      await send(socket, "PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\nwho ");
      assertEquals(await receiveAll(socket), "192.0.2.7");
    },
  },
  {
    name: "a PROXY header to the remote",
    clients: 2,
    pause: 200,
    ends: ["done"],
    async be(world) {
      using socket = await world.connect();
      await send(socket, "header\n");
      const here = socket.localAddr as Deno.NetAddr;
      const there = socket.remoteAddr as Deno.NetAddr;
      assertEquals(
        await receiveAll(socket),
        `PROXY TCP4 127.0.0.1 127.0.0.1 ${here.port} ${there.port}\r\n`,
      );
    },
  },
];

/** Remotes that fail, routers that err, and clients who make no sense. */
const FAULTS: readonly Load[] = [
  {
    name: "a remote that refuses",
    clients: 5,
    pause: 100,
    ends: ["connect-failed"],
    be: (world) => ask(world, "refuse ", ""),
  },
  {
    name: "a remote that closes",
    clients: 2,
    pause: 100,
    ends: ["remote-left"],
    be: (world) => ask(world, "leave ", ""),
  },
  {
    name: "a remote that resets",
    clients: 2,
    pause: 100,
    ends: ["remote-reset"],
    async be(world) {
      using socket = await world.connect();
      await send(socket, "reset ");
      await receive(socket, 1);
      await send(socket, "now");
      // what is on its way when the reset comes may be lost, and the rest is
      await receiveBulk(socket).catch(() => {});
    },
  },
  {
    name: "a remote that says nothing",
    clients: 5,
    pause: 100,
    ends: ["inactivity-timeout"],
    be: (world) => ask(world, "silence ", ""),
  },
  {
    name: "a decision that is malformed",
    clients: 1,
    pause: 200,
    ends: ["router-error"],
    be: (world) => ask(world, "mistake ", ""),
  },
  {
    name: "a router that throws",
    clients: 1,
    pause: 200,
    ends: ["router-error"],
    be: (world) => ask(world, "throw ", ""),
  },
  {
    name: "garbage",
    clients: 2,
    pause: 100,
    ends: ["router-close"],
    be: (world) => ask(world, `${noise(2000)} `, ""),
  },
  {
    name: "garbage without an end",
    clients: 1,
    pause: 500,
    ends: ["preread-limit"],
    async be(world) {
      using socket = await world.connect();
      // it is closed before all is sent
      await send(socket, noise(200_000)).catch(() => {});
      await receiveBulk(socket).catch(() => {});
    },
  },
  {
    name: "garbage in place of TLS",
    clients: 1,
    pause: 200,
    ends: ["tls-failed"],
    async be(world) {
      using socket = await world.connectToTls();
      await send(socket, noise(100));
      await receiveBulk(socket).catch(() => {}); // an alert, or nothing
    },
  },
  {
    name: "silence",
    clients: 10,
    pause: 100,
    ends: ["preread-timeout", "client-left"],
    async be(world) {
      using socket = await world.connect();
      const end = receiveAll(socket);
      await Promise.race([end, world.pause(60_000)]);
      if (world.stopping) await socket.closeWrite();
      assertEquals(await end, "");
    },
  },
];

/** Clients that reset the connection, by the stage that it is in. */
const RESETS: readonly Load[] = [
  resets("resets before it has sent a byte", "", []),
  resets("resets while the router wants more", "ech", []),
  resets("resets while the router thinks", "later ", []),
  resets("resets while the proxy connects", "refuse ", ["connect-failed"]),
  resets("resets before the remote has answered", "wait ", []),
  resets("resets while it receives", "stream ", []),
  {
    ...resets("resets when it has half-closed", "wait ", []),
    async be(world) {
      const client = await world.connectResettable();
      client.send("wait ");
      client.end();
      await world.pause(100);
      await client.reset();
    },
    // the remote ends, too; and in the end there may be no byte before the EOF
    ends: ["client-reset", "remote-left", "client-left", "done"],
  },
];

/** All kinds of clients. */
export const LOADS: readonly Load[] = [...HEALTHY, ...FAULTS, ...RESETS];

/** Clients that get two lines back, the first of which names the remote. */
function echoes(
  name: string,
  word: string,
  connect: (world: World) => Promise<Deno.Conn>,
): Load {
  return {
    name,
    clients: 2,
    pause: 200,
    ends: ["done"],
    async be(world) {
      using socket = await connect(world);
      await echo(socket, word);
      await echo(socket, "once more");
    },
  };
}

function resets(
  name: string,
  text: string,
  others: readonly EndReason[],
): Load {
  return {
    name,
    clients: 1,
    pause: 100,
    ends: ["client-reset", ...others],
    async be(world) {
      const client = await world.connectResettable();
      if (text !== "") client.send(text);
      await world.pause(100);
      await client.reset();
    },
  };
}

/** A request of HTTP, and its answer. */
async function request(socket: Deno.Conn): Promise<void> {
  await send(socket, "GET / HTTP/1.1\r\nHost: soak\r\n\r\n");
  const buffer = new Uint8Array(1024);
  let answer = "";
  while (!answer.endsWith("well\n")) {
    const count = await socket.read(buffer);
    if (count === null) throw new Error(`EOF after "${answer}"`);
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
  assertMatch(answer, /^HTTP\/1\.1 200 OK\r\n/);
}

/** Sends a line, and expects it back. */
async function echo(socket: Deno.Conn, word: string): Promise<void> {
  await send(socket, `${word}\n`);
  assertEquals(await receive(socket, word.length + 1), `${word}\n`);
}

/** Sends something, and expects an answer and the end. */
async function ask(
  world: World,
  question: string,
  answer: string,
): Promise<void> {
  using socket = await world.connect();
  await send(socket, question);
  assertEquals(await receiveAll(socket), answer);
}

/** Letters by chance, and no word that the router knows. */
function noise(length: number): string {
  return Array.from(
    { length },
    () => String.fromCharCode(97 + Math.floor(Math.random() * 26)),
  ).join("");
}
