/**
 * Questions to name servers: over UDP, and over TCP where an answer is too long
 * for UDP (RFC 1035, RFC 6891, RFC 7766).
 *
 * The resolvers of the runtime do not tell a name that does not exist from a
 * name server that has failed (NXDOMAIN from SERVFAIL), have no time to live for
 * SRV records, and ask again for tens of seconds when nobody answers. So the
 * questions are sent and timed here.
 *
 * @module
 */
import dgram from "node:dgram";
import {
  type Answer,
  answers,
  type Asked,
  decode,
  encode,
  isDomainName,
  readAnswer,
  type RecordType,
  withId,
} from "./dns_message.ts";
import type { Packet } from "./dns_packet.d.ts";
import { writeAll } from "../lib/write_all.ts";
import { connectUntil } from "./connect_until.ts";
import type { NameServer, ResolverConfig } from "./resolver_files.ts";

/** Asks name servers. */
export interface DnsClient {
  /**
   * Asks for the records of a name.
   *
   * @param name Without a dot at its end.
   * @returns The answer; never rejects.
   */
  query(name: string, type: RecordType): Promise<Answer>;
}

/** Milliseconds after which the next name server is asked, too. */
const PATIENCE = 1000;

/** The most questions that may be open at once. */
const MAX_OPEN = 4096;

/** Questions after which another local port is taken, against forged answers. */
const QUESTIONS_PER_PORT = 100;

/** Bytes of the header of a message. */
const HEADER = 12;

/** One question, at all name servers. */
interface Question extends Asked {
  /** The message; its first two bytes are the number of the question. */
  readonly bytes: Uint8Array;
  /** Takes an answer of a name server to this question. */
  readonly take: (server: NameServer, packet: Packet) => void;
}

/** A UDP socket, and the questions that wait for answers at its port. */
class Port {
  readonly #questions: Map<number, Question> = new Map();
  readonly #server: NameServer;
  readonly #socket: dgram.Socket;
  #asked = 0;
  #retired = false;

  constructor(server: NameServer) {
    this.#server = server;
    this.#socket = dgram.createSocket(
      server.hostname.includes(":") ? "udp6" : "udp4",
    );
    // what cannot be sent is a question without an answer
    this.#socket.on("error", () => this.retire());
    this.#socket.on("message", (message, from) => {
      if (from.port === server.port) this.#take(message);
    });
  }

  /** Whether another port has to be taken for the next question. */
  get isUsedUp(): boolean {
    return this.#retired || this.#asked >= QUESTIONS_PER_PORT;
  }

  /**
   * Sends a question.
   *
   * @returns Its number here; for {@linkcode Port.forget}.
   */
  ask(question: Question): number {
    const id = this.#freeId();
    this.#asked++;
    this.#questions.set(id, question);
    const bytes = withId(question.bytes, id);
    const { hostname, port } = this.#server;
    this.#socket.send(bytes, port, hostname, (error) => {
      if (error !== null) this.retire();
    });
    return id;
  }

  /** Takes no answer to a question any more. */
  forget(id: number): void {
    this.#questions.delete(id);
    if (this.#retired) this.#closeWhenIdle();
  }

  /** Takes no more questions, and closes when those that it has are over. */
  retire(): void {
    this.#retired = true;
    this.#closeWhenIdle();
  }

  #freeId(): number {
    const box = new Uint16Array(1);
    do crypto.getRandomValues(box); while (this.#questions.has(box[0]!));
    return box[0]!;
  }

  #closeWhenIdle(): void {
    if (this.#questions.size > 0) return;
    try {
      this.#socket.close();
    } catch {
      // it is closed already
    }
  }

  #take(message: Uint8Array): void {
    if (message.length < HEADER) return;
    const question = this.#questions.get(message[0]! * 256 + message[1]!);
    if (question === undefined) return;
    const packet = decode(message);
    if (packet === undefined || !answers(packet, question)) return;
    question.take(this.#server, packet);
  }
}

/** Asks the name servers of `/etc/resolv.conf`. */
export class StubResolver implements DnsClient {
  readonly #config: ResolverConfig;
  readonly #ports: Map<NameServer, Port> = new Map();
  #open = 0;
  #first = 0;

  /** @param config Which servers, how often, and how long to wait. */
  constructor(config: ResolverConfig) {
    this.#config = config;
  }

