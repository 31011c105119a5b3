/**
 * What a parser takes: bytes, or an object that holds them, such as the
 * `data` argument of a router's `route` hook.
 */
export type Input = Uint8Array | { readonly bytes: Uint8Array };

/**
 * A protocol parser: a pure function of the first bytes of a connection. It
 * never throws, never changes or consumes the bytes, and keeps no reference to
 * them in what it returns.
 *
 * | answer | meaning | as more bytes come |
 * |---|---|---|
 * | a value | the bytes begin with a complete message of this protocol | stays the same |
 * | `null` | this is not that protocol, whatever follows | stays `null` |
 * | `undefined` | not enough bytes to tell | becomes a value or `null` |
 *
 * @example A parser of one's own
 * ```ts
 * import type { Parser } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const zabbix: Parser<"zabbix"> = (data) => {
 *   const bytes = data instanceof Uint8Array ? data : data.bytes;
 *   const magic = [0x5a, 0x42, 0x58, 0x44]; // ZBXD
 *   const start = bytes.subarray(0, magic.length);
 *   if (start.some((byte, i) => byte !== magic[i])) return null;
 *   return start.length < magic.length ? undefined : "zabbix";
 * };
 * assert.equal(zabbix(new Uint8Array([0x5a])), undefined);
 * ```
 */
export type Parser<Value> = (data: Input) => Value | null | undefined;
