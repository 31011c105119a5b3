import { bytesOf, Cursor, encode } from "./_bytes.ts";
import type { Input } from "./types.ts";

/** The header of an AMQP connection. */
export interface AmqpHeader {
  /** Version that the client wants: `1.0`, `0-10`, `0-9-1`, `0-9` or `0-8`. */
  readonly version: string;
  /**
   * What comes next, of version 1.0: AMQP itself, TLS, or authentication with
   * SASL.
   */
  readonly layer: "amqp" | "tls" | "sasl";
}

const HEADERS: readonly { bytes: Uint8Array; value: AmqpHeader }[] = [
  {
    bytes: encode("AMQP\0\0\x09\x01"),
    value: { version: "0-9-1", layer: "amqp" },
  },
  { bytes: encode("AMQP\0\x01\0\0"), value: { version: "1.0", layer: "amqp" } },
  {
    bytes: encode("AMQP\x02\x01\0\0"),
    value: { version: "1.0", layer: "tls" },
  },
  {
    bytes: encode("AMQP\x03\x01\0\0"),
    value: { version: "1.0", layer: "sasl" },
  },
  {
    bytes: encode("AMQP\x01\x01\0\x0a"),
    value: { version: "0-10", layer: "amqp" },
  },
  {
    bytes: encode("AMQP\x01\x01\0\x09"),
    value: { version: "0-9", layer: "amqp" },
  },
  {
    bytes: encode("AMQP\x01\x01\x08\0"),
    value: { version: "0-8", layer: "amqp" },
  },
  {
    bytes: encode("AMQP\x01\x01\x09\x01"),
    value: { version: "0-8", layer: "amqp" },
  },
];

/**
 * Reads the header with which an AMQP client begins.
 *
 * Follows the protocol headers of AMQP 1.0 (OASIS, section 2.2), 0-10, 0-9-1,
 * 0-9 and 0-8; `1 1 9 1`, which older libraries send for 0-8, is that, as in
 * RabbitMQ. A header of another version is `null`.
 *
 * @param data The first bytes of the connection.
 * @returns The header; `null` if this is not AMQP; `undefined` while it is
 *   incomplete.
 *
 * @example
 * ```ts
 * import { amqp } from "proxymachine/protocols";
 * import assert from "node:assert/strict";
 *
 * const header = new TextEncoder().encode("AMQP\0\0\x09\x01");
 * assert.equal(amqp(header)?.version, "0-9-1");
 * ```
 */
export function amqp(data: Input): AmqpHeader | null | undefined {
  const c = new Cursor(bytesOf(data));
  let answer: null | undefined = null;
  for (const { bytes, value } of HEADERS) {
    if (c.literal(bytes)) return { ...value };
    if (c.answer === undefined) answer = undefined;
  }
  return answer;
}
