import { byteClass, bytesOf, Cursor } from "./_bytes.ts";
import type { Input } from "./types.ts";

const HEADER = 12;
const MAX_NAME = 255;
const MAX_QUESTIONS = 16;
const MIN_QUESTION = 5;
const MIN_RECORD = 11;
/** Type, class, time to live, and length of the data. */
const RECORD_HEADER = 2 + 2 + 4;
const DSO = 6;
/**
 * Not a response, and an opcode that has a meaning: QUERY, IQUERY, STATUS,
 * NOTIFY, UPDATE or DSO; the other bits of this byte are free.
 */
const QUERY_FLAGS = byteClass((byte) => [0, 1, 2, 4, 5, 6].includes(byte >> 3));
/** Response code 0; the other bits, also the reserved one, are free. */
const MORE_FLAGS = byteClass((byte) => (byte & 0x0f) === 0);
/**
 * A message without a question, such as one with a cookie only, is short; the
 * first bytes of RDP and SOCKS4 would be a long one.
 */
const MAX_WITHOUT_QUESTION = 512;
const TYPES: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [13, "HINFO"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [35, "NAPTR"],
  [39, "DNAME"],
  [41, "OPT"],
  [43, "DS"],
  [44, "SSHFP"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [50, "NSEC3"],
  [52, "TLSA"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [99, "SPF"],
  [251, "IXFR"],
  [252, "AXFR"],
  [255, "ANY"],
  [256, "URI"],
  [257, "CAA"],
]);

/** A DNS query that came over TCP. */
export interface DnsQuery {
  /** Number that the answer has to repeat. */
  readonly id: number;
  /**
   * Names that are asked for: lower case, no trailing dot, the root as `.`;
   * unusual bytes as in zone files (`\.`, `\032`). Empty in a message without
   * questions.
   */
  readonly names: readonly string[];
  /**
   * For each name the type of records, such as `AAAA`; one without a name as
   * `TYPE65280`.
   */
  readonly types: readonly string[];
  /** Length of the message in bytes, including the two bytes that say it. */
  readonly length: number;
}

/**
 * Reads the first query on a DNS connection over TCP.
 *
 * Follows RFC 1035 (section 4.2.2 for TCP), RFC 7766, and RFC 8490 for stateful
 * operations. The whole message has to be there, with at most 16 questions; all
 * opcodes that have a meaning are recognised, and messages of up to 512 bytes
 * without a question, such as a header alone. Compressed names in questions, which no client sends, are `null`, as
 * are records that do not end where the message does.
 *
 * @param data The first bytes of the connection.
 * @returns The query; `null` if this is not DNS; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { dns } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const header = "\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0";
 * const question = "\x07Example\x03com\0\0\x1c\0\x01";
 * const query = dns(new TextEncoder().encode(header + question));
 * assert.deepEqual(query?.names, ["example.com"]);
 * assert.deepEqual(query.types, ["AAAA"]);
 * ```
 */
export function dns(data: Input): DnsQuery | null | undefined {
  const c = new Cursor(bytesOf(data));
  const length = c.uint(2, HEADER);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  const id = c.uint(2);
  if (id < 0 || !c.run(1, QUERY_FLAGS) || !c.run(1, MORE_FLAGS)) {
    return c.answer;
  }
  const isStateful = c.bytes[c.pos - 2]! >> 3 === DSO;
  const rest = length - HEADER;
  const most = Math.min(MAX_QUESTIONS, Math.floor(rest / MIN_QUESTION));
  const questions = c.uint(2, length > MAX_WITHOUT_QUESTION ? 1 : 0, most);
  if (questions < 0) return c.answer;
  let records = 0;
  for (let section = 0; section < 3; section++) {
    const bytesLeft = rest - questions * MIN_QUESTION - records * MIN_RECORD;
    const count = c.uint(2, 0, Math.floor(bytesLeft / MIN_RECORD));
    if (count < 0) return c.answer;
    records += count;
  }
  const names: string[] = [];
  const types: string[] = [];
  for (let i = 0; i < questions; i++) {
    const name = readName(c);
    if (name === undefined) return c.answer;
    const type = c.uint(2);
    if (type < 0 || !c.skip(2)) return c.answer;
    names.push(name);
    types.push(TYPES.get(type) ?? `TYPE${type}`);
  }
  for (let i = 0; i < records; i++) if (!skipRecord(c)) return c.answer;
  const hasParts = isStateful && questions + records === 0;
  while (hasParts && c.pos < c.limit) if (!skipPart(c, 2)) return c.answer;
  return c.pos === c.limit ? { id, names, types, length: c.limit } : null;
}

/** Goes over a record, whose name may be compressed. */
function skipRecord(c: Cursor): boolean {
  for (;;) {
    const length = c.uint(1);
    if (length < 0) return false;
    if (length >= 0xc0) { // the rest of the name is elsewhere
      if (!c.skip(1)) return false;
      break;
    }
    if (length > 63) return c.no();
    if (length === 0) break;
    if (!c.skip(length)) return false;
  }
  return skipPart(c, RECORD_HEADER);
}

/** Goes over a header of this size, and what comes behind its length. */
function skipPart(c: Cursor, header: number): boolean {
  if (!c.skip(header)) return false;
  const length = c.sizeOf(2);
  return length >= 0 && c.skip(length);
}

/** A name without compression; `undefined` on failure. */
function readName(c: Cursor): string | undefined {
  const start = c.pos;
  let name = "";
  for (;;) {
    const length = c.uint(1, 0, 63);
    if (length < 0) return undefined;
    if (length === 0) return name === "" ? "." : name;
    if (c.pos + length + 1 - start > MAX_NAME) return void c.reject();
    if (!c.skip(length)) return undefined;
    if (name !== "") name += ".";
    for (let i = c.pos - length; i < c.pos; i++) {
      name += presentation(c.bytes[i]!);
    }
  }
}

/**
 * One byte of a label as in a zone file (RFC 1035 section 5.1), in lower case.
 */
function presentation(byte: number): string {
  if (byte <= 0x20 || byte >= 0x7f) {
    return `\\${byte.toString().padStart(3, "0")}`;
  }
  const character = String.fromCharCode(byte);
  if (character === "." || character === "\\") return `\\${character}`;
  return byte >= 0x41 && byte <= 0x5a
    ? String.fromCharCode(byte | 0x20)
    : character;
}
