/**
 * A name server whose answers a test changes while it runs.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import dgram from "node:dgram";
// @ts-types="../../src/net/dns_packet.d.ts"
import dnsPacket from "dns-packet";
import type { Record } from "../../src/net/dns_packet.d.ts";

/** What a {@linkcode DnsServer} says to one question. */
export type Reply =
  /** Records with these data. */
  | {
    readonly records: readonly unknown[];
    /** Seconds; 60 if it is left out. */
    readonly ttl?: number;
    /** Aliases on the way to the records. */
    readonly aliases?: readonly string[];
    /** Over UDP only the mark that the answer is longer. */
    readonly truncated?: boolean;
  }
  /** There is no such record. */
  | "none"
  /** There is no such name. */
  | "NXDOMAIN"
  | "SERVFAIL"
  /** Nothing is sent. */
  | "silence";

/** Says what to answer. */
export type Answering = (name: string, type: string) => Reply;

/** A question that came in. */
export interface Asked {
  readonly name: string;
  readonly type: string;
}

/** A name server on 127.0.0.1, over UDP and TCP. */
export class DnsServer implements AsyncDisposable {
  /** All questions, in order. */
  readonly asked: Asked[] = [];
  readonly port: number;
  /** May be changed at any time. */
  answering: Answering;
  readonly #udp: dgram.Socket;
  readonly #tcp: Deno.TcpListener;
  readonly #done: Promise<unknown>;

  private constructor(
    udp: dgram.Socket,
    tcp: Deno.TcpListener,
    answering: Answering,
  ) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = tcp.addr.port;
    this.answering = answering;
    udp.on("message", (message, from) => {
      const reply = this.#reply(message, true);
      if (reply !== undefined) udp.send(reply, from.port, from.address);
    });
    this.#done = this.#serveTcp();
  }

  /** Starts one; any port unless one is given. */
  static async start(answering: Answering, port = 0): Promise<DnsServer> {
    const tcp = Deno.listen({ hostname: "127.0.0.1", port });
    const udp = dgram.createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(tcp.addr.port, "127.0.0.1", resolve);
    });
    return new DnsServer(udp, tcp, answering);
  }

  /** How often it was asked for a name; for one type if that is given. */
  count(name: string, type?: string): number {
    return this.asked.filter((asked) =>
      asked.name === name && (type === undefined || asked.type === type)
    ).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tcp.close();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await this.#done;
  }

  async #serveTcp(): Promise<void> {
    const served: Promise<void>[] = [];
    try {
      for await (const conn of this.#tcp) served.push(this.#serveConn(conn));
    } catch {
      // the listener is closed
    }
    await Promise.all(served);
  }

  async #serveConn(conn: Deno.TcpConn): Promise<void> {
    using _ = conn;
    const buffer = new Uint8Array(4096);
    let length = 0;
    while (length < 2 || length < 2 + buffer[0]! * 256 + buffer[1]!) {
      const count = await conn.read(buffer.subarray(length));
      if (count === null) return;
      length += count;
    }
    const reply = this.#reply(buffer.slice(2, length), false);
    if (reply === undefined) return;
    const whole = new Uint8Array(reply.length + 2);
    new DataView(whole.buffer).setUint16(0, reply.length);
    whole.set(reply, 2);
    for (let at = 0; at < whole.length;) {
      at += await conn.write(whole.subarray(at));
    }
  }

  #reply(message: Uint8Array, isUdp: boolean): Uint8Array | undefined {
    const { id, questions } = dnsPacket.decode(Buffer.from(message));
    const [question] = questions;
    if (question === undefined) return undefined;
    const { name, type } = question;
    this.asked.push({ name, type });
    const reply = this.answering(name, type);
    if (reply === "silence") return undefined;
    const packet = {
      type: "response" as const,
      id,
      flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE,
      questions,
      answers: [] as Record[],
    };
    if (reply === "NXDOMAIN") packet.flags |= 3;
    else if (reply === "SERVFAIL") packet.flags |= 2;
    else if (typeof reply === "object") {
      if (reply.truncated && isUdp) {
        packet.flags |= dnsPacket.TRUNCATED_RESPONSE;
      } else packet.answers = answersOf(name, type, reply);
    }
    return dnsPacket.encode(packet);
  }
}

function answersOf(
  name: string,
  type: string,
  { records, ttl = 60, aliases = [] }: Extract<Reply, object>,
): Record[] {
  const answers: unknown[] = [];
  let owner = name;
  for (const alias of aliases) {
    answers.push({ type: "CNAME", name: owner, ttl, data: alias });
    owner = alias;
  }
  for (const data of records) answers.push({ type, name: owner, ttl, data });
  return answers as Record[];
}
