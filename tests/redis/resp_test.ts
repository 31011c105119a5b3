import { assertEquals, assertThrows } from "@std/assert";
import {
  encodeCommand,
  Push,
  type Reply,
  ReplyDecoder,
  ReplyError,
} from "../../src/redis/resp.ts";

const encoder = new TextEncoder();

/** What is read when the bytes come in pieces of a size. */
function decode(text: string, size: number): Reply[] {
  const decoder = new ReplyDecoder();
  const bytes = encoder.encode(text);
  const replies: Reply[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    replies.push(...decoder.read(bytes.slice(at, at + size)));
  }
  return replies;
}

/** A reply, or what an error says: two errors are made at two places. */
function named(reply: Reply): unknown {
  return reply instanceof ReplyError ? [reply.name, reply.message] : reply;
}

Deno.test("ReplyDecoder reads all kinds of replies, wherever they are split", () => {
  const text = [
    "+OK",
    ":-42",
    ",1.5",
    "#t",
    "(3492890328409238509324850943850943825024385",
    "_",
    "$-1",
    "*-1",
    "$0",
    "",
    "$7",
    "a\r\nbc\u00e4",
    "=7",
    "txt:abc",
    "*0",
    "*2",
    "*1",
    "+x",
    "%1",
    "+k",
    "~1",
    ":1",
    "-WRONGTYPE no",
    "!5",
    "ERR x",
    "|1",
    "+ttl",
    ":9",
    "+described",
    ">2",
    "$10",
    "invalidate",
    "*2",
    "$4",
    "\ufeffa",
    "$1",
    "b",
    ">2",
    "$10",
    "invalidate",
    "_",
    "",
  ].join("\r\n");
  const expected: Reply[] = [
    ...["OK", "-42", "1.5", "t"],
    "3492890328409238509324850943850943825024385",
    ...[null, null, null, "", "a\r\nbc\u00e4", "txt:abc"],
    [],
    [["x"], ["k", ["1"]]],
    ["ReplyError", "WRONGTYPE no"],
    ["ReplyError", "ERR x"],
    "described",
    new Push(["invalidate", ["\ufeffa", "b"]]),
    new Push(["invalidate", null]),
  ];
  for (let size = 1; size <= text.length; size++) {
    const replies = decode(text, size);
    assertEquals(replies.map(named), expected, `pieces of ${size}`);
  }
});

Deno.test("ReplyDecoder refuses what is no RESP3, and what is too much", () => {
  const cases = [
    "HTTP/1.1 400 Bad Request\r\n",
    "+OK\n",
    "\r\n",
    "$x\r\n",
    "$1048577\r\n",
    "*1048577\r\n",
    "$-2\r\n",
    "*1\r\n".repeat(9),
    "+".padEnd(70_000, "x"),
  ];
  for (const text of cases) {
    assertThrows(
      () => decode(text, 4096),
      Error,
      /^it does not speak RESP3/,
      JSON.stringify(text.slice(0, 20)),
    );
  }
});

Deno.test("encodeCommand() counts bytes, so that no word can end early", () => {
  assertEquals(
    encodeCommand(["GET", "\u00e4\r\nDEL x"]),
    "*2\r\n$3\r\nGET\r\n$9\r\n\u00e4\r\nDEL x\r\n",
  );
});
