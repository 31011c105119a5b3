import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { latin1, Preread } from "../../src/mod.ts";

Deno.test("Preread shows its bytes without a copy", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const data = new Preread(bytes);
  assertStrictEquals(data.bytes, bytes);
  assertEquals(data.length, 3);
});

Deno.test("Preread is empty when there are no bytes", () => {
  const data = new Preread(new Uint8Array(0));
  assertEquals(data.length, 0);
  assertEquals(data.text, "");
  assertEquals(data.match(/./s), null);
  assertEquals(data.startsWith(""), true);
  assertEquals(data.startsWith("a"), false);
  assertEquals(data.view.byteLength, 0);
});

Deno.test("text has one character for each byte, whatever the byte", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const { text } = new Preread(bytes);
  assertEquals(text.length, 256);
  for (let index = 0; index < 256; index++) {
    assertStrictEquals(text.charCodeAt(index), index);
  }
});

Deno.test("text is kept when the bytes change", () => {
  const bytes = latin1("abc");
  const data = new Preread(bytes);
  assertEquals(data.text, "abc");
  bytes[0] = 0x7a;
  assertEquals(data.text, "abc");
});

Deno.test("text is right when there are 64 KiB and more", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
  const { text } = new Preread(bytes);
  assertEquals(text.length, bytes.length);
  assertEquals(latin1(text), bytes);
});

Deno.test("view reads numbers at the offsets of the bytes when they are part of a buffer", () => {
  const memory = new Uint8Array([9, 9, 0x04, 0x01, 0x01, 0xbb, 9]);
  const data = new Preread(memory.subarray(2, 6));
  assertEquals(data.view.byteLength, 4);
  assertEquals(data.view.getUint8(0), 4);
  assertEquals(data.view.getUint16(2), 443);
  assertStrictEquals(data.view, data.view);
  assertThrows(() => data.view.getUint8(4), RangeError);
});

Deno.test("match() finds bytes by their character", () => {
  const data = new Preread(
    latin1("0032git-upload-pack /alice/repo.git\0host=\xff\n"),
  );
  assertEquals(data.match(/^....git-upload-pack \/([\w.-]+)\//s)?.[1], "alice");
  assertEquals(data.match(/host=\xff/)?.index, 36);
  assertEquals(data.match(/bob/), null);
  assertEquals([...data.match(/[ae]l/g) ?? []], ["al"]);
});

Deno.test("startsWith() compares bytes when the prefix is bytes or text", () => {
  const data = new Preread(latin1("\x16\x03\xff"));
  assertEquals(data.startsWith("\x16"), true);
  assertEquals(data.startsWith("\x16\x03\xff"), true);
  assertEquals(data.startsWith("\x16\x04"), false);
  assertEquals(data.startsWith("\x16\x03\xff\0"), false, "longer than it");
  assertEquals(data.startsWith(new Uint8Array([0x16, 3])), true);
  assertEquals(data.startsWith(new Uint8Array([0x16, 4])), false);
  assertEquals(data.startsWith(new Uint8Array(4)), false);
  assertEquals(data.startsWith("\u0116"), false, "no character is cut down");
});