  async query(name: string, type: RecordType): Promise<Answer> {
    if (!isDomainName(name)) {
      return { kind: "failed", error: "it is no domain name (RFC 1035)" };
    }
    if (this.#open >= MAX_OPEN) {
      const error = `${MAX_OPEN} questions wait for an answer`;
      return { kind: "failed", error };
    }
    this.#open++;
    try {
      const packet = await new Promise<Packet | string>((resolve) =>
        new Exchange(this.#config, this.#order(), this, name, type, resolve)
          .next()
      );
      return typeof packet === "string"
        ? { kind: "failed", error: packet }
        : readAnswer(packet, name, type);
    } finally {
      this.#open--;
    }
  }

  /** Closes the sockets; questions that are open end without an answer. */
  close(): void {
    for (const port of this.#ports.values()) port.retire();
    this.#ports.clear();
  }

  /** The port from which the next question to a server is sent. */
  portFor(server: NameServer): Port {
    let port = this.#ports.get(server);
    if (port === undefined || port.isUsedUp) {
      port?.retire();
      this.#ports.set(server, port = new Port(server));
    }
    return port;
  }

  /** The servers, beginning with another one each time if they rotate. */
  #order(): readonly NameServer[] {
    const { servers, rotate } = this.#config;
    const first = rotate ? this.#first++ % servers.length : 0;
    return [...servers.slice(first), ...servers.slice(0, first)];
  }
}

/**
 * One question and its tries. Each server is asked in turn; an answer counts as
 * long as none has come, also from a server that was slow.
 */
class Exchange {
  readonly #config: ResolverConfig;
  readonly #servers: readonly NameServer[];
  readonly #ports: { portFor(server: NameServer): Port };
  readonly #question: Question;
  readonly #end: (result: Packet | string) => void;
  readonly #asked: [port: Port, id: number][] = [];
  readonly #refusals: Map<NameServer, string> = new Map();
  #tries = 0;
  #last: NameServer | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    config: ResolverConfig,
    servers: readonly NameServer[],
    ports: { portFor(server: NameServer): Port },
    name: string,
    type: RecordType,
    end: (result: Packet | string) => void,
  ) {
    this.#config = config;
    this.#servers = servers;
    this.#ports = ports;
    this.#end = end;
    const take = (server: NameServer, packet: Packet) =>
      this.#take(server, packet);
    this.#question = { name, type, bytes: encode(name, type), take };
  }

  /** Asks the next server, or ends. */
  next(): void {
    clearTimeout(this.#timer);
    const { attempts, timeout } = this.#config;
    const most = this.#servers.length * attempts;
    let server: NameServer | undefined;
    while (this.#tries < most && server === undefined) {
      const next = this.#servers[this.#tries++ % this.#servers.length]!;
      if (!this.#refusals.has(next)) server = next;
    }
    if (server === undefined) return this.#finish(this.#whyFailed());
    this.#last = server;
    const port = this.#ports.portFor(server);
    this.#asked.push([port, port.ask(this.#question)]);
    const isLast = this.#tries % this.#servers.length === 0;
    this.#timer = setTimeout(
      () => this.next(),
      isLast ? timeout : Math.min(timeout, PATIENCE),
    );
  }

  #take(server: NameServer, packet: Packet): void {
    if (packet.flag_tc) return void this.#takeOverTcp(server);
    const { rcode } = packet;
    if (rcode === "NOERROR" || rcode === "NXDOMAIN") this.#finish(packet);
    else this.#refused(server, rcode);
  }

  /** The answer over UDP was cut short. */
  async #takeOverTcp(server: NameServer): Promise<void> {
    const { bytes } = this.#question;
    const packet = await askOverTcp(server, bytes, this.#config.timeout);
    if (packet === undefined || !answers(packet, this.#question)) {
      this.#refused(server, "no whole answer over TCP");
    } else {
      this.#finish(packet);
    }
  }

  /** A server that says that it cannot answer is not asked again. */
  #refused(server: NameServer, why: string): void {
    this.#refusals.set(server, `${why} from ${server.hostname}`);
    if (server === this.#last) this.next();
  }

  #whyFailed(): string {
    for (const why of this.#refusals.values()) return why;
    const servers = this.#servers.map(({ hostname }) => hostname);
    return `no answer from ${servers.join(", ")}`;
  }

  #finish(result: Packet | string): void {
    clearTimeout(this.#timer);
    for (const [port, id] of this.#asked) port.forget(id);
    this.#asked.length = 0;
    this.#last = undefined;
    this.#end(result);
  }
}

/** Asks over TCP; `undefined` if there is no answer in time. */
async function askOverTcp(
  server: NameServer,
  bytes: Uint8Array,
  timeout: number,
): Promise<Packet | undefined> {
  const signal = AbortSignal.timeout(timeout);
  let conn: Deno.TcpConn | undefined;
  const close = () => conn?.close();
  try {
    conn = await connectUntil(server, signal);
    signal.addEventListener("abort", close);
    const message = new Uint8Array(bytes.length + 2);
    new DataView(message.buffer).setUint16(0, bytes.length);
    message.set(bytes, 2);
    await writeAll(conn, message);
    const [high, low] = await readExactly(conn, 2);
    return decode(await readExactly(conn, high! * 256 + low!));
  } catch {
    return undefined;
  } finally {
    signal.removeEventListener("abort", close);
    try {
      close();
    } catch {
      // the time limit has closed it
    }
  }
}

async function readExactly(
  conn: Deno.TcpConn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Deno.errors.UnexpectedEof();
    at += count;
  }
  return bytes;
}
