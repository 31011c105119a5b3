import { type Cursor, latin1, MAX_MESSAGE } from "./_bytes.ts";
import { decodeHuffman } from "./_huffman.ts";

/** One field of a header list; one character per byte. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** What a decoder may use before the server has said otherwise, in bytes. */
const TABLE_SIZE = 4096;
/**
 * What each field counts for besides its name and value (RFC 7541 section 4.1).
 */
const FIELD_OVERHEAD = 32;

/** RFC 7541 appendix A; index 1 is the first. */
const STATIC: readonly Field[] = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`.split("\n").map((line) => {
  const space = `${line} `.indexOf(" ");
  return { name: line.slice(0, space), value: line.slice(space + 1) };
});

/**
 * Decodes the first header block of a connection (RFC 7541) into `fields`; when
 * it returns false, `block.answer` says why. The list may have 65,536 bytes,
 * counted as in section 4.1.
 *
 * @param block A cursor whose limit is the end of the block, as far as it is
 *   known.
 */
export function decodeFields(block: Cursor, fields: Field[]): boolean {
  const table = new Table();
  let size = 0;
  while (block.pos < block.limit) {
    const first = block.bytes[block.pos];
    if (first === undefined) return block.notYet();
    if ((first & 0xe0) === 0x20) {
      const capacity = integer(block, 0x1f);
      if (capacity < 0) return false;
      if (fields.length > 0 || capacity > TABLE_SIZE) return block.no();
      table.resize(capacity);
      continue;
    }
    const field = (first & 0x80) !== 0
      ? indexed(block, table)
      : literal(block, table, first);
    if (field === undefined) return false;
    size += sizeOf(field);
    if (size > MAX_MESSAGE) return block.no();
    fields.push(field);
  }
  return true;
}

function indexed(block: Cursor, table: Table): Field | undefined {
  const index = integer(block, 0x7f);
  if (index < 0) return undefined;
  return table.get(index) ?? void block.reject();
}

function literal(
  block: Cursor,
  table: Table,
  first: number,
): Field | undefined {
  const isAdded = (first & 0x40) !== 0;
  const index = integer(block, isAdded ? 0x3f : 0x0f);
  if (index < 0) return undefined;
  const known = index === 0 ? undefined : table.get(index);
  if (index > 0 && known === undefined) return void block.reject();
  const name = known === undefined ? string(block) : known.name;
  if (name === undefined) return undefined;
  const value = string(block);
  if (value === undefined) return undefined;
  const field = { name, value };
  if (isAdded) table.add(field);
  return field;
}

/** An integer whose first byte has other bits outside of `mask`, or -1. */
function integer(block: Cursor, mask: number): number {
  const first = block.uint(1);
  if (first < 0 || (first & mask) < mask) return first < 0 ? -1 : first & mask;
  const rest = block.varint(4, 0, MAX_MESSAGE);
  return rest < 0 ? -1 : mask + rest;
}

function string(block: Cursor): string | undefined {
  const first = block.bytes[block.pos] ?? 0;
  const length = integer(block, 0x7f);
  if (length < 0 || !block.skip(length)) return undefined;
  const start = block.pos - length;
  if ((first & 0x80) === 0) return latin1(block.bytes, start, block.pos);
  return decodeHuffman(block.bytes, start, block.pos) ?? void block.reject();
}

/** The static entries and behind them the dynamic ones, newest first. */
class Table {
  #entries: Field[] = [];
  #size = 0;
  #capacity = TABLE_SIZE;

  get(index: number): Field | undefined {
    return index <= STATIC.length
      ? STATIC[index - 1]
      : this.#entries[index - STATIC.length - 1];
  }

  add(field: Field): void {
    this.#entries.unshift(field); // at most 128 entries
    this.#size += sizeOf(field);
    this.#evict();
  }

  resize(capacity: number): void {
    this.#capacity = capacity;
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#capacity) {
      this.#size -= sizeOf(this.#entries.pop()!);
    }
  }
}

function sizeOf(field: Field): number {
  return field.name.length + field.value.length + FIELD_OVERHEAD;
}
