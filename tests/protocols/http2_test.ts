import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { http2 } from "proxymachine/protocols";
import { decodeHuffman } from "../../src/protocols/_huffman.ts";
import {
  bytes,
  frame,
  hex,
  http2Connection,
  plainField,
  PREFACE,
  sized,
  uint,
} from "../support/protocols/builders.ts";
import {
  assertMonotone,
  assertRefusedAtLastByte,
} from "../support/protocols/checks.ts";

/** :method GET, :scheme http, :path / */
const GET = hex("82 86 84");
const open = (...parts: (number | string | Uint8Array)[]) =>
  http2Connection(bytes(...parts));
/** The header of a frame with HEADERS, and what there is of its payload. */
const headers = (
  length: number,
  flags: number,
  ...parts: (number | string | Uint8Array)[]
) => open(uint(3, length), 1, flags, uint(4, 1), ...parts);
const request = (...fields: (number | Uint8Array)[]) =>
  http2Connection(frame(1, 5, 1, ...fields));

const refused: Readonly<Record<string, Uint8Array>> = {
  "another method": bytes("PRO"),
  "another version": bytes("PRI * HTTP/2.1"),
  "a large first frame": bytes(PREFACE, hex("01")),
  "a first frame that is not SETTINGS": bytes(PREFACE, hex("000000 01")),
  "a first frame that acknowledges": bytes(PREFACE, frame(4, 1, 0)),
  "SETTINGS of a stream": bytes(PREFACE, frame(4, 0, 1)),
  "half a setting": bytes(PREFACE, hex("000005 04 00 00000000")),
  "an acknowledgement with settings": open(hex("000006 04 01 00000000")),
  "a frame of 16,385 bytes": open(hex("0040 01")),
  DATA: open(hex("000000 00")),
  RST_STREAM: open(hex("000004 03")),
  PUSH_PROMISE: open(hex("000004 05")),
  GOAWAY: open(hex("000008 07")),
  "CONTINUATION first": open(hex("000001 09")),
  "WINDOW_UPDATE of 5 bytes": open(hex("000005 08 00 00000000")),
  "WINDOW_UPDATE of a stream": open(hex("000004 08 00 00000001")),
  "PING of 7 bytes": open(hex("000007 06 00 00000000")),
  "PRIORITY of no stream": open(hex("000005 02 00 00000000")),
  "HEADERS of no stream": open(hex("000005 01 04 00000000")),
  "HEADERS of a server's stream": open(hex("000005 01 04 00000002")),
  "padding without length": headers(0, 0x0c),
  "padding as long as the frame": headers(5, 0x0c, 5),
  "a frame too short for its priority": headers(4, 0x24),
  "another frame before CONTINUATION": open(
    frame(1, 0, 1, GET),
    hex("000000 04"),
  ),
  "CONTINUATION of another stream": open(
    frame(1, 0, 1, GET),
    hex("000000 09 04 00000003"),
  ),
  "the index 0": headers(9, 4, 0x80),
  "an index behind the table": headers(9, 4, 0xbe),
  "an endless integer": headers(99, 4, hex("ff 80 80 80 80")),
  "an integer beyond 64 KiB": headers(99, 4, hex("ff ff ff ff")),
  "a table of 4,097 bytes": headers(99, 4, hex("3f e2 1f")),
  "a change of the table's size behind a field": headers(99, 4, hex("82 20")),
  "a string beyond the block": headers(9, 4, hex("00 09")),
  "bad Huffman padding": headers(9, 4, hex("41 81 00")),
  "8 bits of Huffman padding": headers(9, 4, hex("41 82 1f ff")),
  "the Huffman end of string": headers(9, 4, hex("41 84 ff ff ff ff")),
  "upper case in a name": headers(99, 4, plainField("A", "b")),
  "an empty name": headers(99, 4, plainField("", "b")),
  "a NUL in a value": headers(99, 4, plainField("a", "\0")),
  "a line end in a value": headers(99, 4, plainField("a", "b\r\nc")),
  "two paths": headers(99, 4, hex("84 85")),
  "a pseudo field behind others": headers(99, 4, plainField("a", "b"), 0x84),
  "a pseudo field of responses": headers(99, 4, 0x88),
  "an unknown pseudo field": headers(
    99,
    4,
    plainField(":unknown", "websocket"),
  ),
  "no method": request(hex("86 84")),
  "no scheme": request(hex("82 84")),
  "no path": request(hex("82 86")),
  "an empty path": request(hex("82 86"), plainField(":path", "")),
  "an asterisk with GET": request(hex("82 86"), plainField(":path", "*")),
  "a tunnel without authority": request(plainField(":method", "CONNECT")),
  "a tunnel with a path": request(
    plainField(":method", "CONNECT"),
    plainField(":authority", "a:1"),
    0x84,
  ),
};

