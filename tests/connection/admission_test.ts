/**
 * What was read for admission, however the network has cut it.
 */
import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import fc from "fast-check";
import { admit, needsAdmission } from "../../src/connection/admission.ts";
import { formatAddress } from "../../src/net/address.ts";
import { Buffers } from "../../src/connection/buffers.ts";
import { Connection, type Context } from "../../src/connection/connection.ts";
import type { Deadlines } from "../../src/lib/deadlines.ts";
import type { Socket } from "../../src/net/socket.ts";
import { latin1 } from "../../src/mod.ts";

const ADDRESS = { transport: "tcp", hostname: "10.0.0.1", port: 9 } as const;

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const IPV4 = "\xc0\0\x02\x01\xc6\x33\x64\x09\xc3\x50\x01\xbb";

/** The header and its addresses, or those of the socket. */
const HEADERS:
  readonly (readonly [header: string, from: string, to: string])[] = [
    [
      "PROXY TCP4 192.0.2.1 198.51.100.9 50000 443\r\n",
      "192.0.2.1:50000",
      "198.51.100.9:443",
    ],
    ["PROXY TCP6 ::1 ::2 1 65535\r\n", "[::1]:1", "[::2]:65535"],
    ["PROXY UNKNOWN\r\n", "10.0.0.1:9", "10.0.0.1:9"],
    [`${SIGNATURE}\x20\0\0\0`, "10.0.0.1:9", "10.0.0.1:9"],
    [
      `${SIGNATURE}\x21\x11\0\x0c${IPV4}`,
      "192.0.2.1:50000",
      "198.51.100.9:443",
    ],
    [
      // more than a buffer holds at first
      `${SIGNATURE}\x21\x11\x0b\xc7${IPV4}\x04\x0b\xb8${"x".repeat(3000)}`,
      "192.0.2.1:50000",
      "198.51.100.9:443",
    ],
  ];

/** A connection whose reads bring so many bytes each, at most. */
function connection(
  bytes: Uint8Array,
  chunks: readonly number[],
  maxPreread: number,
): { connection: Connection; rest: () => Uint8Array } {
  const deadlines = { set() {}, clear() {} } as unknown as Deadlines;
  const context = {
    options: { maxPreread, prereadTimeout: 1000, halfCloseTimeout: 1000 },
    buffers: new Buffers(),
    deadlines,
    log: { verbose: false, warn: fail },
    gauges: {},
    accessLog: { connection: fail },
  } as unknown as Context;
  const conn = { remoteAddr: ADDRESS, localAddr: ADDRESS };
  const connection = new Connection(
    context,
    conn as unknown as Deno.TcpConn,
    1,
    { name: "test", hostname: "", port: 0, acceptProxy: ["10.0.0.0/8"] },
  );
  let at = 0;
  let reads = 0;
  connection.client = {
    read(buffer) {
      assert(buffer.length > 0, "a read needs room");
      const chunk = chunks[reads++ % chunks.length] as number;
      const end = Math.min(at + chunk, at + buffer.length, bytes.length);
      buffer.set(bytes.subarray(at, end));
      const count = end - at;
      at = end;
      return Promise.resolve(count);
    },
    close() {},
  } as Socket;
  return { connection, rest: () => bytes.subarray(at) };
}

Deno.test("admit() tells header and bytes apart when they are cut anywhere", async () => {
  await fc.assert(fc.asyncProperty(
    fc.constantFrom(...HEADERS),
    fc.uint8Array({ maxLength: 200 }),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(9999)), {
      minLength: 1,
      maxLength: 40,
    }),
    fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(65_536)),
    async ([header, from, to], payload, chunks, maxPreread) => {
      const sent = new Uint8Array(header.length + payload.length);
      sent.set(latin1(header));
      sent.set(payload, header.length);
      const { connection: admitted, rest } = connection(
        sent,
        chunks,
        maxPreread,
      );
      assert(needsAdmission(admitted));
      assertEquals(await admit(admitted), true);
      assertEquals(admitted.stage, "preread");
      const { info: { remoteAddr, localAddr }, buffer, length } = admitted;
      assertStrictEquals(formatAddress(remoteAddr), from);
      assertStrictEquals(formatAddress(localAddr), to);
      assertEquals(
        [...buffer.subarray(0, length), ...rest()],
        [...payload],
        "no byte of the client's is lost, and none of the header is left",
      );
      assert(length <= maxPreread);
      assertStrictEquals(admitted.received, length);
    },
  ));
});

Deno.test("needsAdmission() says no when the listener is an ordinary one, and addresses have no limit", () => {
  const listener = { name: "test", hostname: "", port: 0 };
  const needs = (more: object, addresses?: object) =>
    needsAdmission(
      {
        listener: { ...listener, ...more },
        context: { addresses },
      } as unknown as Connection,
    );
  assertEquals(needs({}), false);
  assertEquals(needs({ acceptProxy: true }), true);
  assertEquals(needs({}, {}), true);
});
