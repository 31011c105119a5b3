/**
 * Messages of DNS (RFC 1035): what is asked, and what an answer says. The bytes
 * are read and written by the npm package dns-packet.
 *
 * @module
 */
import { Buffer } from "node:buffer";
// @ts-types="./dns_packet.d.ts"
import dnsPacket from "dns-packet";
import type { Packet, Record } from "./dns_packet.d.ts";

/** The types of records that are asked for. */
export type RecordType = "A" | "AAAA" | "SRV";

/** The data of one SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** A host name. */
  readonly target: string;
}

/** What one question has brought. */
export type Answer =
  | {
    /** There are such records. */
    readonly kind: "found";
    /** Of A and AAAA: IP addresses. */
    readonly addresses: readonly string[];
    /** Of SRV. */
    readonly services: readonly ServiceRecord[];
    /** Of an SRV answer: the addresses of its targets, where it has them. */
    readonly additional: ReadonlyMap<string, readonly string[]>;
    /** Seconds for which that holds. */
    readonly ttl: number;
  }
  | {
    /** `none`: the name has no such record; `no-name`: it does not exist. */
    readonly kind: "none" | "no-name";
    /** Seconds for which that holds (RFC 2308). */
    readonly ttl: number;
  }
  | {
    /** Either there is no such name or record, or nobody could tell. */
    readonly kind: "unknown";
  }
  | {
    /** Nobody has answered, or all name servers say that they cannot. */
    readonly kind: "failed";
    /** Such as `SERVFAIL` or `no answer from 127.0.0.1:53`. */
    readonly error: string;
  };

/** What was asked. */
export interface Asked {
  readonly name: string;
  readonly type: RecordType;
}

/** The most bytes of an answer over UDP that is asked for (RFC 9715). */
const UDP_SIZE = 1232;

/** The most records of an answer that count. */
const MAX_RECORDS = 1000;

/** The most names that one name may be an alias of, one after the other. */
const MAX_ALIASES = 16;

/** Writes a question; its number is 0. */
export function encode(name: string, type: RecordType): Uint8Array {
  return dnsPacket.encode({
    type: "query",
    id: 0,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type }],
    additionals: [{
      type: "OPT",
      name: ".",
      udpPayloadSize: UDP_SIZE,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      options: [],
    }],
  });
}

/** At most 253 characters, in labels of 1 to 63 (RFC 1035, 2.3.4). */
export function isDomainName(name: string): boolean {
  return name.length <= 253 &&
    name.split(".").every((label) => label.length >= 1 && label.length <= 63);
}

/** The same message with another number. */
export function withId(message: Uint8Array, id: number): Uint8Array {
  const bytes = message.slice();
  new DataView(bytes.buffer).setUint16(0, id);
  return bytes;
}

/** `undefined` for what is no message. */
export function decode(message: Uint8Array): Packet | undefined {
  try {
    return dnsPacket.decode(Buffer.from(message));
  } catch {
    return undefined;
  }
}

/** Whether a message is an answer to a question, and to no other one. */
export function answers(
  packet: Packet,
  { name, type }: Asked,
): boolean {
  const [asked] = packet.questions;
  return packet.flag_qr && asked?.type === type &&
    asked.name.toLowerCase() === name.toLowerCase();
}

/** Reads an answer; aliases (CNAME) are followed within it. */
export function readAnswer(
  packet: Packet,
  name: string,
  type: RecordType,
): Answer {
  const records = packet.answers.slice(0, MAX_RECORDS);
  const addresses: string[] = [];
  const services: ServiceRecord[] = [];
  let ttl = Infinity;
  for (const record of alongAliases(records, name)) {
    ttl = Math.min(ttl, record.ttl ?? 0);
    if (record.type !== type) continue;
    if (record.type === "SRV") {
      const { priority = 0, weight = 0, port, target } = record.data;
      services.push({ priority, weight, port, target });
    } else if (record.type === "A" || record.type === "AAAA") {
      if (!addresses.includes(record.data)) addresses.push(record.data);
    }
  }
  if (addresses.length + services.length > 0) {
    const additional = additionalAddresses(packet);
    return { kind: "found", addresses, services, additional, ttl };
  }
  const isMissing = packet.rcode === "NXDOMAIN";
  return { kind: isMissing ? "no-name" : "none", ttl: negativeTtl(packet) };
}

/** The records of a name and of the names that it is an alias of. */
function alongAliases(
  records: readonly Record[],
  name: string,
): readonly Record[] {
  const names = new Set([name.toLowerCase()]);
  // the aliases may stand in any order
  for (let size = 0; size < names.size;) {
    size = names.size;
    for (const record of records) {
      if (record.type !== "CNAME" || !names.has(record.name.toLowerCase())) {
        continue;
      }
      names.add(record.data.toLowerCase());
      if (names.size > MAX_ALIASES) break;
    }
  }
  return records.filter(({ name }) => names.has(name.toLowerCase()));
}

function additionalAddresses(packet: Packet): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const record of packet.additionals.slice(0, MAX_RECORDS)) {
    if (record.type !== "A" && record.type !== "AAAA") continue;
    const key = record.name.toLowerCase();
    found.set(key, [...found.get(key) ?? [], record.data]);
  }
  return found;
}

/** How long a name may be taken to have no such records (RFC 2308, 5). */
function negativeTtl(packet: Packet): number {
  for (const record of packet.authorities) {
    if (record.type !== "SOA") continue;
    return Math.min(record.ttl ?? 0, record.data.minimum ?? 0);
  }
  return 0;
}