for (const [what, message] of Object.entries(refused)) {
  Deno.test(`http2() returns null at the earliest byte when there is ${what}`, () => {
    assertRefusedAtLastByte("http2", message);
  });
}

Deno.test("http2() reads a request behind thousands of frames", () => {
  const ping = frame(6, 0, 0, new Uint8Array(8));
  const continuation = frame(9, 0, 1);
  const message = http2Connection(
    ...Array(2000).fill(ping),
    frame(1, 0, 1, GET),
    ...Array(2000).fill(continuation),
    frame(9, 4, 1),
  );
  assert(http2(message));
  assertStrictEquals(http2(message.subarray(0, -1)), undefined);
});

Deno.test("http2() returns null when the frames go beyond 64 KiB", () => {
  const large = frame(0x20, 0, 0, new Uint8Array(16_384));
  const message = http2Connection(large, large, large, large);
  assertMonotone("http2", message, [
    0,
    40_000,
    49_226,
    49_227,
    49_236,
    60_000,
    message.length,
  ]);
  assertEquals(http2(message.subarray(0, 60_000)), null);
});

Deno.test("http2() returns null when a small block stands for a long list", () => {
  const large = bytes(
    0x40,
    sized(1, "a"),
    0x7f,
    0xa1,
    0x1e,
    new Uint8Array(4000).fill(0x62),
  );
  const bomb = request(GET, large, new Uint8Array(16).fill(0xbe));
  assertEquals(http2(bomb), null);
  assert(http2(request(GET, large, new Uint8Array(10).fill(0xbe))));
});

Deno.test("http2() evicts from the table what no longer fits", () => {
  const shrunk = hex("3f 01"); // 32 bytes: room for no entry
  const field = bytes(0x40, sized(1, "a"), sized(1, "b"));
  assert(http2(request(GET, field, 0xbe)));
  assertEquals(http2(request(shrunk, GET, field, 0xbe)), null);
});

Deno.test("http2() joins fields that come twice, cookies by a semicolon", () => {
  const value = http2(request(
    GET,
    plainField("cookie", "a=1"),
    plainField("x", "1"),
    plainField("cookie", "b=2"),
    plainField("x", "2"),
  ));
  assertEquals([...value?.headers ?? []], [["cookie", "a=1; b=2"], [
    "x",
    "1, 2",
  ]]);
});

Deno.test("decodeHuffman() decodes the examples of RFC 7541", () => {
  for (
    const [digits, text] of [
      ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
      ["a8eb10649cbf", "no-cache"],
      ["25a849e95ba97d7f", "custom-key"],
      ["25a849e95bb8e8b4bf", "custom-value"],
      [
        "d07abe941054d444a8200595040b8166e082a62d1bff",
        "Mon, 21 Oct 2013 20:13:21 GMT",
      ],
      ["9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"],
      [
        "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      ],
      ["", ""],
    ] as const
  ) {
    const code = hex(digits);
    assertStrictEquals(decodeHuffman(code, 0, code.length), text);
  }
});

Deno.test("decodeHuffman() decodes the longest codes of RFC 7541", () => {
  for (
    const [code, length, symbol] of [
      [0x3ffffffc, 30, 0x0a],
      [0x3ffffffd, 30, 0x0d],
      [0x3ffffffe, 30, 0x16],
      [0x1ff8, 13, 0x00],
      [0xffffffe, 28, 0xf9],
      [0x3ffffee, 26, 0xff],
      [0x7fffd8, 23, 0x01],
      [0x7fff0, 19, 0x5c],
    ] as const
  ) {
    const bits = code.toString(2).padStart(length, "0").padEnd(32, "1");
    const padded = Uint8Array.from(
      bits.match(/.{8}/g)!,
      (byte) => parseInt(byte, 2),
    );
    const used = padded.subarray(0, Math.ceil(length / 8));
    assertStrictEquals(
      decodeHuffman(used, 0, used.length),
      String.fromCharCode(symbol),
    );
  }
});
