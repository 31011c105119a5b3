import { byteClass, bytesOf, Cursor } from "./_bytes.ts";
import type { Input } from "./types.ts";

/** Header, and a question for the root. */
const MIN_LENGTH = 12 + 5;
const MAX_NAME = 255;
const MAX_QUESTIONS = 16;
const MIN_QUESTION = 5;
const MIN_RECORD = 11;
/**
 * Not a response; opcode QUERY, NOTIFY or UPDATE; the other bits of this byte
 * are free.
 */
const QUERY_FLAGS = byteClass((byte) => [0, 4, 5].includes(byte >> 3));
/** Response code 0, and the reserved bit is 0. */
const MORE_FLAGS = byteClass((byte) => (byte & 0x4f) === 0);
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
   * unusual bytes as in zone files (`\.`, `\032`).
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
 * Follows RFC 1035 (section 4.2.2 for TCP) and RFC 7766. The whole message has
 * to be there, with 1 to 16 questions; queries, notifications and updates are
 * recognised. Compressed names, which no client puts into a question, are
 * `null`.
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
  const length = c.uint(2, MIN_LENGTH);
  if (length < 0) return c.answer;
  c.limit = c.pos + length;
  const id = c.uint(2);
  if (id < 0 || !c.run(1, QUERY_FLAGS) || !c.run(1, MORE_FLAGS)) {
    return c.answer;
  }
  const rest = length - 12;
  const questions = c.uint(
    2,
    1,
    Math.min(MAX_QUESTIONS, Math.floor(rest / MIN_QUESTION)),
  );
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
  const bytesLeft = c.limit - c.pos;
  if (records === 0 ? bytesLeft > 0 : bytesLeft < records * MIN_RECORD) {
    return null;
  }
  return c.skip(bytesLeft) ? { id, names, types, length: c.limit } : c.answer;
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
