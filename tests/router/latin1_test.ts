import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { fromLatin1, latin1 } from "../../src/router/latin1.ts";

Deno.test("latin1() makes one byte of each character", () => {
  assertEquals(latin1(""), new Uint8Array(0));
  assertEquals(latin1("\0\x5a\xff"), new Uint8Array([0, 0x5a, 0xff]));
  assertEquals(latin1("é"), new Uint8Array([0xe9]));
});

Deno.test("latin1() names the character and its place when it is above U+00FF", () => {
  const cases: [text: string, message: RegExp][] = [
    ["\u0100", /character 0 is U\+0100$/],
    ["ab€", /character 2 is U\+20AC$/],
    ["😀", /character 0 is U\+D83D$/],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => latin1(text), RangeError, message);
  }
});

Deno.test("fromLatin1() is the inverse of latin1() when there are any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000, size: "max" }), (bytes) => {
      const text = fromLatin1(bytes);
      assertEquals(text.length, bytes.length);
      assertEquals(latin1(text), new Uint8Array(bytes));
    }),
    { numRuns: 50 },
  );
});

Deno.test("fromLatin1() loses nothing when there are many bytes", () => {
  for (const length of [4095, 4096, 4097, 8192, 8193, 1_000_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index % 253);
    assertEquals(latin1(fromLatin1(bytes)), bytes);
  }
});
